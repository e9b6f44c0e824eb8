#include "app/event_hub.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Real sockets, so that a reader can stop reading. */
struct world {
    struct loop *loop;
    struct http_server *server;
    struct event_hub *hub;
    struct timer *step;
    bool (*reached)(struct world *w);
    int refused, sent;
    int sockets[HUB_READERS_MAX + 1];
    size_t n;
    char got[65536];
    size_t got_len;
};

static void join(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    if (!event_hub_join(w->hub, x)) {
        w->refused++;
        http_exchange_answer(x, 503, "text/plain", "", 0);
    }
}

/* Looks every few milliseconds; the loop ends once it is so. */
static void look(void *arg)
{
    struct world *w = arg;

    if (w->reached(w))
        loop_stop(w->loop);
    else
        timer_start(w->step, 2);
}

static void run_until(struct world *w, bool (*reached)(struct world *w))
{
    w->reached = reached;
    timer_start(w->step, 0);
    loop_run(w->loop);
}

static void begin(struct world *w)
{
    struct err e = ERR_INIT;

    memset(w, 0, sizeof *w);
    w->loop = loop_new(NULL);
    w->server = http_server_new(w->loop, &(struct http_server_options){.address = "127.0.0.1"},
                                join, w, &e);
    if (!w->server)
        abort();
    w->hub = event_hub_new(w->loop);
    w->step = timer_new(w->loop, look, w);
}

static void finish(struct world *w)
{
    http_server_free(w->server);
    event_hub_free(w->hub);
    timer_free(w->step);
    for (size_t i = 0; i < w->n; i++)
        close(w->sockets[i]);
    loop_free(w->loop);
}

static int connect_reader(struct world *w)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(http_server_port(w->server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1)
        abort();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return w->sockets[w->n++] = fd;
}

static bool all_joined(struct world *w)
{
    return event_hub_readers(w->hub) + (size_t)w->refused == w->n;
}

static bool has_event(struct world *w)
{
    ssize_t n = read(w->sockets[w->n - 1], w->got + w->got_len, sizeof w->got - w->got_len - 1);

    if (n > 0)
        w->got_len += (size_t)n;
    w->got[w->got_len] = '\0';
    return strstr(w->got, "data: [1]\n\n");
}

static void every_reader_is_sent_an_event(void)
{
    struct world w;

    begin(&w);
    connect_reader(&w);
    connect_reader(&w);
    run_until(&w, all_joined);
    CHECK(event_hub_readers(w.hub) == 2);
    event_hub_send(w.hub, "samples", "[1]", 3);
    run_until(&w, has_event);
    CHECK(strstr(w.got, "text/event-stream"));
    CHECK(strstr(w.got, "Cache-Control: no-store"));
    CHECK(strstr(w.got, "event: samples\ndata: [1]\n\n"));
    finish(&w);
}

static bool nobody_is_left(struct world *w)
{
    return event_hub_readers(w->hub) == 0;
}

static void a_reader_that_leaves_is_forgotten(void)
{
    struct world w;

    begin(&w);
    connect_reader(&w);
    run_until(&w, all_joined);
    close(w.sockets[--w.n]);
    run_until(&w, nobody_is_left);
    event_hub_send(w.hub, "samples", "[1]", 3);
    CHECK(event_hub_readers(w.hub) == 0);
    finish(&w);
}

/* More than the kernel's buffers and the bound together. */
static bool sent_too_much(struct world *w)
{
    static char json[65536];

    memset(json, 'x', sizeof json);
    event_hub_send(w->hub, "samples", json, sizeof json);
    return ++w->sent > 400 || event_hub_readers(w->hub) == 0;
}

static void a_reader_that_does_not_read_is_cut_off(void)
{
    struct world w;

    begin(&w);
    connect_reader(&w);
    run_until(&w, all_joined);
    run_until(&w, sent_too_much);
    CHECK(event_hub_readers(w.hub) == 0);
    CHECK(w.sent > HUB_BEHIND_MAX / 65536);
    finish(&w);
}

static void there_is_room_for_so_many_and_no_more(void)
{
    struct world w;

    begin(&w);
    for (int i = 0; i <= HUB_READERS_MAX; i++)
        connect_reader(&w);
    run_until(&w, all_joined);
    CHECK(event_hub_readers(w.hub) == HUB_READERS_MAX && w.refused == 1);
    finish(&w);
}

int main(void)
{
    every_reader_is_sent_an_event();
    a_reader_that_leaves_is_forgotten();
    a_reader_that_does_not_read_is_cut_off();
    there_is_room_for_so_many_and_no_more();
    return DONE();
}
