#include "app/serve_query.h"

#include "app/api.h"
#include "app/incident_book.h"
#include "app/incident_json.h"
#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/mem.h"

#include <stdlib.h>

/* Outages and incidents that somebody has marked as seen: written into the store, told to those who
 * keep them in memory, and answered as they are now. */

struct acknowledging_kind {
    size_t answer_max;
    /* On a pool thread: marks it, and writes it as the API shows it. */
    int (*write)(struct store *store, int64_t id, int64_t at_ms, struct buf *json, struct err *e);
    void (*written)(struct serve *s, int64_t id, int64_t at_ms);
};

struct acknowledging {
    const struct acknowledging_kind *kind;
    struct serve *serve;
    struct http_exchange *x; /* NULL: nobody waits any more */
    int64_t id, at_ms;
    struct buf json;
};

static int write_it(struct store *store, void *arg, struct err *e)
{
    struct acknowledging *a = arg;

    return a->kind->write(store, a->id, a->at_ms, &a->json, e);
}

static void written(const struct err *e, void *arg)
{
    struct acknowledging *a = arg;

    if (!e)
        a->kind->written(a->serve, a->id, a->at_ms);
    if (a->x && e) {
        api_refuse_err(a->x, e);
    } else if (a->x) {
        serve_redact(a->serve, &a->json);
        api_answer_json(a->x, 200, &a->json);
    }
    buf_release(&a->json);
    free(a);
}

static void asker_left(void *arg)
{
    struct acknowledging *a = arg;

    a->x = NULL;
}

static void begin(struct serve *s, struct http_exchange *x, int64_t id,
                  const struct acknowledging_kind *kind)
{
    struct acknowledging *a = mem_alloc(sizeof(*a));

    *a = (struct acknowledging){
        .kind = kind, .serve = s, .x = x, .id = id, .at_ms = clock_wall_ms(&s->app->clock)};
    buf_init(&a->json, kind->answer_max);
    http_exchange_on_gone(x, asker_left, a);
    store_worker_do(s->reader, "acknowledge", write_it, written, a);
}

/* --- Outages -------------------------------------------------------------------------------------
 */

struct found {
    int64_t id;
    struct json_out out;
    struct series_names names;
};

static void put_if_it_is(const struct outage *i, void *arg)
{
    struct found *f = arg;

    if (i->id != f->id)
        return;
    struct watch_outage v = named_outage(&f->names, i);
    json_outage(&f->out, &v);
}

static int write_outage(struct store *store, int64_t id, int64_t at_ms, struct buf *json,
                        struct err *e)
{
    struct found f = {.id = id, .out = {.b = json}};

    int rc = outage_acknowledge(store, id, at_ms, e);
    if (rc == 0)
        rc = series_names_read(store, &f.names, e);
    if (rc == 0)
        rc = outage_list(store, -1, 0, INT64_MAX, 0, put_if_it_is, &f, e);
    series_names_release(&f.names);
    return rc;
}

static void outage_written(struct serve *s, int64_t id, int64_t at_ms)
{
    watch_acknowledged(s->watch, id, at_ms);
}

void query_acknowledge(struct serve *s, struct http_exchange *x, int64_t id)
{
    static const struct acknowledging_kind outage = {65536, write_outage, outage_written};

    begin(s, x, id, &outage);
}

/* --- Incidents -----------------------------------------------------------------------------------
 */

static int write_incident(struct store *store, int64_t id, int64_t at_ms, struct buf *json,
                          struct err *e)
{
    return incident_acknowledge(store, id, at_ms, e) < 0 ? -1
                                                         : incident_json_one(store, id, json, e);
}

static void incident_written(struct serve *s, int64_t id, int64_t at_ms)
{
    incident_book_acknowledged(s->incidents, id, at_ms);
}

void query_acknowledge_incident(struct serve *s, struct http_exchange *x, int64_t id)
{
    static const struct acknowledging_kind incident = {1 << 20, write_incident, incident_written};

    begin(s, x, id, &incident);
}
