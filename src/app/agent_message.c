#include "app/agent_message.h"

#include "app/json_out.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "store/batch.h"

#include <string.h>

/* Reports and their answers; assignments are in agent_assignment.c. */

enum {
    TEXT_MAX = 512,
    SAMPLE_COLUMNS = 13,
};
/* A sample older than this is no measurement any more, whatever is kept of them. */
#define OLDEST_MS (INT64_C(400) * 24 * 3600 * 1000)
#define YEAR_2100_MS INT64_C(4102444800000)

bool agent_name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n > 0 && n <= AGENT_NAME_MAX && name[n] == '\0';
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static void write_sample(const struct sample *v, struct json_out *o)
{
    const int64_t columns[SAMPLE_COLUMNS] = {
        v->series,        v->at_ms,    v->outcome,   v->class_,     v->extra,
        v->status,        v->late_us,  v->lookup_us, v->connect_us, v->tls_us,
        v->first_byte_us, v->total_us, v->covers_ms};

    out_open(o, '[');
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++)
        out_int(o, columns[i]);
    out_close(o, ']');
}

void agent_batch_write(const char *boot, int64_t sequence, const struct sample *samples, size_t n,
                       struct buf *out)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    out_text_of(&o, "boot", boot);
    out_int_of(&o, "sequence", sequence);
    out_key(&o, "samples");
    out_open(&o, '[');
    for (size_t i = 0; i < n; i++)
        write_sample(&samples[i], &o);
    out_close(&o, ']');
    out_close(&o, '}');
}

static void write_votes(const struct agent_report *r, struct json_out *o)
{
    out_key(o, "votes");
    out_open(o, '[');
    for (size_t i = 0; i < r->n_votes; i++) {
        const struct agent_vote *v = &r->votes[i];
        out_open(o, '{');
        out_int_of(o, "check", v->check);
        out_text_of(o, "state", health_state_name(v->state));
        out_int_of(o, "since_ms", v->since_ms);
        out_text_of(o, "reason", v->reason);
        out_close(o, '}');
    }
    out_close(o, ']');
}

void agent_report_write(const struct agent_report *r, const char *batch, struct buf *out)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    if (*r->vantage)
        out_text_of(&o, "vantage", r->vantage);
    out_text_of(&o, "boot", r->boot);
    out_text_of(&o, "version", r->version);
    out_int_of(&o, "now_ms", r->now_ms);
    out_key(&o, "blind"), out_flag(&o, r->blind);
    out_int_of(&o, "waiting", r->waiting);
    out_int_of(&o, "dropped", r->dropped);
    write_votes(r, &o);
    out_key(&o, "batch");
    if (batch)
        out_raw(&o, batch, strlen(batch));
    else
        out_null(&o);
    out_close(&o, '}');
}

void agent_answer_write(const struct agent_answer *v, struct buf *out)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    out_text_of(&o, "assignment", v->assignment);
    out_int_of(&o, "next_ms", v->next_ms);
    out_int_of(&o, "clock_off_ms", v->clock_off_ms);
    out_text_of(&o, "refused", v->refused);
    out_key(&o, "checks");
    out_open(&o, '[');
    for (size_t i = 0; i < v->n_orders; i++) {
        const struct agent_order *c = &v->orders[i];
        out_open(&o, '{');
        out_int_of(&o, "check", c->check);
        out_int_of(&o, "every_ms", c->every_ms);
        out_int_of(&o, "for_ms", c->for_ms);
        out_key(&o, "awake");
        if (c->awake < 0)
            out_null(&o);
        else
            out_flag(&o, c->awake);
        out_close(&o, '}');
    }
    out_close(&o, ']');
    out_close(&o, '}');
}

/* --- Reading ------------------------------------------------------------------------------------
 */

/* A member that must be a whole number within bounds. */
static int read_int(const json_t *o, const char *name, int64_t least, int64_t most, int64_t *ret,
                    struct err *e)
{
    const json_t *v = json_object_get(o, name);
    int64_t n = json_integer_value(v);

    if (!json_is_integer(v) || n < least || n > most)
        return err_set(e, ERR_USAGE, "%s: give a whole number from %lld to %lld", name,
                       (long long)least, (long long)most);
    *ret = n;
    return 0;
}

static int read_text(const json_t *o, const char *name, size_t most, const char **ret,
                     struct arena *a, struct err *e)
{
    const json_t *v = json_object_get(o, name);

    if (!json_is_string(v) || json_string_length(v) > most ||
        strlen(json_string_value(v)) != json_string_length(v))
        return err_set(e, ERR_USAGE, "%s: give a text of at most %zu bytes", name, most);
    *ret = arena_strdup(a, json_string_value(v));
    return 0;
}

