#include "traffic/failover_inner.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Where a route stands, for the next process. Findings are not kept: they are seen anew. */

enum { FORMAT = 1 };

/* --- Writing */

static json_t *order_json(const struct standing_order *o)
{
    if (!o->set)
        return json_null();
    return json_pack("{s:s, s:i, s:I}", "kind", order_kind_name(o->kind), "weight", o->weight,
                     "until", (json_int_t)o->until_ms);
}

static json_t *member_json(const struct member *m)
{
    return json_pack("{s:s, s:s, s:I, s:b, s:b, s:b, s:I, s:I, s:I, s:i, s:I, s:I, s:o, s:s}",
                     "environment", m->environment, "state", traffic_state_name(m->state), "since",
                     (json_int_t)m->since_ms, "out", m->out, "seen", m->seen, "kept", m->kept,
                     "well_since", (json_int_t)m->well_since_ms, "hold", (json_int_t)m->hold_ms,
                     "back", (json_int_t)m->back_ms, "falls", m->falls, "trial_until",
                     (json_int_t)m->trial_until_ms, "fast_until", (json_int_t)m->fast_until_ms,
                     "order", order_json(&m->order), "reason", m->reason);
}

void failover_save(const struct failover *f, struct buf *out)
{
    json_t *members = json_array();
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(members, member_json(&f->members[i]));
    json_t *all = json_pack("{s:i, s:s, s:I, s:o}", "format", FORMAT, "route", f->route, "at",
                            (json_int_t)f->now_ms, "members", members);
    char *text = json_text(all);
    buf_adds(out, text);
    free(text);
    json_decref(all);
}

/* --- Reading */

struct reading {
    const struct failover *f;
    int64_t at_ms;
    struct err *e;
};

static int refuse(const struct reading *in, const char *what)
{
    return err_set(in->e, ERR_NO,
                   "route %s: where traffic stood is not understood: %s; it begins anew",
                   in->f->route, what);
}

static int read_time(const struct reading *in, const json_t *j, const char *key, int64_t *ret)
{
    static const int64_t latest = INT64_C(253402300799999); /* the end of the year 9999 */
    int64_t t = json_int(j, key, -1);
    if (t < 0 || t > latest)
        return refuse(in, key);
    *ret = t;
    return 0;
}

static int read_order(const struct reading *in, const json_t *j, struct standing_order *ret)
{
    const json_t *o = json_object_get(j, "order");
    const char *kind = json_str(o, "kind", "");

    *ret = (struct standing_order){0};
    if (json_is_null(o))
        return 0;
    for (enum order_kind k = ORDER_WEIGHT; k < ORDER_NONE; k++)
        if (strcmp(kind, order_kind_name(k)) == 0) {
            ret->set = true;
            ret->kind = k;
        }
    int64_t weight = json_int(o, "weight", -1);
    if (!ret->set || weight < 0 || weight > 100)
        return refuse(in, "order");
    ret->weight = (int)weight;
    return read_time(in, o, "until", &ret->until_ms);
}

static int read_state(const struct reading *in, const json_t *j, enum traffic_state *ret)
{
    const char *name = json_str(j, "state", "");
    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++)
        if (strcmp(name, traffic_state_name(s)) == 0) {
            *ret = s;
            return 0;
        }
    return refuse(in, "state");
}

static int read_flags(const struct reading *in, const json_t *j, struct member *m)
{
    const json_t *out = json_object_get(j, "out"), *seen = json_object_get(j, "seen"),
                 *kept = json_object_get(j, "kept");
    int64_t falls = json_int(j, "falls", -1);

    if (!json_is_boolean(out) || !json_is_boolean(seen) || !json_is_boolean(kept))
        return refuse(in, "out");
    if (falls < 0 || falls > 1000)
        return refuse(in, "falls");
    m->out = json_is_true(out);
    m->seen = json_is_true(seen);
    m->kept = json_is_true(kept);
    m->falls = (int)falls;
    return 0;
}

