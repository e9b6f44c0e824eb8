#include "traffic/haproxy_inner.h"

#include "base/mem.h"
#include "net/local.h"
#include "net/loop.h"
#include "net/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * How a plan comes into force. Who answers on the runtime socket? Ours with the same configuration:
 * adopt it. Somebody else: refuse. Nobody, or ours with another configuration: the program is found
 * and new enough, the configuration is written beside the one in force and checked by HAProxy, and
 * then it is started, or reloaded. Each step ends in the next one or in fail().
 */
enum {
    CHECK_MS = 60000, /* names are looked up while it starts */
    LOOK_MS = 10,
    ANSWER_MS = 15000, /* from the start or the reload until it answers */
    FIRST_PAUSE_MS = 50,
    FEW_CONNECTIONS = 2000, /* below this it is said: a page of a browser takes up to six */
};

#define ANOTHER_PROGRAM "%s belongs to another program: end it, or choose another folder"

void wanted_free(struct wanted *w)
{
    if (!w)
        return;
    arena_release(&w->memory);
    free(w);
}

/* --- Ends -------------------------------------------------------------------------------------*/

static void attempt(void *arg)
{
    haproxy_next(arg);
}

static void again_later(struct haproxy *h)
{
    if (!h->step_timer)
        h->step_timer = timer_new(h->loop, attempt, h);
    timer_start(h->step_timer, h->pause_ms);
    h->pause_ms = h->pause_ms < FIRST_PAUSE_MS ? FIRST_PAUSE_MS : h->pause_ms * 2;
    if (h->pause_ms > PAUSE_MAX_MS)
        h->pause_ms = PAUSE_MAX_MS;
}

static void tell(struct wanted *w, const struct err *e)
{
    haproxy_done_fn *done = w->done;

    w->done = NULL;
    if (done)
        done(e, w->arg);
}

/* Something runs as before: the plan is dropped. Nothing runs: it is tried again. */
static void fail(struct haproxy *h, const struct err *e)
{
    struct wanted *w = h->queue;
    bool runs = h->force && h->force != w && h->up;

    h->busy = h->switching = false;
    unlink(h->fresh);
    if (runs) {
        h->queue = w->next;
        haproxy_set_paths(h, h->force->plan->dir);
        haproxy_set_state(h, HAPROXY_RUNNING, "");
        haproxy_say(h, "HAProxy goes on as it was: %s", e->text);
        tell(w, e);
        wanted_free(w);
        haproxy_steer_next(h);
        if (h->queue)
            haproxy_next(h);
        return;
    }
    haproxy_set_state(h, e->kind == ERR_NET ? HAPROXY_LOST : HAPROXY_REFUSED, e->text);
    haproxy_steer_fail(h, e);
    again_later(h);
    tell(w, e);
}

static void say_few_connections(struct haproxy *h, const struct haproxy_identity *id)
{
    if (id->connections_max > 0 && id->connections_max < FEW_CONNECTIONS)
        haproxy_say(
            h,
            "HAProxy takes only %lld connections at once, others wait: two open files each, "
            "and the limit of this process is low; raise it before trine serve starts "
            "(ulimit -n 40100, or LimitNOFILE=40100 in its unit)",
            (long long)id->connections_max);
}

static void in_force(struct haproxy *h, const struct haproxy_identity *id, bool adopted)
{
    struct wanted *w = h->queue;

    h->busy = h->switching = false;
    h->queue = w->next;
    w->next = NULL;
    if (h->force != w)
        wanted_free(h->force);
    h->force = w;
    h->worker = id->pid;
    h->master = haproxy_read_master(h);
    h->up = true;
    h->running_since_ms = h->looked_ms = haproxy_now_ms(h);
    unlink(h->fresh);
    file_write_atomic(h->servers_state, "1\n", 2, 0600, &(struct err){0});
    haproxy_say(h, adopted ? "adopted the HAProxy that runs (pid %lld)" : "HAProxy runs (pid %lld)",
                (long long)h->master);
    say_few_connections(h, id);
    haproxy_poll_begin(h);
    haproxy_steer_again(h);
    haproxy_set_state(h, HAPROXY_RUNNING, "");
    tell(w, NULL);
    haproxy_steer_next(h);
    if (h->queue)
        haproxy_next(h);
}

/* --- Waiting until it answers -----------------------------------------------------------------*/

static void look(void *arg);

static void look_later(struct haproxy *h)
{
    timer_free(h->step_timer);
    h->step_timer = timer_new(h->loop, look, h);
    timer_start(h->step_timer, LOOK_MS);
}

