#include "app/incident_json.h"

#include "app/json_out.h"
#include "app/serve_query.h"
#include "base/mem.h"
#include "store/incident.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000 };

void incident_json_members(struct json_out *o, const struct incident *i)
{
    out_int_of(o, "id", i->id);
    out_text_of(o, "kind", i->kind);
    out_text_of(o, "platform", i->platform);
    out_text_of(o, "environment", i->environment);
    out_text_of(o, "app", i->app);
    out_text_of(o, "title", i->title);
    out_time_of(o, "from", i->from_ms);
    out_time_of(o, "until", i->until_ms);
    out_time_of(o, "noticed_at", i->noticed_ms);
    out_time_of(o, "acknowledged_at", i->acknowledged_ms);
    out_int_of(o, "checks", i->outages);
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static void put_incident(const struct incident *i, void *arg)
{
    struct json_out *o = arg;

    out_open(o, '{');
    incident_json_members(o, i);
    out_close(o, '}');
}

int incident_json_list(struct store *s, int64_t from_ms, int64_t until_ms, struct buf *out,
                       struct err *e)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    out_key(&o, "incidents");
    out_open(&o, '[');
    int rc = incident_list(s, 0, from_ms, until_ms, LIST_MAX, put_incident, &o, e);
    out_close(&o, ']');
    out_close(&o, '}');
    return rc;
}

/* --- One ----------------------------------------------------------------------------------------
 */

struct one_incident {
    struct json_out out;
    struct series_names names;
    int64_t *outages;
    size_t n, size;
    int64_t from_ms;
    bool found;
};

static void put_one(const struct incident *i, void *arg)
{
    struct one_incident *v = arg;

    v->found = true;
    v->from_ms = i->from_ms;
    out_open(&v->out, '{');
    incident_json_members(&v->out, i);
}

static void put_line(const struct incident_event *line, void *arg)
{
    struct json_out *o = arg;

    out_open(o, '{');
    out_time_of(o, "at", line->at_ms);
    out_text_of(o, "kind", line->kind);
    out_text_of(o, "text", line->text);
    out_key(o, "evidence");
    if (line->evidence[0])
        out_raw(o, line->evidence, strlen(line->evidence));
    else
        out_null(o);
    out_close(o, '}');
}

static void take_number(int64_t outage, void *arg)
{
    struct one_incident *v = arg;

    if (v->n == v->size) {
        v->size = v->size ? 2 * v->size : 32;
        v->outages = mem_grow(v->outages, v->size, sizeof(*v->outages));
    }
    v->outages[v->n++] = outage;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void put_outage(const struct outage *i, void *arg)
{
    struct one_incident *v = arg;

    if (v->n == 0 || !bsearch(&i->id, v->outages, v->n, sizeof(*v->outages), by_number))
        return;
    struct watch_outage named = named_outage(&v->names, i);
    json_outage(&v->out, &named);
}

static int put_parts(struct one_incident *v, struct store *s, int64_t id, struct err *e)
{
    out_key(&v->out, "timeline");
    out_open(&v->out, '[');
    if (incident_timeline(s, id, put_line, &v->out, e) < 0)
        return -1;
    out_close(&v->out, ']');
    out_key(&v->out, "outages");
    out_open(&v->out, '[');
    if (incident_outages(s, id, take_number, v, e) < 0 || series_names_read(s, &v->names, e) < 0 ||
        outage_list(s, -1, v->from_ms - 1, INT64_MAX, 0, put_outage, v, e) < 0)
        return -1;
    out_close(&v->out, ']');
    out_close(&v->out, '}');
    return 0;
}

int incident_json_one(struct store *s, int64_t id, struct buf *out, struct err *e)
{
    struct one_incident v = {.out = {.b = out}};
    int rc = incident_list(s, id, 0, INT64_MAX, 1, put_one, &v, e);

    if (rc == 0 && !v.found)
        rc = err_set(e, ERR_NO, "there is no incident %lld", (long long)id);
    if (rc == 0)
        rc = put_parts(&v, s, id, e);
    series_names_release(&v.names);
    free(v.outages);
    return rc;
}