/* A state that its order, or the lack of one, contradicts; out or on hold in a state that is not.
 */
static bool contradictory(const struct member *m)
{
    bool drained = m->order.set && m->order.kind == ORDER_DRAIN;
    bool fell = m->state == TRAFFIC_DOWN || m->state == TRAFFIC_DEGRADED;
    bool may_be_out = fell || m->state == TRAFFIC_UNKNOWN || m->state == TRAFFIC_DRAINING;
    bool may_hold = fell || (m->state == TRAFFIC_UNKNOWN && m->out);

    return drained != (m->state == TRAFFIC_DRAINING) || (m->out && !may_be_out) ||
           (m->well_since_ms && !may_hold);
}

static int read_member(const struct reading *in, const json_t *j, struct member *m)
{
    if (read_state(in, j, &m->state) < 0 || read_flags(in, j, m) < 0 ||
        read_time(in, j, "since", &m->since_ms) < 0 ||
        read_time(in, j, "well_since", &m->well_since_ms) < 0 ||
        read_time(in, j, "hold", &m->hold_ms) < 0 || read_time(in, j, "back", &m->back_ms) < 0 ||
        read_time(in, j, "trial_until", &m->trial_until_ms) < 0 ||
        read_time(in, j, "fast_until", &m->fast_until_ms) < 0 || read_order(in, j, &m->order) < 0)
        return -1;
    if (m->hold_ms > HOLD_MAX_MS)
        return refuse(in, "hold");
    if (contradictory(m))
        return refuse(in, "state and order");
    text_copy(m->reason, sizeof m->reason, json_str(j, "reason", ""));
    return 0;
}

/* All members into copies; those of other names are passed over. */
static int read_members(const struct reading *in, const json_t *list, struct member *copies)
{
    size_t i;
    json_t *j;

    json_array_foreach(list, i, j)
    {
        const char *name = json_str(j, "environment", NULL);
        struct member passed_over = {0}, *m = &passed_over;
        if (!name)
            return refuse(in, "environment");
        for (size_t k = 0; k < in->f->n; k++)
            if (strcmp(copies[k].environment, name) == 0)
                m = &copies[k];
        if (read_member(in, j, m) < 0)
            return -1;
    }
    return 0;
}

static void adopt(struct failover *f, const struct member *copies, int64_t at_ms, int64_t now_ms)
{
    bool left = false;

    memcpy(f->members, copies, f->n * sizeof(*copies));
    f->now_ms = at_ms;
    failover_clock(f, now_ms);
    for (size_t i = 0; i < f->n; i++)
        left |= eligible(&f->members[i]);
    /* The environments have changed since: what was ordered would leave nobody to send to. */
    for (size_t i = 0; i < f->n && !left; i++)
        (void)order_lift(f, &f->members[i]);
    failover_settle(f);
}

static int read_all(struct reading *in, const json_t *all, struct member *copies)
{
    if (json_int(all, "format", 0) != FORMAT)
        return refuse(in, "format");
    if (!json_is_array(json_object_get(all, "members")))
        return refuse(in, "members");
    if (read_time(in, all, "at", &in->at_ms) < 0)
        return -1;
    return read_members(in, json_object_get(all, "members"), copies);
}

int failover_restore(struct failover *f, const char *json, size_t len, int64_t now_ms,
                     struct err *e)
{
    struct err why = ERR_INIT;
    json_t *all = json_read(json, len, "where traffic stood", &why);

    if (!all)
        return err_set(e, ERR_NO, "route %s: %.300s; it begins anew", f->route, why.text);
    struct reading in = {.f = f, .e = e};
    struct member *copies = mem_array(f->n, sizeof(*copies));
    memcpy(copies, f->members, f->n * sizeof(*copies));
    int rc = read_all(&in, all, copies);
    if (rc == 0)
        adopt(f, copies, in.at_ms, now_ms);
    free(copies);
    json_decref(all);
    return rc;
}