/* A reload that failed leaves the old worker, and its configuration is put back. */
static void not_taken(struct haproxy *h)
{
    struct err e;

    if (h->reloading && rename(h->last, h->config) != 0)
        haproxy_say(h, "cannot put back %s", h->config);
    err_set(&e, ERR_NET, "HAProxy did not %s within %d s; see its state with: haproxy -c -f %s",
            h->reloading ? "take the new configuration" : "answer", ANSWER_MS / 1000, h->config);
    e.retry = true;
    fail(h, &e);
}

static void looked(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    struct haproxy_identity id;
    struct err bad;

    (void)len;
    h->ask = NULL;
    if (e->kind == ERR_NONE && haproxy_identity_read(reply, &id, &bad) == 0 &&
        !strcmp(id.hash, h->queue->hash) && id.pid != h->old_worker)
        in_force(h, &id, false);
    else if (haproxy_now_ms(h) > h->deadline_ms)
        not_taken(h);
    else
        look_later(h);
}

static void ask(struct haproxy *h, const char *socket, const char *text, local_done_fn *fn)
{
    struct local_question q = {
        .path = socket, .text = text, .max_reply = REPLY_MAX, .timeout_ms = ASK_MS};

    h->ask = local_ask(h->loop, &q, fn, h);
}

static void look(void *arg)
{
    struct haproxy *h = arg;

    timer_free(h->step_timer);
    h->step_timer = NULL;
    ask(h, h->admin, "show info\n", looked);
}

static void wait_for_answer(struct haproxy *h)
{
    h->deadline_ms = haproxy_now_ms(h) + ANSWER_MS;
    look_later(h);
}

/* --- Starting ---------------------------------------------------------------------------------*/

static void started(struct haproxy *h, const struct process_result *r)
{
    char words[300];
    struct err e;

    if (r->err.kind == ERR_NONE && r->exit_status == 0) {
        wait_for_answer(h);
        return;
    }
    haproxy_words(r, words, sizeof words);
    err_set(&e, ERR_NO, "HAProxy does not start: %s",
            r->err.kind != ERR_NONE ? r->err.text : words);
    fail(h, &e);
}

static int into_place(struct haproxy *h, struct err *e)
{
    int code;

    rename(h->config, h->last); /* there may be none */
    if (rename(h->fresh, h->config) == 0)
        return 0;
    code = errno;
    rename(h->last, h->config);
    return err_errno(e, ERR_STORE, code, "cannot rename %s", h->fresh);
}

/* A stale state of the servers would stand above the orders: it is emptied. */
static void start(struct haproxy *h)
{
    const char *const args[] = {
        "-W", "-D", "-f", h->config, "-p", h->pid_file, "-S", h->master_argument, NULL};
    const struct haproxy_plan *p = h->queue->plan;
    struct err e;

    for (size_t i = 0; i < p->n_routes; i++)
        if (haproxy_port_check(p->routes[i].listen, &e) != 0) {
            err_wrap(&e, "route %s", p->routes[i].name);
            fail(h, &e);
            return;
        }
    if (file_write_atomic(h->servers_state, "1\n", 2, 0600, &e) != 0 || into_place(h, &e) != 0) {
        fail(h, &e);
        return;
    }
    snprintf(h->master_argument, sizeof h->master_argument, "%s,mode,600", h->master_socket);
    h->reloading = false;
    h->old_worker = 0;
    haproxy_run(h, args, CHECK_MS, started);
}

/* --- Reloading --------------------------------------------------------------------------------*/

static void told_master(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;

    (void)reply, (void)len;
    h->ask = NULL;
    /* It becomes another program at once and says nothing: only a master that is not there counts.
     */
    if (e->kind == ERR_NET && (e->code == ECONNREFUSED || e->code == ENOENT)) {
        rename(h->last, h->config);
        h->up = h->up && haproxy_read_master(h); /* dead: this plan is started, not dropped */
        fail(h, e);
        return;
    }
    wait_for_answer(h);
}

/* Is `listen` in the configuration in force? Then HAProxy has it, and hands it over. */
static bool listens_already(const struct haproxy *h, const char *address)
{
    struct buf text = BUF_INIT(CONFIG_MAX);
    char *want = mem_printf("\n  bind %s", address);
    const char *at = NULL;

    if (buf_read_file(&text, h->config, &(struct err){0}) == 0)
        at = strstr(buf_str(&text), want);
    at = at && strchr(" \n", at[strlen(want)]) ? at : NULL;
    free(want);
    buf_release(&text);
    return at != NULL;
}

/* What HAProxy itself has found out of the servers goes over to its next process. */
static void dumped(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    const struct haproxy_plan *p = h->queue->plan;
    struct err bad = *e;

    h->ask = NULL;
    for (size_t i = 0; bad.kind == ERR_NONE && i < p->n_routes; i++)
        if (!listens_already(h, p->routes[i].listen) &&
            haproxy_port_check(p->routes[i].listen, &bad) != 0)
            err_wrap(&bad, "route %s", p->routes[i].name);
    if (bad.kind != ERR_NONE || file_write_atomic(h->servers_state, reply, len, 0600, &bad) != 0 ||
        into_place(h, &bad) != 0) {
        fail(h, &bad);
        return;
    }
    h->reloading = true;
    ask(h, h->master_socket, "reload\n", told_master);
}

