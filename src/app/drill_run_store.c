#include "app/drill_run_inner.h"

#include "app/app.h"
#include "app/store_worker.h"
#include "base/json.h"
#include "base/text.h"
#include "net/endpoint.h"

#include <stdlib.h>
#include <string.h>

/* What a drill reads from and writes into the store, all on its worker. The run is left alone by
 * the loop's thread while a job of these is under way, but for what a comment names. */

enum { CHANGES_A_LOOK = 1000, BEFORE_MS = 1000 };

/* --- Before it begins ----------------------------------------------------------------------------
 */

static void take_host(const struct deployment_row *d, void *arg)
{
    struct drill_run *r = arg;
    struct endpoint at;

    if (strcmp(d->app, r->app_name) != 0 || !endpoint_read(d->url, 0, &at))
        return;
    for (size_t i = 0; i < r->n_places; i++)
        if (strcmp(r->places[i].name, d->environment) == 0)
            r->places[i].host = arena_strdup(&r->arena, at.host);
}

static void find_order(const struct traffic_order *o, void *arg)
{
    struct drill_run *r = arg;

    if (strcmp(o->route, r->record.route) == 0 &&
        strcmp(o->environment, r->record.environment) == 0 &&
        (o->until_ms == 0 || o->until_ms > clock_wall_ms(&r->o.app->clock)))
        (void)err_set(&r->err, ERR_NO,
                      "%.60s: an order is in force there (%.20s, by %.60s); take it back first: "
                      "trine traffic restore -e %.60s",
                      o->environment, o->kind, o->who, o->environment);
}

static const json_t *member_named(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_str(json_array_get(list, i), "name", ""), name) == 0)
            return json_array_get(list, i);
    return NULL;
}

/* What it gets when all are well. */
static double configured_share(const json_t *list, const json_t *e)
{
    double sum = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        sum += json_num(json_array_get(list, i), "weight", 0);
    return sum > 0 ? json_num(e, "weight", 0) / sum : 0;
}

static bool answers(const char *state)
{
    return strcmp(state, "up") == 0 || strcmp(state, "asleep") == 0;
}

/* One that is down comes before one that is in doubt; what a person has ordered is no failure. */
static void read_others(const struct drill_run *r, const json_t *list, struct drill_standing *ret)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *e = json_array_get(list, i);
        const char *name = json_str(e, "name", ""), *state = json_str(e, "state", "");
        bool down = strcmp(state, "down") == 0,
             ill = down || strcmp(state, "suspect") == 0 || strcmp(state, "degraded") == 0;
        if (strcmp(name, r->record.environment) == 0)
            continue;
        ret->others_up += answers(state);
        if (!ill || json_int(e, "order.id", 0) != 0 || (*ret->ill && !down))
            continue;
        (void)text_copy(ret->ill, sizeof(ret->ill), name);
        (void)text_copy(ret->ill_state, sizeof(ret->ill_state), state);
    }
}

static void read_standing(const struct drill_run *r, const json_t *all, struct drill_standing *ret)
{
    const json_t *route = member_named(json_object_get(all, "routes"), r->record.route),
                 *list = json_object_get(route, "environments"),
                 *e = member_named(list, r->record.environment);

    *ret = (struct drill_standing){.known = e != NULL};
    if (!e)
        return;
    (void)text_copy(ret->state, sizeof(ret->state), json_str(e, "state", ""));
    ret->share = json_flag(e, "out", false) ? 0 : json_num(e, "share", 0);
    ret->configured = configured_share(list, e);
    ret->order_id = json_int(e, "order.id", 0);
    read_others(r, list, ret);
}

static int look_at_standing(struct store *s, struct drill_run *r, struct err *e)
{
    char *text = NULL;
    int64_t at_ms = 0;

    if (traffic_state_get(s, "", &text, &at_ms, e) < 0)
        return -1;
    if (*text && at_ms != r->standing_ms) {
        json_t *all = json_read(text, strlen(text), "the store: where traffic stands", e);
        if (all)
            read_standing(r, all, &r->now);
        r->standing_ms = at_ms;
        json_decref(all);
    }
    free(text);
    return 0;
}

static int check_steered(struct store *s, struct drill_run *r, struct err *e)
{
    struct lease router = {0};
    bool steered = false;

    if (lease_read(s, ROUTER_LEASE, &router, &steered, e) < 0)
        return -1;
    if (!steered)
        return err_set(e, ERR_NO,
                       "nobody steers the traffic, so nothing would be rehearsed: start trine "
                       "serve with this manifest and state folder");
    if (traffic_order_list(s, false, 0, find_order, r, e) < 0)
        return -1;
    if (r->err.kind != ERR_NONE) {
        *e = r->err;
        return -1;
    }
    return 0;
}

