#pragma once

#include "backend.h"
#include "base/buf.h"
#include "net/loop.h"
#include "traffic/haproxy.h"

#include "../test.h"

#include <ftw.h>

/*
 * A real HAProxy over real backends A, B and C, and the loop that steers it. run_until waits for a
 * condition, and gives up after a time that only a broken program needs.
 */
#define GET "GET /x HTTP/1.1\r\nHost: www.example\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: www.example\r\nContent-Length: 2\r\n\r\nhi"

enum { WORLD_SERVERS = 3, GIVE_UP_MS = 30000 };
struct world {
    struct loop *loop;
    struct haproxy *h;
    char dir[32];
    char listen[32];
    int port;
    struct backend b[WORLD_SERVERS];
    struct haproxy_server servers[WORLD_SERVERS];
    struct haproxy_route route;
    struct haproxy_plan plan;
    bool done, failed;
    struct err err;
    enum haproxy_state state;
    char why[512], said[4096];
    long readings;
};

static inline void world_done(const struct err *e, void *arg)
{
    struct world *w = arg;

    w->done = true;
    w->failed = e != NULL;
    w->err = e ? *e : ERR_INIT;
}

static inline void world_state(enum haproxy_state s, const char *why, void *arg)
{
    struct world *w = arg;

    w->state = s;
    snprintf(w->why, sizeof w->why, "%s", why);
}

static inline void world_said(const char *text, void *arg)
{
    struct world *w = arg;
    size_t n = strlen(w->said);

    printf("# %s\n", text);
    snprintf(w->said + n, sizeof w->said - n, "%s\n", text);
}

static inline void world_read(const struct haproxy_reading *r, size_t n, int64_t at_us, void *arg)
{
    struct world *w = arg;

    (void)r, (void)n, (void)at_us;
    w->readings++;
}

/* One turn of the loop, of a few milliseconds at most. */
static inline void world_tick(void *arg)
{
    loop_stop(arg);
}

static inline void world_turn(struct world *w)
{
    struct timer *t = timer_new(w->loop, world_tick, w->loop);

    timer_start(t, 2);
    loop_run(w->loop);
    timer_free(t);
}

#define run_until(w, condition)                                                                    \
    for (int64_t until_ms = backend_now_ms() + GIVE_UP_MS;                                         \
         !(condition) && backend_now_ms() < until_ms;)                                             \
    world_turn(w)

static inline struct haproxy *world_engine(struct world *w)
{
    struct haproxy_options o = {
        .state = world_state, .reading = world_read, .say = world_said, .arg = w};

    return haproxy_new(w->loop, &o);
}

static inline void world_begin(struct world *w, size_t n_servers)
{
    static const char *const names[] = {"uat", "beta", "preprod"};

    *w = (struct world){.loop = loop_new(NULL), .dir = "/tmp/trine-test-XXXXXX"};
    if (!mkdtemp(w->dir))
        abort();
    w->port = backend_free_port();
    snprintf(w->listen, sizeof w->listen, "127.0.0.1:%d", w->port);
    for (int i = 0; i < WORLD_SERVERS; i++) {
        backend_begin(&w->b[i], names[i]);
        w->servers[i] = (struct haproxy_server){.environment = names[i],
                                                .host = "127.0.0.1",
                                                .port = (uint16_t)w->b[i].port,
                                                .weight = i == 0 ? 90 : 10};
    }
    w->servers[2].weight = 0;
    w->servers[2].backup = true;
    w->route = (struct haproxy_route){.name = "api",
                                      .listen = w->listen,
                                      .certificate = "",
                                      .health = "/health",
                                      .servers = w->servers,
                                      .n_servers = n_servers,
                                      .retry = RETRY_SAFE,
                                      .connect_ms = 1000,
                                      .answer_ms = 1000,
                                      .slow_start_ms = 0,
                                      .errors = 3,
                                      .fast_ms = 100};
    w->plan =
        (struct haproxy_plan){.project = "test", .dir = w->dir, .routes = &w->route, .n_routes = 1};
    w->h = world_engine(w);
}

static inline bool world_apply(struct world *w)
{
    w->done = false;
    haproxy_apply(w->h, &w->plan, world_done, w);
    run_until(w, w->done);
    if (w->failed)
        printf("# %s\n", w->err.text);
    return w->done && !w->failed;
}

static inline bool world_steer(struct world *w, const struct haproxy_order *orders, size_t n)
{
    w->done = false;
    haproxy_steer(w->h, orders, n, world_done, w);
    run_until(w, w->done);
    if (w->failed)
        printf("# %s\n", w->err.text);
    return w->done && !w->failed;
}

static inline struct haproxy_order world_order(const char *environment, int weight,
                                               enum haproxy_mode mode)
{
    return (struct haproxy_order){
        .route = "api", .environment = environment, .weight = weight, .mode = mode};
}

/* All zero when there is none. */
static inline struct haproxy_reading world_reading(struct world *w, const char *environment)
{
    size_t n;
    const struct haproxy_reading *r = haproxy_readings(w->h, &n);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(r[i].environment, environment))
            return r[i];
    return (struct haproxy_reading){0};
}

/* A request to the router while the loop runs nothing: the status, -1 when there was none. */
static inline int world_ask(struct world *w, const char *request, char answer[2048])
{
    return client_ask(w->port, request, answer, 2048);
}

static inline int world_unlink(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static inline void world_end(struct world *w)
{
    w->done = false;
    haproxy_stop(w->h, world_done, w);
    run_until(w, w->done);
    haproxy_free(w->h);
    for (int i = 0; i < WORLD_SERVERS; i++)
        backend_end(&w->b[i]);
    for (int i = 0; i < 3; i++)
        world_turn(w);
    loop_free(w->loop);
    nftw(w->dir, world_unlink, 8, FTW_DEPTH | FTW_PHYS);
}