/* --- Written and checked ----------------------------------------------------------------------*/

static void checked(struct haproxy *h, const struct process_result *r)
{
    char words[300];
    struct err e;

    if (r->err.kind == ERR_NONE && r->exit_status == 0) {
        h->switching = true;
        if (h->old_worker)
            ask(h, h->admin, "show servers state\n", dumped);
        else
            start(h);
        return;
    }
    haproxy_words(r, words, sizeof words);
    err_set(&e, ERR_USAGE, "HAProxy refuses the configuration %s: %s", h->config,
            r->err.kind != ERR_NONE ? r->err.text : words);
    fail(h, &e);
}

static int write_fresh(struct haproxy *h, struct err *e)
{
    const struct haproxy_plan *p = h->queue->plan;
    struct haproxy_shape shape = {.hash = h->queue->hash};
    struct buf text = BUF_INIT(CONFIG_MAX);
    struct haproxy_order *orders;
    int bad;

    for (size_t i = 0; i < p->n_routes; i++) {
        const char *certificate = p->routes[i].certificate;

        if (certificate && *certificate && access(certificate, R_OK) != 0)
            return err_errno(e, ERR_USAGE, errno, "route %s: cannot read the certificate %s",
                             p->routes[i].name, certificate);
    }
    if (p->ca_file && access(p->ca_file, R_OK) != 0)
        return err_errno(e, ERR_USAGE, errno, "cannot read the trust anchors %s", p->ca_file);
    orders = haproxy_kept_orders(h, &shape.n_orders);
    shape.orders = orders;
    haproxy_config_write(p, &shape, &text);
    bad = buf_over(&text)
              ? err_set(e, ERR_USAGE, "the router's configuration is over %d bytes", CONFIG_MAX)
              : 0;
    if (!bad)
        bad = dir_make(p->dir, e) != 0 ||
              file_write_atomic(h->fresh, buf_str(&text), text.len, 0600, e) != 0;
    free(orders);
    buf_release(&text);
    return bad ? -1 : 0;
}

static void write_and_check(struct haproxy *h)
{
    const char *const args[] = {"-c", "-f", h->fresh, NULL};
    struct err e;

    if (write_fresh(h, &e) != 0)
        fail(h, &e);
    else
        haproxy_run(h, args, CHECK_MS, checked);
}

static void told_version(struct haproxy *h, const struct process_result *r)
{
    int version = r->err.kind == ERR_NONE ? haproxy_version_read(r->out) : -1;
    struct err e;

    if (version >= VERSION_LEAST) {
        h->version_known = true;
        write_and_check(h);
        return;
    }
    if (r->err.kind != ERR_NONE)
        err_set(&e, ERR_NO, "%s cannot be run: %s", h->program, r->err.text);
    else if (version < 0)
        err_set(&e, ERR_NO, "%s is not HAProxy: its -v does not tell a version", h->program);
    else
        err_set(&e, ERR_NO, "%s is version %d.%d: 2.6 or newer is needed", h->program,
                version / 1000, version % 1000);
    fail(h, &e);
}

static void need_program(struct haproxy *h)
{
    const char *const args[] = {"-v", NULL};
    struct err e;

    if (h->version_known)
        write_and_check(h);
    else if (haproxy_find_program(h, &e) != 0)
        fail(h, &e);
    else
        haproxy_run(h, args, CHECK_MS, told_version);
}

/* --- Who is there? ----------------------------------------------------------------------------*/

/* Ours, but it does not answer, or its socket is gone: it is ended, and started anew. */
static void end_mute(struct haproxy *h, int64_t master)
{
    haproxy_say(h, "HAProxy (pid %lld) does not answer: it is ended and started again",
                (long long)master);
    if (haproxy_is_ours(h, h->worker))
        kill((pid_t)h->worker, SIGKILL);
    kill((pid_t)master, SIGKILL);
    h->worker = 0;
    timer_free(h->step_timer);
    h->step_timer = NULL;
}