static int prepare_work(struct store *s, void *arg, struct err *e)
{
    struct drill_run *r = arg;

    if (check_steered(s, r, e) < 0 || deployment_live(s, NULL, take_host, r, e) < 0 ||
        look_at_standing(s, r, e) < 0)
        return -1;
    r->before = r->now;
    if (!*r->places[r->target].host)
        return err_set(e, ERR_NO, "%s is not live in %s; see trine status", r->app_name,
                       r->record.environment);
    if (r->now.known && !answers(r->now.state))
        return err_set(e, ERR_NO,
                       "%s is %s now, so a drill would show nothing; see trine traffic status",
                       r->record.environment, r->now.state);
    return drill_run_check_calm(s, r, e);
}

static void prepared(const struct err *e, void *arg)
{
    drill_run_prepared(arg, e);
}

void drill_run_prepare(struct drill_run *r)
{
    store_worker_do(r->worker, "drill: checks", prepare_work, prepared, r);
}

static int open_work(struct store *s, void *arg, struct err *e)
{
    struct drill_run *r = arg;

    r->record.from_ms = clock_wall_ms(&r->o.app->clock);
    return drill_begin(s, &r->record, &r->record.id, e);
}

static void opened(const struct err *e, void *arg)
{
    drill_run_opened(arg, e);
}

void drill_run_open(struct drill_run *r)
{
    store_worker_do(r->worker, "drill: record", open_work, opened, r);
}

/* --- While it runs -------------------------------------------------------------------------------
 */

static void keep_change(const struct traffic_change *c, void *arg)
{
    struct drill_run *r = arg;
    struct arena *a = &r->change_arena;
    struct traffic_change *k = &r->changes[r->n_changes++];

    *k = *c;
    k->route = arena_strdup(a, c->route);
    k->environment = arena_strdup(a, c->environment);
    k->from = arena_strdup(a, c->from);
    k->event = arena_strdup(a, c->event);
    k->to = arena_strdup(a, c->to);
    k->action = arena_strdup(a, c->action);
    k->reason = k->evidence = "";
}

static int poll_work(struct store *s, void *arg, struct err *e)
{
    struct drill_run *r = arg;

    arena_release(&r->change_arena);
    r->changes = arena_array(&r->change_arena, CHANGES_A_LOOK, sizeof(*r->changes));
    r->n_changes = 0;
    if (traffic_change_list(s, r->record.route, r->record.from_ms - BEFORE_MS, INT64_MAX,
                            CHANGES_A_LOOK, keep_change, r, e) < 0)
        return -1;
    return look_at_standing(s, r, e);
}

static void polled(const struct err *e, void *arg)
{
    struct drill_run *r = arg;

    r->polling = false;
    if (e)
        r->n_changes = 0; /* the next look may be luckier; the figures are of what was seen */
    drill_run_polled(r);
}

void drill_run_poll(struct drill_run *r)
{
    r->polling = true;
    store_worker_do(r->worker, "drill: router's log", poll_work, polled, r);
}

static int beat_work(struct store *s, void *arg, struct err *e)
{
    struct drill_run *r = arg;
    return lease_heartbeat(s, &r->lease, e);
}

static void beaten(const struct err *e, void *arg)
{
    struct drill_run *r = arg;

    r->beating = false;
    if (e && e->kind == ERR_NO)
        drill_run_stop(r); /* somebody took it over, and undoes our fault meanwhile */
}

void drill_run_beat(struct drill_run *r)
{
    r->beating = true;
    store_worker_do(r->worker, "drill: lease", beat_work, beaten, r);
}

/* --- The end -------------------------------------------------------------------------------------
 */

static int close_work(struct store *s, void *arg, struct err *e)
{
    struct drill_run *r = arg;
    struct err ignored = ERR_INIT;
    /* A fault that is still there is left to the next process: its record goes on. */
    int rc = r->ran && r->result.outcome != DRILL_RUNNING ? drill_end(s, &r->result, e) : 0;

    if (r->have_lease)
        (void)lease_release(s, &r->lease, &ignored);
    return rc;
}

static void closed(const struct err *e, void *arg)
{
    drill_run_closed(arg, e);
}

void drill_run_close(struct drill_run *r)
{
    store_worker_do(r->worker, "drill: record", close_work, closed, r);
}
