#include "net/http_server.h"

#include "net/http_client.h"
#include "net/loop.h"
#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server and a client on one loop; the loop stops when `waiting` requests have come back. */
struct world {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    char base[64];
    int waiting;
    uint64_t id;                /* of the request that is cancelled */
    struct http_exchange *held; /* by handlers that answer later */
    struct timer *timer;
    int gone, steps, handled;
    /* the last reply */
    int status;
    size_t len;
    char body[4096], header[64];
    struct err err;
};

static void begin(struct world *w, const struct http_server_options *o, http_handler_fn *fn)
{
    struct err e = ERR_INIT;

    memset(w, 0, sizeof *w);
    w->loop = loop_new(NULL);
    w->server = http_server_new(w->loop, o, fn, w, &e);
    if (!w->server) {
        printf("# %s\n", e.text);
        abort();
    }
    w->client = http_client_new(w->loop, &(struct http_client_options){.user_agent = "t"});
    snprintf(w->base, sizeof w->base, "http://127.0.0.1:%u", http_server_port(w->server));
}

static void finish(struct world *w)
{
    timer_free(w->timer);
    http_client_free(w->client);
    http_server_free(w->server);
    loop_free(w->loop);
}

static void came_back(uint64_t id, const struct http_reply *r, void *arg)
{
    struct world *w = arg;
    const char *header = http_reply_header(r, "X-Test");

    (void)id;
    w->status = r->status;
    w->len = r->len;
    w->err = r->err;
    snprintf(w->body, sizeof w->body, "%s", r->body);
    snprintf(w->header, sizeof w->header, "%s", header ? header : "");
    if (--w->waiting == 0)
        loop_stop(w->loop);
}

static void send_and_wait(struct world *w, struct http_request *r)
{
    w->waiting = 1;
    http_send(w->client, w->base, r, 0, came_back, w);
    loop_run(w->loop);
    http_request_release(r);
}

static void get(struct world *w, const char *url)
{
    struct http_request r = {.method = "GET"};

    http_request_url(&r, "%s", url);
    send_and_wait(w, &r);
}

static const struct http_server_options local = {.address = "127.0.0.1"};

static void add_pair(const char *name, const char *value, void *arg)
{
    buf_addf(arg, "%s=%s;", name, value);
}

/* Says back everything it was told. */
static void echo(struct http_exchange *x, void *arg)
{
    struct buf b = BUF_INIT(1 << 20);
    struct world *w = arg;
    const char *token = http_exchange_header(x, "x-token");
    size_t len;
    const char *body = http_exchange_body(x, &len);

    w->handled++;
    buf_addf(&b, "%s %s [", http_exchange_method(x), http_exchange_path(x));
    http_exchange_queries(x, add_pair, &b);
    buf_addf(&b, "] %s %zu ", token ? token : "-", len);
    buf_add(&b, body, len);
    http_exchange_set(x, "X-Test", "yes");
    http_exchange_answer(x, 200, "text/plain", b.data, b.len);
    buf_release(&b);
}

static void a_request_arrives_whole(void)
{
    struct world w;
    struct http_request r = {.method = "POST"};

    begin(&w, &local, echo);
    http_request_url(&r, "/a%%2Fb/c%%20d?q=1%%262&empty=&bare&p=x+y&bad=%%zz");
    http_request_header(&r, "X-Token", "t");
    http_request_text(&r, "hello", 5);
    send_and_wait(&w, &r);
    CHECK(w.status == 200 && strcmp(w.header, "yes") == 0);
    CHECK(strcmp(w.body, "POST /a%2Fb/c%20d [q=1&2;empty=;bare=;p=x y;bad=%zz;] t 5 hello") == 0);
    get(&w, "/");
    CHECK(strcmp(w.body, "GET / [] - 0 ") == 0);
    finish(&w);
}

static void many_requests_share_few_connections(void)
{
    enum { N = 1000 };
    struct world w;
    struct http_request *requests = calloc(N, sizeof *requests);

    begin(&w, &local, echo);
    w.waiting = N;
    for (int i = 0; i < N; i++) {
        requests[i].method = "GET";
        http_request_url(&requests[i], "/%d", i);
        http_send(w.client, w.base, &requests[i], 0, came_back, &w);
    }
    loop_run(w.loop);
    CHECK(w.handled == N && w.waiting == 0 && w.status == 200);
    for (int i = 0; i < N; i++)
        http_request_release(&requests[i]);
    free(requests);
    finish(&w);
}

