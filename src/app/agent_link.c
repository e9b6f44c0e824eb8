#include "app/agent.h"

#include "app/agent_spool.h"
#include "base/json.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

/* What the agent tells the server. One request at a time; batches in their order, each until it
 * arrived; what fails is tried again, later and later. */

enum {
    TIMEOUT_MS = 4000, /* under AGENT_CLOCK_OFF_MS: the time on the way looks like a wrong clock */
    AGAIN_MS = 1000,
    AGAIN_MOST_MS = 10000,
    TOKEN_AGAIN_MOST_MS = 60000,
    MOST_DOUBLINGS = 6,
    REPLY_MAX = 1 << 20,
    HURRY_MS = 20, /* what happens in one tick goes in one report */
};

static void turn_in(struct agent *g, int64_t ms)
{
    timer_start(g->turn, ms);
}

void agent_link_hurry(struct agent *g)
{
    g->urgent = true;
    if (!g->asking && g->failures == 0 && g->worked)
        turn_in(g, HURRY_MS);
}

/* --- Failures -----------------------------------------------------------------------------------
 */

static int64_t pause_after(const struct agent *g, int64_t most)
{
    int doublings = g->failures < MOST_DOUBLINGS ? g->failures : MOST_DOUBLINGS;
    int64_t ms = (int64_t)AGAIN_MS << doublings;

    return ms < most ? ms : most;
}

/* The server's own words, when there are any. */
static void words_of(const struct http_reply *r, struct err *ret)
{
    struct err ignored = ERR_INIT;
    json_t *j = r->status ? json_read(r->body, r->len, "answer", &ignored) : NULL;
    const char *said = json_str(j, "error.text", "");

    if (r->status == 0)
        *ret = r->err;
    else if (*said)
        err_set(ret, ERR_REMOTE, "%s", said);
    else
        err_set(ret, ERR_REMOTE, "HTTP %d; is this address a trine serve?", r->status);
    ret->code = r->status;
    json_decref(j);
}

static bool is_about_token(int status)
{
    return status == 401 || status == 403;
}

static void token_refused(struct agent *g, const struct err *e)
{
    if (!g->worked) {
        err_set(g->end, ERR_REMOTE, "%s refuses the token: %s", g->server, e->text);
        agent_stop(g);
        return;
    }
    agent_say(g, TOPIC_TOKEN,
              "%s no longer takes the token (revoked?): %s; measuring goes on, and what is "
              "measured waits",
              g->server, e->text);
    turn_in(g, pause_after(g, TOKEN_AGAIN_MOST_MS));
}

static void failed(struct agent *g, const struct http_reply *r)
{
    struct err e = ERR_INIT;

    words_of(r, &e);
    if (is_about_token(r->status)) {
        token_refused(g, &e);
    } else {
        agent_say(g, TOPIC_LINK, "%s: %s; what is measured waits, trying again", g->server, e.text);
        turn_in(g, pause_after(g, AGAIN_MOST_MS));
    }
    g->failures++;
}

static void went_well(struct agent *g)
{
    if (g->said_ms[TOPIC_LINK] || g->said_ms[TOPIC_TOKEN])
        app_say(g->app, "%s answers again; %zu batches wait for it", g->server,
                agent_spool_waiting(g->spool));
    g->said_ms[TOPIC_LINK] = g->said_ms[TOPIC_TOKEN] = 0;
    g->failures = 0;
    g->worked = true;
}

/* --- The assignment -----------------------------------------------------------------------------
 */

static void keep(const struct agent *g, const char *text, size_t len)
{
    struct err ignored = ERR_INIT; /* it is fetched again when the server is there */

    (void)file_write_atomic(g->assignment_path, text, len, 0600, &ignored);
}

static void assigned(uint64_t id, const struct http_reply *r, void *agent)
{
    struct agent *g = agent;
    struct agent_assignment a = {0};
    struct err e = ERR_INIT;

    (void)id;
    g->asking = false;
    http_request_release(&g->request);
    if (r->status != 200) {
        failed(g, r);
        return;
    }
    if (agent_assignment_read(r->body, r->len, &a, &e) < 0) {
        agent_say(g, TOPIC_LINK, "%s: %s", g->server, e.text);
        turn_in(g, pause_after(g, AGAIN_MOST_MS));
        g->failures++;
        return;
    }
    went_well(g);
    if (!g->rounds || strcmp(g->rounds->assignment.version, a.version) != 0) {
        agent_probe_begin(g, &a);
        keep(g, r->body, r->len);
    }
    agent_assignment_release(&a);
    g->told = true;
    g->stale = false;
    turn_in(g, 0);
}