static void nobody(struct haproxy *h, const struct err *e)
{
    int64_t master = haproxy_read_master(h);
    struct err bad;

    if (e->code == EACCES || e->code == EPERM) {
        err_set(&bad, ERR_NO,
                "%s belongs to another user: run trine serve as that one, or choose another folder",
                h->admin);
        fail(h, &bad);
        return;
    }
    if (!master && (e->code == ENOENT || e->code == ECONNREFUSED)) {
        h->worker = h->old_worker = 0;
        need_program(h);
        return;
    }
    if (!master) {
        err_set(&bad, ERR_NO, ANOTHER_PROGRAM, h->admin);
        fail(h, &bad);
        return;
    }
    if (h->mute_since_ms == 0)
        h->mute_since_ms = haproxy_now_ms(h);
    if (haproxy_now_ms(h) - h->mute_since_ms > MUTE_MS)
        end_mute(h, master);
    fail(h, e);
}

static void found(struct haproxy *h)
{
    if (!strcmp(h->found.hash, h->queue->hash)) {
        in_force(h, &h->found, true);
    } else {
        h->old_worker = h->worker = h->found.pid;
        need_program(h);
    }
}

/* What the one before us had ordered is ours now. */
static void learnt(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;

    (void)len;
    h->ask = NULL;
    if (e->kind == ERR_NONE)
        haproxy_learn(h, h->queue->plan, reply);
    found(h);
}

static void answered(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    struct haproxy_identity id;
    char node[80];
    struct err bad;

    (void)len;
    h->ask = NULL;
    if (e->kind == ERR_NET) {
        nobody(h, e);
        return;
    }
    h->mute_since_ms = 0;
    haproxy_node_name(h->queue->plan->project, node);
    if (e->kind != ERR_NONE || haproxy_identity_read(reply, &id, &bad) != 0) {
        err_set(&bad, ERR_NO, ANOTHER_PROGRAM, h->admin);
        fail(h, &bad);
    } else if (strcmp(id.node, node) != 0) {
        err_set(
            &bad, ERR_NO,
            "%s belongs to the HAProxy \"%s\" (pid %lld), which is not this project's (\"%s\"): "
            "it is left alone; end it, or choose another folder",
            h->admin, id.node, (long long)id.pid, node);
        fail(h, &bad);
    } else {
        h->found = id;
        if (h->n_orders == 0)
            ask(h, h->admin, "show stat -1 4 -1\n", learnt);
        else
            found(h);
    }
}

void haproxy_next(struct haproxy *h)
{
    if (h->busy || !h->queue)
        return;
    timer_free(h->step_timer);
    h->step_timer = NULL;
    h->busy = true;
    haproxy_set_paths(h, h->queue->plan->dir);
    if (h->state != HAPROXY_LOST && h->state != HAPROXY_REFUSED)
        haproxy_set_state(h, HAPROXY_STARTING, "");
    ask(h, h->admin, "show info\n", answered);
}

/* --- From outside -----------------------------------------------------------------------------*/

/* The newest of those that have not begun is enough; the older ones are told that it came. */
static void enqueue(struct haproxy *h, struct wanted *w)
{
    struct wanted **at = &h->queue;

    if (*at && h->busy)
        at = &(*at)->next;
    while (*at) {
        struct wanted *old = *at;
        struct err e;

        *at = old->next;
        err_set(&e, ERR_NO, "a newer plan of the traffic came meanwhile");
        tell(old, &e);
        wanted_free(old);
    }
    *at = w;
}

void haproxy_apply(struct haproxy *h, const struct haproxy_plan *p, haproxy_done_fn *done,
                   void *arg)
{
    struct wanted *w;
    struct err e;

    if (haproxy_plan_check(p, &e) != 0) {
        if (!h->force && !h->queue)
            haproxy_set_state(h, HAPROXY_REFUSED, e.text);
        if (done)
            done(&e, arg);
        return;
    }
    w = mem_alloc(sizeof *w);
    w->plan = haproxy_plan_copy(&w->memory, p);
    w->done = done;
    w->arg = arg;
    haproxy_digest(p, w->hash);
    enqueue(h, w);
    haproxy_next(h);
}

void haproxy_look_at_files(struct haproxy *h)
{
    char hash[HASH_TEXT];

    h->looked_ms = haproxy_now_ms(h);
    if (h->busy || h->queue || !h->up)
        return;
    haproxy_digest(h->force->plan, hash);
    if (!strcmp(hash, h->force->hash))
        return;
    haproxy_say(h, "a certificate has changed: HAProxy is told to read it");
    haproxy_apply(h, h->force->plan, NULL, NULL);
}

void haproxy_lost(struct haproxy *h, const struct err *e)
{
    haproxy_poll_end(h);
    if (haproxy_now_ms(h) - h->running_since_ms > CALM_MS)
        h->pause_ms = 0;
    haproxy_set_state(h, HAPROXY_LOST, e->text);
    haproxy_steer_fail(h, e);
    h->master = 0;
    h->up = false;
    if (h->busy)
        return; /* a plan is on its way: it finds nobody, and starts it */
    if (!h->queue) {
        h->queue = h->force;
        h->force = NULL;
    }
    again_later(h);
}