static void bodies_over_the_maximum_are_refused(void)
{
    static const size_t sizes[] = {1000, 1001, 50000, 2000000};
    char *data = calloc(1, 2000000);
    struct http_server_options o = {.address = "127.0.0.1", .max_body = 1000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world w;
        struct http_request r = {.method = "POST"};

        begin(&w, &o, echo);
        http_request_url(&r, "/");
        http_request_text(&r, data, sizes[i]);
        send_and_wait(&w, &r);
        CHECK(w.handled == (sizes[i] <= 1000));
        /* one that is far too large may find the connection closed before it reads the answer */
        CHECK(w.status == (sizes[i] <= 1000 ? 200 : 413) || (i == 3 && w.err.kind == ERR_NET));
        finish(&w);
    }
    free(data);
}

static void answer_held(void *arg)
{
    struct world *w = arg;

    http_exchange_answer(w->held, 202, NULL, "later", 5);
}

static void hold(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    w->held = x;
    w->timer = timer_new(w->loop, answer_held, w);
    timer_start(w->timer, 5);
}

static void an_answer_may_come_later(void)
{
    struct world w;

    begin(&w, &local, hold);
    get(&w, "/");
    CHECK(w.status == 202 && strcmp(w.body, "later") == 0);
    finish(&w);
}

static void step_stream(void *arg)
{
    struct world *w = arg;

    if (w->steps-- == 0) {
        http_exchange_end(w->held);
        return;
    }
    http_exchange_chunk(w->held, "tick ", 5);
    timer_start(w->timer, 2);
}

static void count_gone(void *arg)
{
    struct world *w = arg;

    w->gone++;
    timer_stop(w->timer);
    if (w->waiting == 0)
        loop_stop(w->loop);
}

/* The query's `length` is announced, or chunks are used. */
static void stream(struct http_exchange *x, void *arg)
{
    struct world *w = arg;
    const char *length = http_exchange_query(x, "length");

    w->held = x;
    w->steps = 3;
    w->timer = timer_new(w->loop, step_stream, w);
    http_exchange_on_gone(x, count_gone, w);
    http_exchange_begin(x, 200, "text/plain", length ? strtol(length, NULL, 10) : -1);
    timer_start(w->timer, 2);
}

static void a_body_may_come_in_pieces(void)
{
    static const char *const urls[] = {"/", "/?length=15"};

    for (size_t i = 0; i < 2; i++) {
        struct world w;

        begin(&w, &local, stream);
        get(&w, urls[i]);
        CHECK(w.status == 200 && strcmp(w.body, "tick tick tick ") == 0);
        CHECK(w.gone == 0);
        finish(&w);
    }
}

static void a_body_that_ends_early_is_seen_as_cut(void)
{
    struct world w;

    begin(&w, &local, stream);
    get(&w, "/?length=16");
    CHECK(w.status == 0 && w.err.kind == ERR_NET && w.err.retry);
    finish(&w);
}

static void abort_at_once(struct http_exchange *x, void *arg)
{
    (void)arg;
    http_exchange_abort(x);
}

static void abort_held(void *arg)
{
    struct world *w = arg;

    http_exchange_abort(w->held);
}

static void abort_later(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    w->held = x;
    w->timer = timer_new(w->loop, abort_held, w);
    if (http_exchange_query(x, "begun")) {
        http_exchange_begin(x, 200, "text/plain", -1);
        http_exchange_chunk(x, "half", 4);
    }
    timer_start(w->timer, 3);
}

static void an_aborted_exchange_closes_the_connection(void)
{
    struct world w;

    begin(&w, &local, abort_at_once);
    get(&w, "/");
    CHECK(w.status == 0 && w.err.kind == ERR_NET && w.err.retry);
    finish(&w);
    begin(&w, &local, abort_later);
    get(&w, "/");
    CHECK(w.status == 0 && w.err.kind == ERR_NET && w.err.retry);
    timer_free(w.timer);
    get(&w, "/?begun=1");
    CHECK(w.status == 0 && w.err.kind == ERR_NET && w.err.retry);
    finish(&w);
}

static void cancel_own(void *arg)
{
    struct world *w = arg;

    http_cancel(w->client, w->id);
}

static void hold_for_ever(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    w->held = x;
    http_exchange_on_gone(x, count_gone, w);
    if (http_exchange_query(x, "begun")) {
        http_exchange_begin(x, 200, "text/event-stream", -1);
        http_exchange_chunk(x, "data: 1\n\n", 9);
    }
    w->timer = timer_new(w->loop, cancel_own, w);
    timer_start(w->timer, 3);
}

