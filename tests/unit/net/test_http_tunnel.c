#include "net/http_server.h"
#include "net/stream.h"

#include "net/loop.h"
#include "test.h"

#include <signal.h>
#include <stdlib.h>

enum { GUARD_MS = 20000, MUCH = 1 << 20 };

static const char request[] = "GET /t HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\n"
                              "Connection: Upgrade\r\n\r\n";

/* A server that echoes through a tunnel and the stream that talks to it, on one loop. */
struct world {
    struct loop *loop;
    struct http_server *server;
    struct dialer *dialer;
    struct stream *stream;
    struct http_tunnel *tunnel;
    int opened, gone, ended;
    bool close_when_opened, later;
    struct http_exchange *waiting;
    struct timer *timer;
    size_t echoed;
    char heard[4096];
    size_t heard_len, stop_at;
    bool stop_when_gone;
};

/* ---- the server's side ---- */

static void tunnel_opened(void *arg)
{
    struct world *w = arg;

    w->opened++;
    if (w->close_when_opened) {
        http_tunnel_send(w->tunnel, "bye", 3);
        http_tunnel_close(w->tunnel);
    }
}

static void tunnel_received(const void *data, size_t len, void *arg)
{
    struct world *w = arg;

    w->echoed += len;
    http_tunnel_send(w->tunnel, data, len);
}

static void tunnel_gone(void *arg)
{
    struct world *w = arg;

    w->gone++;
    w->tunnel = NULL;
    if (w->stop_when_gone)
        loop_stop(w->loop);
}

static const struct http_tunnel_events tunnel_events = {tunnel_opened, tunnel_received,
                                                        tunnel_gone};

static void upgrade(void *arg)
{
    struct world *w = arg;

    http_exchange_set(w->waiting, "X-Mark", "m");
    w->tunnel = http_exchange_upgrade(w->waiting, "echo", &tunnel_events, w);
}

static void handle(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    if (!http_exchange_header(x, "Upgrade")) {
        http_exchange_answer(x, 200, "text/plain", "plain", 5);
        return;
    }
    w->waiting = x;
    if (w->later)
        timer_start(w->timer, 5);
    else
        upgrade(w);
}

/* ---- the client's side ---- */

static void opened(void *arg)
{
    struct world *w = arg;

    stream_send(w->stream, request, sizeof request - 1);
    stream_send(w->stream, "early", 5); /* right behind the head, before the answer */
}

static void received(const void *data, size_t len, void *arg)
{
    struct world *w = arg;
    size_t room = sizeof w->heard - 1 - (w->heard_len < sizeof w->heard ? w->heard_len : 0);

    if (w->heard_len < sizeof w->heard - 1)
        memcpy(w->heard + w->heard_len, data, len < room ? len : room);
    w->heard_len += len;
    if (w->stop_at && w->heard_len >= w->stop_at)
        loop_stop(w->loop);
}

static void ended(const struct err *e, void *arg)
{
    struct world *w = arg;

    (void)e;
    w->ended++;
    stream_free(w->stream);
    w->stream = NULL;
    loop_stop(w->loop);
}

static const struct stream_events events = {opened, received, ended};

static void over(void *arg)
{
    test_report(0, "it happened in time", __FILE__, __LINE__);
    loop_stop(arg);
}

static void run(struct world *w)
{
    struct timer *guard = timer_new(w->loop, over, w->loop);

    timer_start(guard, GUARD_MS);
    loop_run(w->loop);
    timer_free(guard);
}

static void begin(struct world *w)
{
    struct http_server_options o = {.address = "127.0.0.1"};
    struct err e = ERR_INIT;

    w->loop = loop_new(NULL);
    w->timer = timer_new(w->loop, upgrade, w);
    w->server = http_server_new(w->loop, &o, handle, w, &e);
    w->dialer = dialer_new(w->loop, NULL);

    struct stream_options s = {
        .host = "127.0.0.1", .port = http_server_port(w->server), .max_unsent = 8 << 20};

    w->stream = stream_open(w->dialer, &s, &events, w);
}

static void end(struct world *w)
{
    stream_free(w->stream);
    http_server_free(w->server);
    dialer_free(w->dialer);
    timer_free(w->timer);
    loop_free(w->loop);
    CHECK(w->gone == 1 && w->tunnel == NULL);
}

/* ---- the tests ---- */

static bool heard_head(const struct world *w)
{
    return strncmp(w->heard, "HTTP/1.1 101 ", 13) == 0 && strstr(w->heard, "Upgrade: echo\r\n") &&
           strcasestr(w->heard, "Connection: Upgrade\r\n") && strstr(w->heard, "X-Mark: m\r\n");
}

static void wait_for_echo(struct world *w, const char *text)
{
    while (!strstr(w->heard, text) && !w->ended) {
        w->stop_at = w->heard_len + 1;
        run(w);
    }
}

static void bytes_pass_both_ways_after_the_switch(void)
{
    for (int later = 0; later <= 1; later++) {
        struct world w = {.later = later};

        begin(&w);
        wait_for_echo(&w, "\r\n\r\nearly");
        CHECK(heard_head(&w) && w.opened == 1);
        stream_send(w.stream, " and late", 9);
        wait_for_echo(&w, "early and late");
        CHECK(w.echoed == 14);
        end(&w);
    }
}

static void much_comes_back_whole(void)
{
    static char much[MUCH];
    struct world w = {0};

    begin(&w);
    wait_for_echo(&w, "early");
    w.stop_at = w.heard_len + MUCH;
    stream_send(w.stream, much, sizeof much);
    run(&w);
    CHECK(w.heard_len == w.stop_at && w.echoed == MUCH + 5);
    end(&w);
}

static void a_close_sends_what_is_left_first(void)
{
    struct world w = {.close_when_opened = true};

    begin(&w);
    run(&w); /* until the stream ended */
    CHECK(w.ended == 1 && strstr(w.heard, "\r\n\r\nbye") && w.echoed == 0);
    w.stop_when_gone = true;
    if (!w.gone)
        run(&w);
    end(&w);
}

static void a_peer_that_leaves_is_noticed(void)
{
    struct world w = {.stop_when_gone = true};

    begin(&w);
    wait_for_echo(&w, "early");
    stream_free(w.stream);
    w.stream = NULL;
    run(&w);
    CHECK(w.gone == 1);
    end(&w);
}

/* The server is freed after 0, 1, 2, ... turns of the loop. */
static void the_server_can_be_freed_at_any_time(void)
{
    for (int turns = 0; turns < 16; turns++) {
        struct world w = {.later = turns % 2 != 0};
        bool begun;

        begin(&w);
        for (int i = 0; i < turns && w.heard_len == 0; i++)
            uv_run(loop_uv(w.loop), UV_RUN_ONCE);
        begun = w.tunnel != NULL;
        timer_stop(w.timer);
        stream_free(w.stream);
        http_server_free(w.server);
        dialer_free(w.dialer);
        timer_free(w.timer);
        loop_free(w.loop);
        CHECK(w.gone == (begun ? 1 : 0));
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    bytes_pass_both_ways_after_the_switch();
    much_comes_back_whole();
    a_close_sends_what_is_left_first();
    a_peer_that_leaves_is_noticed();
    the_server_can_be_freed_at_any_time();
    return DONE();
}