static int read_list(const json_t *o, const char *name, size_t most, const json_t **ret,
                     struct err *e)
{
    const json_t *v = json_object_get(o, name);

    if (!json_is_array(v) || json_array_size(v) > most)
        return err_set(e, ERR_USAGE, "%s: give a list of at most %zu", name, most);
    *ret = v;
    return 0;
}

static int read_state(const char *word, enum health_state *ret, struct err *e)
{
    for (enum health_state s = HEALTH_UNKNOWN; s < HEALTH_INCONCLUSIVE; s++)
        if (strcmp(word, health_state_name(s)) == 0) {
            *ret = s;
            return 0;
        }
    return err_set(e, ERR_USAGE, "state: \"%.40s\" is none of unknown, up, suspect, down", word);
}

static int read_vote(const json_t *o, struct arena *a, struct agent_vote *ret, struct err *e)
{
    const char *state = "";

    if (read_int(o, "check", 1, BATCH_SERIES_MAX, &ret->check, e) < 0 ||
        read_int(o, "since_ms", 0, YEAR_2100_MS, &ret->since_ms, e) < 0 ||
        read_text(o, "reason", AGENT_REASON_MAX, &ret->reason, a, e) < 0 ||
        read_text(o, "state", TEXT_MAX, &state, a, e) < 0)
        return -1;
    return read_state(state, &ret->state, e);
}

static int read_votes(const json_t *o, struct arena *a, struct agent_report *ret, struct err *e)
{
    const json_t *list = NULL;

    if (read_list(o, "votes", AGENT_CHECKS_MAX, &list, e) < 0)
        return -1;
    ret->n_votes = json_array_size(list);
    ret->votes = arena_array(a, ret->n_votes + 1, sizeof(*ret->votes));
    for (size_t i = 0; i < ret->n_votes; i++)
        if (read_vote(json_array_get(list, i), a, &ret->votes[i], e) < 0)
            return err_wrap(e, "vote %zu", i + 1);
    return 0;
}

static int read_columns(const json_t *row, int64_t ret[SAMPLE_COLUMNS], struct err *e)
{
    if (!json_is_array(row) || json_array_size(row) != SAMPLE_COLUMNS)
        return err_set(e, ERR_USAGE, "give %d numbers", SAMPLE_COLUMNS);
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++) {
        const json_t *v = json_array_get(row, i);
        if (!json_is_integer(v))
            return err_set(e, ERR_USAGE, "number %zu is none", i + 1);
        ret[i] = json_integer_value(v);
    }
    return 0;
}

static bool within(int64_t v, int64_t least, int64_t most)
{
    return v >= least && v <= most;
}

static int read_sample(const json_t *row, int64_t now_ms, struct sample *ret, struct err *e)
{
    int64_t c[SAMPLE_COLUMNS] = {0};

    if (read_columns(row, c, e) < 0)
        return -1;
    if (!within(c[1], now_ms - OLDEST_MS, now_ms + AGENT_CLOCK_OFF_MS))
        return err_set(e, ERR_USAGE,
                       c[1] > now_ms ? "its time is in the future"
                                     : "its time is more than a year ago");
    bool ok = within(c[0], 1, BATCH_SERIES_MAX) && within(c[2], SAMPLE_OK, SAMPLE_MISSED) &&
              within(c[3], SAMPLE_WARM, SAMPLE_COLD) && within(c[4], 0, 1) &&
              within(c[5], 0, 999) && within(c[12], 0, INT32_MAX);
    for (size_t i = 6; i < 12; i++)
        ok = ok && within(c[i], -1, INT32_MAX);
    if (!ok)
        return err_set(e, ERR_USAGE, "a number in it makes no sense");
    *ret = (struct sample){.series = c[0],
                           .at_ms = c[1],
                           .outcome = (enum sample_outcome)c[2],
                           .class_ = (enum sample_class)c[3],
                           .extra = c[4],
                           .status = (int32_t)c[5],
                           .late_us = (int32_t)c[6],
                           .lookup_us = (int32_t)c[7],
                           .connect_us = (int32_t)c[8],
                           .tls_us = (int32_t)c[9],
                           .first_byte_us = (int32_t)c[10],
                           .total_us = (int32_t)c[11],
                           .covers_ms = (int32_t)c[12]};
    return batch_check(ret, e);
}

