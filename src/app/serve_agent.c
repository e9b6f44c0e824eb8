#include "app/serve.h"

#include "app/agent_message.h"
#include "app/api.h"
#include "app/json_out.h"
#include "app/router.h"
#include "app/serve_assignment.h"
#include "app/store_worker.h"
#include "app/targets.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "net/loop.h"
#include "store/observation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Vantage points elsewhere (`trine agent`): tells them what to measure, takes their reports, turns
 * them into votes of the router and observations of the store, and notices who went silent.
 *
 * A report is answered only once its batch is in the store; its votes count at once. A name belongs
 * to the token that reports under it for as long as that is heard of, so that a token can be
 * replaced; a token has one name at a time, so that who has it has one vote. Of two runs under one
 * name the later one counts.
 */

enum {
    AGENTS_MAX = 31, /* with ourselves as many as the router takes (VANTAGES_MAX) */
    LOOK_MS = 500,
    SILENT_INTERVALS = 3,
    SILENT_LEAST_MS = 5000, /* an answer that is late by a retransmission is no silence */
    GONE_MS = 3600 * 1000,
    FAST_MS = 500,
    FAST_FOR_MS = 10000, /* each report that still finds doubt renews it */
};

struct vantage {
    char name[AGENT_NAME_MAX + 1], token[ACCESS_NAME_MAX + 1];
    char boot[AGENT_NAME_MAX + 1], boot_before[AGENT_NAME_MAX + 1];
    char version[AGENT_NAME_MAX + 1];
    int64_t seen_ms, seen_at; /* monotonic, wall */
    int64_t interval_ms;      /* until its next report, as it was told */
    int64_t clock_off_ms, waiting, dropped;
    size_t checks;
    bool valid;
    char why[200];
};

struct agents {
    struct serve *serve;
    struct vantage *list[AGENTS_MAX];
    size_t n;
    struct assignment assignment;
    bool fresh; /* the assignment is that of what is live now */
    struct store_worker *ledger;
    struct timer *look;
};

/* --- Votes --------------------------------------------------------------------------------------
 */

static void judge(struct vantage *v, bool valid, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void judge(struct vantage *v, bool valid, const char *fmt, ...)
{
    va_list ap;

    v->valid = valid;
    va_start(ap, fmt);
    (void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
    va_end(ap);
}

/* How it is itself. */
static struct router_vote self_vote(const struct vantage *v)
{
    return (struct router_vote){.vantage = v->name,
                                .valid = v->valid,
                                .why = v->why,
                                .clock_off_ms = v->clock_off_ms,
                                .environment = "",
                                .app = "",
                                .instance = "",
                                .check = "",
                                .reason = ""};
}

static void vote_self(const struct agents *a, const struct vantage *v)
{
    const struct router_vote vote = self_vote(v);

    if (a->serve->router)
        router_vote(a->serve->router, &vote);
}

static void vote_checks(const struct agents *a, const struct vantage *v,
                        const struct agent_report *r)
{
    for (size_t i = 0; a->serve->router && i < r->n_votes; i++) {
        const struct assigned_check *c = assignment_find(&a->assignment, r->votes[i].check);
        struct router_vote vote = self_vote(v);
        char reason[AGENT_REASON_MAX + 1];
        if (!c)
            continue;
        (void)text_copy(reason, sizeof(reason), r->votes[i].reason);
        redact_text(a->serve->app->redactor, reason, sizeof(reason));
        vote.environment = c->environment;
        vote.app = c->app;
        vote.instance = c->instance;
        vote.check = c->check;
        vote.state = r->votes[i].state;
        vote.reason = reason;
        vote.since_ms = r->votes[i].since_ms;
        router_vote(a->serve->router, &vote);
    }
}

/* --- Who is there -------------------------------------------------------------------------------
 */

static void forget(struct agents *a, size_t i)
{
    if (a->serve->router)
        router_vantage_gone(a->serve->router, a->list[i]->name);
    free(a->list[i]);
    a->list[i] = a->list[--a->n];
}

static bool is_silent(const struct agents *a, const struct vantage *v)
{
    int64_t most = SILENT_INTERVALS * v->interval_ms;

    return clock_mono_ms(&a->serve->app->clock) - v->seen_ms >
           (most < SILENT_LEAST_MS ? SILENT_LEAST_MS : most);
}

static void look(void *arg)
{
    struct agents *a = arg;
    int64_t now = clock_mono_ms(&a->serve->app->clock);

    for (size_t i = a->n; i-- > 0;) {
        struct vantage *v = a->list[i];
        int64_t silent = now - v->seen_ms;
        if (silent >= GONE_MS) {
            app_say(a->serve->app, "agent %s was not heard of for an hour: it is forgotten",
                    v->name);
            forget(a, i);
        } else if (is_silent(a, v) && v->valid) {
            judge(v, false, "not heard of for %lld s", (long long)(silent / 1000));
            app_say(a->serve->app, "agent %s does not vote: %s", v->name, v->why);
            vote_self(a, v);
        }
    }
    timer_start(a->look, LOOK_MS);
}

static struct vantage *find(const struct agents *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i]->name, name) == 0)
            return a->list[i];
    return NULL;
}

