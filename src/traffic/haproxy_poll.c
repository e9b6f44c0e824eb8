#include "traffic/haproxy_inner.h"

#include "base/mem.h"
#include "base/text.h"
#include "net/local.h"
#include "net/loop.h"

#include <errno.h>
#include <string.h>

/* The statistics, read again and again; and noticing that HAProxy is gone. */
enum {
    IDLE_TIMES = 4,  /* slower when nothing was asked for QUIET_MS */
    SILENT_PART = 4, /* faster while requests wait and none is answered: it may hang */
    QUIET_MS = 1000,
    UNANSWERED_MAX = 2, /* polls in a row; each has ASK_MS */
};

static void poll_now(void *arg);

void haproxy_poll_end(struct haproxy *h)
{
    local_cancel(h->poll_ask);
    h->poll_ask = NULL;
    timer_free(h->poll_timer);
    h->poll_timer = NULL;
}

static void poll_later(struct haproxy *h)
{
    bool idle = haproxy_now_ms(h) - h->active_ms > QUIET_MS;
    int64_t ms = h->o.poll_ms * (idle ? IDLE_TIMES : 1);

    timer_start(h->poll_timer, h->silent ? ms / SILENT_PART : ms);
}

void haproxy_poll_begin(struct haproxy *h)
{
    const struct haproxy_plan *p = h->force->plan;
    size_t n = 0;

    for (size_t i = 0; i < p->n_routes; i++)
        n += p->routes[i].n_servers;
    haproxy_poll_end(h);
    free(h->readings);
    free(h->tallies);
    h->readings = mem_array(n, sizeof *h->readings);
    h->tallies = mem_array(n, sizeof *h->tallies);
    h->n_readings = n;
    n = 0;
    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t j = 0; j < p->routes[i].n_servers; j++, n++) {
            h->readings[n].route = p->routes[i].name;
            h->readings[n].environment = p->routes[i].servers[j].environment;
        }
    h->unanswered = 0;
    h->active_ms = haproxy_now_ms(h);
    h->poll_timer = timer_new(h->loop, poll_now, h);
    timer_start(h->poll_timer, 0);
}

/* --- Reading ----------------------------------------------------------------------------------*/

struct place { /* of a row in a plan */
    const struct haproxy_route *route;
    const struct haproxy_server *server;
    size_t at;    /* among all servers of the plan */
    bool is_open; /* of the backend without checks, beside the one that has them */
};

static bool is_open_backend(const struct haproxy_route *r, const char *proxy)
{
    size_t n = strlen(r->name);

    return haproxy_route_has_choice(r) && !strncmp(proxy, r->name, n) &&
           !strcmp(proxy + n, "_open");
}

static bool find_place(const struct haproxy_plan *p, const struct haproxy_row *row,
                       struct place *ret)
{
    char name[SERVER_NAME_MAX];
    size_t at = 0;

    for (size_t i = 0; i < p->n_routes; at += p->routes[i].n_servers, i++) {
        const struct haproxy_route *r = &p->routes[i];
        bool is_open = is_open_backend(r, row->proxy);

        for (size_t j = 0; (is_open || !strcmp(r->name, row->proxy)) && j < r->n_servers; j++) {
            haproxy_server_name(&r->servers[j], name);
            if (strcmp(name, row->server) != 0)
                continue;
            *ret = (struct place){r, &r->servers[j], at + j, is_open};
            return true;
        }
    }
    return false;
}