static int read_batch(const json_t *root, struct arena *a, struct agent_report *ret, struct err *e)
{
    const json_t *o = json_object_get(root, "batch"), *list = NULL;

    ret->batch_boot = "";
    if (json_is_null(o))
        return 0;
    if (read_text(o, "boot", AGENT_NAME_MAX, &ret->batch_boot, a, e) < 0 ||
        read_int(o, "sequence", 1, INT64_MAX, &ret->sequence, e) < 0 ||
        read_list(o, "samples", AGENT_SAMPLES_MAX, &list, e) < 0)
        return err_wrap(e, "batch");
    if (!agent_name_ok(ret->batch_boot))
        return err_set(e, ERR_USAGE, "batch: boot: letters, digits, '.', '_' and '-' only");
    ret->n_samples = json_array_size(list);
    ret->samples = arena_array(a, ret->n_samples + 1, sizeof(*ret->samples));
    for (size_t i = 0; i < ret->n_samples; i++)
        if (read_sample(json_array_get(list, i), ret->now_ms, &ret->samples[i], e) < 0)
            return err_wrap(e, "batch: sample %zu", i + 1);
    return 0;
}

static int read_names(const json_t *o, struct arena *a, struct agent_report *ret, struct err *e)
{
    ret->vantage = "";
    if (json_object_get(o, "vantage") &&
        read_text(o, "vantage", AGENT_NAME_MAX, &ret->vantage, a, e) < 0)
        return -1;
    if (*ret->vantage && !agent_name_ok(ret->vantage))
        return err_set(e, ERR_USAGE, "vantage: letters, digits, '.', '_' and '-' only");
    if (read_text(o, "boot", AGENT_NAME_MAX, &ret->boot, a, e) < 0 ||
        read_text(o, "version", AGENT_NAME_MAX, &ret->version, a, e) < 0)
        return -1;
    if (!agent_name_ok(ret->boot))
        return err_set(e, ERR_USAGE, "boot: letters, digits, '.', '_' and '-' only");
    return 0;
}

static int read_report(const json_t *o, struct arena *a, struct agent_report *ret, struct err *e)
{
    const json_t *blind = json_object_get(o, "blind");

    if (read_names(o, a, ret, e) < 0 ||
        read_int(o, "now_ms", 0, YEAR_2100_MS, &ret->now_ms, e) < 0 ||
        read_int(o, "waiting", 0, INT64_MAX, &ret->waiting, e) < 0 ||
        read_int(o, "dropped", 0, INT64_MAX, &ret->dropped, e) < 0)
        return -1;
    if (!json_is_boolean(blind))
        return err_set(e, ERR_USAGE, "blind: give true or false");
    ret->blind = json_is_true(blind);
    return read_votes(o, a, ret, e) < 0 ? -1 : read_batch(o, a, ret, e);
}

int agent_report_read(const char *data, size_t len, struct arena *a, struct agent_report *ret,
                      struct err *e)
{
    json_t *root = json_read(data, len, "the report", e);
    struct agent_report r = {.boot = "", .version = ""};
    int rc = -1;

    if (!root) {
        e->kind = ERR_USAGE;
        return -1;
    }
    rc = read_report(root, a, &r, e);
    json_decref(root);
    if (rc == 0)
        *ret = r;
    else
        e->kind = ERR_USAGE;
    return rc;
}

static struct agent_order order_of(const json_t *o)
{
    const json_t *awake = json_object_get(o, "awake");
    int64_t every = json_int(o, "every_ms", 0), span = json_int(o, "for_ms", 0);

    return (struct agent_order){.check = json_int(o, "check", 0),
                                .every_ms = within(every, 100, INT32_MAX) ? every : 0,
                                .for_ms = within(span, 0, 60000) ? span : 0,
                                .awake = json_is_boolean(awake) ? json_is_true(awake) : -1};
}

int agent_answer_read(const char *data, size_t len, struct arena *a, struct agent_answer *ret,
                      struct err *e)
{
    json_t *root = json_read(data, len, "the server's answer", e);
    const json_t *list = NULL;

    if (!root)
        return -1;
    if (read_list(root, "checks", AGENT_CHECKS_MAX, &list, e) < 0 ||
        read_text(root, "assignment", AGENT_NAME_MAX, &ret->assignment, a, e) < 0 ||
        read_text(root, "refused", TEXT_MAX, &ret->refused, a, e) < 0 ||
        read_int(root, "next_ms", 100, 600000, &ret->next_ms, e) < 0) {
        json_decref(root);
        return err_wrap(e, "the server's answer");
    }
    ret->clock_off_ms = json_int(root, "clock_off_ms", 0);
    ret->n_orders = json_array_size(list);
    ret->orders = arena_array(a, ret->n_orders + 1, sizeof(*ret->orders));
    for (size_t i = 0; i < ret->n_orders; i++)
        ret->orders[i] = order_of(json_array_get(list, i));
    json_decref(root);
    return 0;
}