static bool is_ourselves(const struct serve *s, const char *name)
{
    return strcmp(name, "here") == 0 || strcmp(name, s->setup->manifest->probe.vantage) == 0;
}

/* The other name under which a token is heard of. Those of which it is not are forgotten. */
static const struct vantage *other_name(struct agents *a, const char *token, const char *name)
{
    for (size_t i = a->n; i-- > 0;) {
        struct vantage *v = a->list[i];
        if (strcmp(v->token, token) != 0 || strcmp(v->name, name) == 0)
            continue;
        if (!is_silent(a, v))
            return v;
        forget(a, i);
    }
    return NULL;
}

static struct vantage *begin(struct agents *a, const char *name, const char *token,
                             const struct agent_report *r)
{
    struct vantage *v = a->list[a->n++] = mem_alloc(sizeof(*v));

    (void)text_copy(v->name, sizeof(v->name), name);
    (void)text_copy(v->token, sizeof(v->token), token);
    (void)text_copy(v->boot, sizeof(v->boot), r->boot);
    app_say(a->serve->app, "agent %s reports", name);
    return v;
}

/* Whose report it is; NULL: it was refused. */
static struct vantage *admit(struct agents *a, const struct api_call *c,
                             const struct agent_report *r)
{
    const char *name = *r->vantage ? r->vantage : c->who.name;
    const struct vantage *other = other_name(a, c->who.name, name);
    struct vantage *v = find(a, name);

    if (is_ourselves(a->serve, name)) {
        api_refuse(c->x, 409, "usage",
                   "%s is this server's own vantage point: give the agent "
                   "another --name",
                   name);
    } else if (!agent_name_ok(name)) {
        api_refuse(c->x, 400, "usage",
                   "the token is called \"%s\", which is no name for a vantage "
                   "point: give the agent a --name",
                   name);
    } else if (other) {
        api_refuse(c->x, 409, "usage",
                   "an agent with this token reports as %s, and a token has one vote: make one for "
                   "each agent with: trine token create NAME --scope agent",
                   other->name);
    } else if (v && strcmp(v->token, c->who.name) != 0 && !is_silent(a, v)) {
        api_refuse(c->x, 409, "usage",
                   "the agent with token %s reports as %s already: give this "
                   "one another --name",
                   v->token, name);
    } else if (v && strcmp(v->boot_before, r->boot) == 0) {
        api_refuse(c->x, 409, "usage",
                   "another agent has begun to report as %s: end one of them, "
                   "or give each a --name of its own",
                   name);
    } else if (!v && a->n == AGENTS_MAX) {
        api_refuse(c->x, 503, "no", "%d agents report already, and more cannot vote", AGENTS_MAX);
    } else {
        if (!v)
            return begin(a, name, c->who.name, r);
        (void)text_copy(v->token, sizeof(v->token), c->who.name);
        return v;
    }
    return NULL;
}

/* --- The assignment -----------------------------------------------------------------------------
 */

/* Made anew when something has changed. -1: *e, and the one before stays. */
static int assign(struct agents *a, struct err *e)
{
    struct serve *s = a->serve;
    struct targets targets = {0};

    if (a->fresh)
        return 0;
    if (targets_build(s->app, &s->setup->matrix, &targets, e) < 0) {
        targets_release(&targets);
        return -1;
    }
    assignment_release(&a->assignment);
    assignment_make(s->setup->manifest, s->app->redactor, &targets, &a->assignment);
    a->fresh = true;
    targets_release(&targets);
    return 0;
}

void agent_assignment_get(struct api_call *c)
{
    struct serve *s = c->arg;
    struct buf b = BUF_INIT(16 << 20);
    struct err e = ERR_INIT;

    if (assign(s->agents, &e) < 0) {
        api_refuse_err(c->x, &e);
        return;
    }
    buf_add(&b, buf_str(&s->agents->assignment.json), s->agents->assignment.json.len);
    serve_redact(s, &b);
    api_answer_json(c->x, 200, &b);
    buf_release(&b);
}