static bool begins(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* A server whose name was never resolved is out, and nobody ordered it. */
static bool is_unresolved(const struct haproxy_row *row)
{
    return begins(row->status, "MAINT (resolution");
}

static void take_row(const struct haproxy_row *row, void *arg)
{
    struct haproxy *h = arg;
    struct haproxy_reading *r;
    struct place place;

    if (!find_place(h->force->plan, row, &place))
        return;
    haproxy_tally_add(&h->tallies[place.at], row);
    if (place.is_open)
        return;
    r = &h->readings[place.at];
    r->down_by_itself = begins(row->status, "DOWN") || is_unresolved(row);
    r->in_maintenance = begins(row->status, "MAINT") && !is_unresolved(row);
    r->draining = begins(row->status, "DRAIN");
    r->weight = (int)row->weight;
    text_copy(r->check, sizeof r->check, row->check);
}

int haproxy_read_stats(struct haproxy *h, const char *stats, struct err *e)
{
    for (size_t i = 0; i < h->n_readings; i++)
        haproxy_tally_begin(&h->tallies[i]);
    if (haproxy_stats_read(stats, take_row, h, e) != 0)
        return -1;
    h->silent = false;
    for (size_t i = 0; i < h->n_readings; i++) {
        struct haproxy_reading *r = &h->readings[i];
        uint64_t tried = r->counters.tried, answered = r->counters.answered;

        haproxy_tally_end(&h->tallies[i], &r->counters);
        r->sessions =
            h->tallies[i].streams > UINT32_MAX ? UINT32_MAX : (uint32_t)h->tallies[i].streams;
        if (r->counters.tried != tried || r->counters.waiting > 0)
            h->active_ms = haproxy_now_ms(h);
        h->silent |= r->counters.waiting > 0 && r->counters.answered == answered;
    }
    return 0;
}

struct learning {
    struct haproxy *h;
    const struct haproxy_plan *plan;
};

static void learn_row(const struct haproxy_row *row, void *arg)
{
    struct learning *l = arg;
    struct haproxy_order o;
    struct place place;

    if (!find_place(l->plan, row, &place) || place.is_open)
        return;
    o = (struct haproxy_order){.route = place.route->name,
                               .environment = place.server->environment,
                               .weight = row->weight > 256 ? 256 : (int)row->weight};
    if (begins(row->status, "MAINT") && !is_unresolved(row))
        o.mode = MODE_MAINTENANCE;
    else if (begins(row->status, "DRAIN"))
        o.mode = MODE_DRAIN;
    o.trusted = haproxy_route_has_choice(place.route) && begins(row->status, "no check");
    haproxy_keep(l->h, &o);
}

void haproxy_learn(struct haproxy *h, const struct haproxy_plan *p, const char *stats)
{
    struct learning l = {h, p};
    struct err e;

    haproxy_stats_read(stats, learn_row, &l, &e); /* with nothing learnt the plan's weights hold */
}

/* --- Asking -----------------------------------------------------------------------------------*/

/* HAProxy may take a server without checks out all the same when nothing accepts its connections.
 * The last one that answers is put back: what it refuses nobody else could have taken. */
static void add_uplifts(struct haproxy *h, struct buf *out)
{
    char name[SERVER_NAME_MAX];

    for (size_t i = 0; i < h->n_readings; i++) {
        const struct haproxy_reading *r = &h->readings[i];
        const struct kept_order *o = haproxy_kept(h, r->route, r->environment);
        const struct haproxy_server *s =
            haproxy_plan_find(h->force->plan, r->route, r->environment);

        if (!r->down_by_itself || !o || !o->trusted || !s)
            continue;
        haproxy_server_name(s, name);
        buf_addf(out, "set server %s/%s health up;", r->route, name);
    }
}

static void polled(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    struct err bad;

    (void)len;
    h->poll_ask = NULL;
    if (e->kind == ERR_NET && e->code == ETIMEDOUT && ++h->unanswered < UNANSWERED_MAX) {
        poll_later(h);
        return;
    }
    if (e->kind != ERR_NONE) {
        haproxy_lost(h, e);
        return;
    }
    h->unanswered = 0;
    if (h->poll_stale) {
        timer_start(h->poll_timer, 0);
        return;
    }
    if (haproxy_read_stats(h, reply, &bad) != 0) {
        haproxy_lost(h, &bad);
        return;
    }
    poll_later(h);
    if (haproxy_now_ms(h) - h->looked_ms > LOOK_AT_FILES_MS)
        haproxy_look_at_files(h);
    if (h->o.reading)
        h->o.reading(h->readings, h->n_readings, haproxy_now_us(h), h->o.arg);
}

static void poll_now(void *arg)
{
    struct haproxy *h = arg;
    struct buf text = BUF_INIT(COMMANDS_MAX);
    struct local_question q = {.path = h->admin, .max_reply = REPLY_MAX, .timeout_ms = ASK_MS};

    h->poll_stale = false;
    add_uplifts(h, &text);
    buf_adds(&text, "show stat -1 4 -1\n");
    q.text = buf_str(&text);
    h->poll_ask = local_ask(h->loop, &q, polled, h);
    buf_release(&text);
}