static void begin_request(struct agent *g, const char *method, const char *path)
{
    g->request = (struct http_request){.method = method,
                                       .timeout_ms = TIMEOUT_MS,
                                       .connect_ms = TIMEOUT_MS,
                                       .max_reply = REPLY_MAX};
    http_request_url(&g->request, "%s%s", g->server, path);
    http_request_header(&g->request, "Authorization", "Bearer %s", g->token);
    g->asking = true;
}

static void ask_assignment(struct agent *g)
{
    begin_request(g, "GET", "/api/v1/agents/assignment");
    http_send(g->app->http, "", &g->request, 0, assigned, g);
}

/* --- Reports ------------------------------------------------------------------------------------
 */

static void take_answer(struct agent *g, const struct agent_answer *v)
{
    if (*v->refused) {
        g->refused += g->sent > 0;
        agent_say(g, TOPIC_CLOCK, "%s", v->refused);
    } else {
        g->said_ms[TOPIC_CLOCK] = 0;
    }
    if (!g->rounds || strcmp(v->assignment, g->rounds->assignment.version) != 0)
        g->stale = true;
    for (size_t i = 0; i < v->n_orders; i++)
        agent_probe_order(g, &v->orders[i]);
    g->next_ms = v->next_ms;
}

static void answered(struct agent *g, const struct http_reply *r)
{
    struct arena a = ARENA_INIT;
    struct agent_answer v = {0};
    struct err e = ERR_INIT;

    if (agent_answer_read(r->body, r->len, &a, &v, &e) < 0) {
        agent_say(g, TOPIC_LINK, "%s: %s", g->server, e.text);
        turn_in(g, pause_after(g, AGAIN_MOST_MS));
        g->failures++;
        arena_release(&a);
        return;
    }
    went_well(g);
    take_answer(g, &v);
    if (g->sent)
        agent_spool_remove(g->spool, g->sent);
    arena_release(&a);
    bool more = agent_spool_waiting(g->spool) > 0 || g->stale || g->urgent;
    int64_t next = agent_probe_doubts(g) && g->next_ms > AGENT_REPORT_FAST_MS ? AGENT_REPORT_FAST_MS
                                                                              : g->next_ms;
    turn_in(g, more ? HURRY_MS : next);
}

static void reported(uint64_t id, const struct http_reply *r, void *agent)
{
    struct agent *g = agent;

    (void)id;
    g->asking = false;
    http_request_release(&g->request);
    if (r->status == 200) {
        answered(g, r);
        return;
    }
    /* It would be refused for ever, and hold up all that comes after it. */
    if ((r->status == 400 || r->status == 413) && g->sent) {
        agent_spool_remove(g->spool, g->sent);
        g->refused++;
    }
    failed(g, r);
}

static void report(struct agent *g)
{
    struct arena a = ARENA_INIT;
    struct buf batch = BUF_INIT(65536);
    struct agent_report r = {.vantage = g->name ? g->name : "",
                             .boot = g->boot,
                             .version = TRINE_VERSION,
                             .now_ms = clock_wall_ms(&g->app->clock),
                             .blind = g->blind,
                             .dropped = agent_spool_dropped(g->spool) + g->refused};
    struct buf body = BUF_INIT(1 << 20);

    agent_probe_seal(g);
    g->urgent = false;
    g->sent = agent_spool_first(g->spool, &batch);
    r.waiting = (int64_t)agent_spool_waiting(g->spool) - (g->sent > 0);
    r.n_votes = agent_probe_votes(g, &a, &r.votes);
    agent_report_write(&r, g->sent ? buf_str(&batch) : NULL, &body);
    begin_request(g, "POST", "/api/v1/agents/report");
    http_request_header(&g->request, "Content-Type", "application/json");
    http_request_text(&g->request, buf_str(&body), body.len);
    http_send(g->app->http, "", &g->request, 0, reported, g);
    buf_release(&body);
    buf_release(&batch);
    arena_release(&a);
}

void agent_link_turn(void *agent)
{
    struct agent *g = agent;

    if (g->asking)
        return;
    if (g->told && !g->stale) {
        report(g);
        return;
    }
    ask_assignment(g);
}