/* --- Reports ------------------------------------------------------------------------------------
 */

struct reporting {
    struct agents *agents;
    struct http_exchange *x; /* NULL: nobody waits any more */
    struct arena arena;
    char name[AGENT_NAME_MAX + 1];
    struct agent_report report;
    char refused[256];
    bool stored;
};

static bool in_doubt(const struct serve *s, const struct assigned_check *c)
{
    const struct manifest *m = s->setup->manifest;

    for (size_t i = 0; s->router && i < m->n_routes; i++) {
        const struct failover_standing *t = NULL;
        if (strcmp(m->routes[i].app, c->app) == 0 && strcmp(m->routes[i].check, c->check) == 0)
            t = router_standing(s->router, m->routes[i].name, c->environment);
        if (t && t->state == TRAFFIC_SUSPECT)
            return true;
    }
    return false;
}

static int awake_of(const struct serve *s, const struct assigned_check *c)
{
    const struct watch_check *k = watch_find(s->watch, c->series);
    enum awake awake = k && k->sleeps ? watch_awake(s->watch, k) : AWAKE_UNKNOWN;

    return awake == AWAKE_UNKNOWN ? -1 : awake == AWAKE_YES;
}

/* What to do next; only the checks of which there is something to say. */
static void order(struct reporting *g, struct agent_answer *ret)
{
    const struct agents *a = g->agents;
    struct agent_order *list = arena_array(&g->arena, a->assignment.n + 1, sizeof(*list));

    ret->next_ms = AGENT_REPORT_MS;
    ret->orders = list;
    for (size_t i = 0; i < a->assignment.n; i++) {
        const struct assigned_check *c = &a->assignment.checks[i];
        bool doubt = in_doubt(a->serve, c);
        int awake = awake_of(a->serve, c);
        if (doubt)
            ret->next_ms = AGENT_REPORT_FAST_MS;
        if (doubt || awake >= 0)
            list[ret->n_orders++] = (struct agent_order){.check = c->series,
                                                         .every_ms = doubt ? FAST_MS : 0,
                                                         .for_ms = doubt ? FAST_FOR_MS : 0,
                                                         .awake = awake};
    }
    for (size_t i = 0; i < g->report.n_votes; i++)
        if (g->report.votes[i].state == HEALTH_SUSPECT)
            ret->next_ms = AGENT_REPORT_FAST_MS;
}

static void answer(struct reporting *g)
{
    struct vantage *v = find(g->agents, g->name);
    struct agent_answer n = {.assignment = g->agents->assignment.version, .refused = g->refused};
    struct buf b = BUF_INIT(API_BODY_MAX);

    order(g, &n);
    if (v) {
        v->interval_ms = n.next_ms;
        n.clock_off_ms = v->clock_off_ms;
    }
    agent_answer_write(&n, &b);
    api_answer_json(g->x, 200, &b);
    buf_release(&b);
}

static int store_batch(struct store *store, void *arg, struct err *e)
{
    struct reporting *g = arg;
    const struct observation_report r = {.vantage = g->name,
                                         .boot = g->report.batch_boot,
                                         .sequence = g->report.sequence,
                                         .samples = g->report.samples,
                                         .n = g->report.n_samples};

    return observation_add(store, &r, &g->stored, e);
}

static void reporting_free(struct reporting *g)
{
    arena_release(&g->arena);
    free(g);
}

static void batch_stored(const struct err *e, void *arg)
{
    struct reporting *g = arg;

    if (g->x && e)
        api_refuse_err(g->x, e);
    else if (g->x)
        answer(g);
    reporting_free(g);
}

static void left(void *arg)
{
    struct reporting *g = arg;

    g->x = NULL;
}

/* Whether it may vote, after this report; what is refused is told it in words. */
static void weigh(struct vantage *v, struct reporting *g)
{
    int64_t off = v->clock_off_ms < 0 ? -v->clock_off_ms : v->clock_off_ms;

    if (off > AGENT_CLOCK_OFF_MS) {
        judge(v, false, "its clock is %s by %lld s", v->clock_off_ms < 0 ? "behind" : "ahead",
              (long long)(off / 1000));
        (void)snprintf(g->refused, sizeof(g->refused),
                       "this machine's clock is %s the server's by %lld s: its votes do not count "
                       "and what it measures is dropped; set the clock, and keep it right with NTP "
                       "(timedatectl set-ntp true)",
                       v->clock_off_ms < 0 ? "behind" : "ahead of", (long long)(off / 1000));
    } else if (g->report.blind) {
        judge(v, false, "its control targets do not answer it: its own uplink is cut");
    } else {
        judge(v, true, "%s", "");
    }
}