static void a_peer_that_leaves_is_noticed(void)
{
    static const char *const urls[] = {"/", "/?begun=1"};

    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct http_request r = {.method = "GET"};

        begin(&w, &local, hold_for_ever);
        http_request_url(&r, "%s", urls[i]);
        w.id = http_send(w.client, w.base, &r, 0, came_back, &w);
        loop_run(w.loop); /* until count_gone */
        CHECK(w.gone == 1);
        http_request_release(&r);
        finish(&w);
    }
}

static void stop_soon(void *arg)
{
    struct world *w = arg;

    loop_stop(w->loop);
}

static void hold_and_stop(struct http_exchange *x, void *arg)
{
    struct world *w = arg;

    w->held = x;
    http_exchange_on_gone(x, count_gone, w);
    w->timer = timer_new(w->loop, stop_soon, w);
    timer_start(w->timer, 3);
}

static void a_server_can_be_freed_while_it_owes_answers(void)
{
    struct world w;
    struct http_request r = {.method = "GET"};

    begin(&w, &local, hold_and_stop);
    http_request_url(&r, "/");
    w.waiting = 1;
    http_send(w.client, w.base, &r, 0, came_back, &w);
    loop_run(w.loop);
    http_server_free(w.server);
    CHECK(w.gone == 1);
    w.server = NULL;
    loop_run(w.loop); /* the client sees the connection closed */
    CHECK(w.status == 0 && w.err.kind == ERR_NET && w.err.retry);
    http_request_release(&r);
    finish(&w);
}

static void give_file(struct http_exchange *x, void *arg)
{
    (void)arg;
    if (strcmp(http_exchange_path(x), "/there") == 0)
        http_exchange_answer_file(x, 200, "text/plain", "answer.tmp", 300000);
    else
        http_exchange_answer_file(x, 200, "text/plain", "not-there.tmp", 1);
}

static void a_file_is_an_answer(void)
{
    struct world w;
    struct err e = ERR_INIT;
    char *data = malloc(300000);

    memset(data, 'f', 300000);
    CHECK(file_write_atomic("answer.tmp", data, 300000, 0600, &e) == 0);
    begin(&w, &local, give_file);
    get(&w, "/there");
    CHECK(w.status == 200 && w.len == 300000 && w.body[0] == 'f');
    get(&w, "/missing");
    CHECK(w.status == 500);
    finish(&w);
    unlink("answer.tmp");
    free(data);
}

static void a_taken_port_is_named(void)
{
    struct world w;
    struct err e = ERR_INIT;

    begin(&w, &local, echo);

    struct http_server_options o = {.address = "127.0.0.1", .port = http_server_port(w.server)};

    CHECK(http_server_new(w.loop, &o, echo, &w, &e) == NULL);
    CHECK(e.kind == ERR_NET && e.code != 0 && strstr(e.text, "127.0.0.1") != NULL);
    o.address = "nowhere";
    CHECK(http_server_new(w.loop, &o, echo, &w, &e) == NULL && e.kind == ERR_USAGE);
    finish(&w);
}

static int dial(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        abort();
    return fd;
}

static void garbage_does_not_stop_a_server(void)
{
    static const char *const garbage[] = {
        "",
        "\n",
        "GARBAGE\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
        "GET /?%00&=&&=x HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    struct world w;

    begin(&w, &local, echo);
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        int fd = dial(http_server_port(w.server));
        ssize_t sent = send(fd, garbage[i], strlen(garbage[i]), MSG_NOSIGNAL);

        CHECK(sent == (ssize_t)strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        get(&w, "/alive");
        CHECK(w.status == 200);
        close(fd);
    }
    get(&w, "/alive");
    CHECK(w.status == 200);
    finish(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    a_request_arrives_whole();
    many_requests_share_few_connections();
    bodies_over_the_maximum_are_refused();
    an_answer_may_come_later();
    a_body_may_come_in_pieces();
    a_body_that_ends_early_is_seen_as_cut();
    an_aborted_exchange_closes_the_connection();
    a_peer_that_leaves_is_noticed();
    a_server_can_be_freed_while_it_owes_answers();
    a_file_is_an_answer();
    a_taken_port_is_named();
    garbage_does_not_stop_a_server();
    return DONE();
}