static void note(const struct agents *a, struct vantage *v, const struct agent_report *r)
{
    const struct clock *clock = &a->serve->app->clock;

    if (strcmp(v->boot, r->boot) != 0) {
        (void)text_copy(v->boot_before, sizeof(v->boot_before), v->boot);
        (void)text_copy(v->boot, sizeof(v->boot), r->boot);
    }
    (void)text_copy(v->version, sizeof(v->version), r->version);
    v->seen_ms = clock_mono_ms(clock);
    v->seen_at = clock_wall_ms(clock);
    v->clock_off_ms = r->now_ms - v->seen_at;
    v->waiting = r->waiting;
    v->dropped = r->dropped;
    v->checks = r->n_votes;
}

static void take(struct agents *a, const struct api_call *c, struct vantage *v, struct reporting *g)
{
    bool was = v->valid, first = v->seen_ms == 0;

    note(a, v, &g->report);
    (void)text_copy(g->name, sizeof(g->name), v->name);
    weigh(v, g);
    if (v->valid != was || (first && !v->valid))
        app_say(a->serve->app, v->valid ? "agent %s votes%s" : "agent %s does not vote: %s",
                v->name, v->why);
    vote_self(a, v);
    vote_checks(a, v, &g->report);
    g->x = c->x;
    if (*g->refused || g->report.sequence == 0) {
        answer(g);
        reporting_free(g);
        return;
    }
    http_exchange_on_gone(c->x, left, g);
    store_worker_do(a->ledger, "agents: report", store_batch, batch_stored, g);
}

void agent_report_post(struct api_call *c)
{
    struct serve *s = c->arg;
    struct agents *a = s->agents;
    struct reporting *g = mem_alloc(sizeof(*g));
    struct err e = ERR_INIT;
    size_t len = 0;
    const char *body = http_exchange_body(c->x, &len);

    *g = (struct reporting){.agents = a};
    if (assign(a, &e) < 0 || agent_report_read(body, len, &g->arena, &g->report, &e) < 0) {
        api_refuse_err(c->x, &e);
        reporting_free(g);
        return;
    }
    struct vantage *v = admit(a, c, &g->report);
    if (v)
        take(a, c, v, g);
    else
        reporting_free(g);
}

/* --- Showing them -------------------------------------------------------------------------------
 */

static void put_agent(struct json_out *o, const struct vantage *v)
{
    out_open(o, '{');
    out_text_of(o, "name", v->name);
    out_text_of(o, "token", v->token);
    out_time_of(o, "seen_at", v->seen_at);
    out_key(o, "valid"), out_flag(o, v->valid);
    out_text_of(o, "why", v->why);
    out_int_of(o, "clock_off_ms", v->clock_off_ms);
    out_int_of(o, "checks", (int64_t)v->checks);
    out_int_of(o, "waiting", v->waiting);
    out_int_of(o, "dropped", v->dropped);
    out_text_of(o, "version", v->version);
    out_close(o, '}');
}

void agents_get(struct api_call *c)
{
    const struct serve *s = c->arg;
    struct buf b = BUF_INIT(1 << 20);
    struct json_out o = {.b = &b};

    out_open(&o, '{');
    out_key(&o, "agents");
    out_open(&o, '[');
    for (size_t i = 0; i < s->agents->n; i++)
        put_agent(&o, s->agents->list[i]);
    out_close(&o, ']');
    out_close(&o, '}');
    serve_redact(s, &b);
    api_answer_json(c->x, 200, &b);
    buf_release(&b);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

struct agents *agents_new(struct serve *s)
{
    struct agents *a = mem_alloc(sizeof(*a));

    *a = (struct agents){.serve = s};
    a->ledger = store_worker_new(s->app->loop, s->app->state, &s->app->clock);
    a->look = timer_new(s->app->loop, look, a);
    timer_start(a->look, LOOK_MS);
    return a;
}

void agents_refresh(struct agents *a)
{
    if (a)
        a->fresh = false;
}

size_t agents_pending(const struct agents *a)
{
    return a ? store_worker_pending(a->ledger) : 0;
}

void agents_free(struct agents *a)
{
    if (!a)
        return;
    store_worker_free(a->ledger);
    timer_free(a->look);
    for (size_t i = 0; i < a->n; i++)
        free(a->list[i]);
    assignment_release(&a->assignment);
    free(a);
}
