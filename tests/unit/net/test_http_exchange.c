#include "net/http_client.h"

#include "net/http_server.h"
#include "net/loop.h"
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <zlib.h>

/* The client against our own server: what takes more than one message. */
struct world {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    char base[64], other[64]; /* the same server by two names */
    int handled, replies;
    uint64_t first, bad, third; /* requests by their ids */
    char seen_method[8], seen_token[16], seen_path[32];
    void *bomb;
    size_t bomb_len;
    int status;
    size_t len;
    struct err err;
    struct http_timing timing;
};

static void redirect(struct http_exchange *x, const struct world *w, const char *path)
{
    char target[128];
    int status = (int)strtol(path + 1, NULL, 10);

    if (strstr(path, "/loop"))
        snprintf(target, sizeof target, "%s%s", w->base, path);
    else if (strstr(path, "/away"))
        snprintf(target, sizeof target, "%s/end", w->other);
    else if (strstr(path, "/file"))
        snprintf(target, sizeof target, "file:///etc/passwd");
    else
        snprintf(target, sizeof target, "/end");
    http_exchange_set(x, "Location", target);
    http_exchange_answer(x, status, NULL, "", 0);
}

static void handle(struct http_exchange *x, void *arg)
{
    struct world *w = arg;
    const char *path = http_exchange_path(x), *token = http_exchange_header(x, "Authorization");

    w->handled++;
    if (path[1] == '3') {
        redirect(x, w, path);
        return;
    }
    snprintf(w->seen_method, sizeof w->seen_method, "%s", http_exchange_method(x));
    snprintf(w->seen_token, sizeof w->seen_token, "%s", token ? token : "-");
    snprintf(w->seen_path, sizeof w->seen_path, "%s", path);
    if (strcmp(path, "/bomb") == 0) {
        const char *accepts = http_exchange_header(x, "Accept-Encoding");

        if (accepts && strcmp(accepts, "identity") != 0)
            http_exchange_set(x, "Content-Encoding", "gzip");
        http_exchange_answer(x, 200, NULL, w->bomb, w->bomb_len);
        return;
    }
    http_exchange_answer(x, 200, NULL, "ok", 2);
}

/* `size` zero bytes under gzip: about a thousandth of it. */
static void make_bomb(struct world *w, size_t size)
{
    z_stream z = {0};
    unsigned char *zeros = calloc(1, size);

    w->bomb = malloc(size / 100 + 1000);
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    z.next_in = zeros;
    z.avail_in = (unsigned)size;
    z.next_out = w->bomb;
    z.avail_out = (unsigned)(size / 100 + 1000);
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    w->bomb_len = z.total_out;
    deflateEnd(&z);
    free(zeros);
}

static void begin(struct world *w)
{
    struct err e = ERR_INIT;

    memset(w, 0, sizeof *w);
    w->loop = loop_new(NULL);
    w->server = http_server_new(w->loop, &(struct http_server_options){.address = "127.0.0.1"},
                                handle, w, &e);
    if (!w->server)
        abort();
    w->client = http_client_new(w->loop, &(struct http_client_options){.user_agent = "t"});
    snprintf(w->base, sizeof w->base, "http://127.0.0.1:%u", http_server_port(w->server));
    snprintf(w->other, sizeof w->other, "http://app.localhost:%u", http_server_port(w->server));
}

static void finish(struct world *w)
{
    http_client_free(w->client);
    http_server_free(w->server);
    loop_free(w->loop);
    free(w->bomb);
}

static void came_back(uint64_t id, const struct http_reply *r, void *arg)
{
    struct world *w = arg;

    (void)id;
    w->replies++;
    w->status = r->status;
    w->len = r->len;
    w->err = r->err;
    w->timing = r->timing;
    loop_stop(w->loop);
}

static void send_and_wait(struct world *w, struct http_request *r)
{
    http_send(w->client, w->base, r, 0, came_back, w);
    loop_run(w->loop);
    http_request_release(r);
}

static void follow(struct world *w, const char *method, const char *url)
{
    struct http_request r = {.method = method, .follow_redirects = true};

    http_request_url(&r, "%s", url);
    http_request_header(&r, "Authorization", "secret");
    if (strcmp(method, "POST") == 0)
        http_request_text(&r, "body", 4);
    send_and_wait(w, &r);
}

static void redirects_are_followed_only_when_asked(void)
{
    struct world w;
    struct http_request r = {.method = "GET"};

    begin(&w);
    http_request_url(&r, "/302/here");
    send_and_wait(&w, &r);
    CHECK(w.status == 302 && w.handled == 1);
    follow(&w, "GET", "/302/here");
    CHECK(w.status == 200 && strcmp(w.seen_path, "/end") == 0);
    CHECK(strcmp(w.seen_token, "secret") == 0);
    finish(&w);
}

static void another_host_never_sees_the_authorization(void)
{
    struct world w;

    begin(&w);
    follow(&w, "GET", "/302/away");
    CHECK(w.status == 200 && strcmp(w.seen_path, "/end") == 0);
    CHECK(strcmp(w.seen_token, "-") == 0);
    finish(&w);
}

static void a_redirected_post_is_repeated_only_by_307(void)
{
    struct world w;

    begin(&w);
    follow(&w, "POST", "/303/here");
    CHECK(w.status == 200 && strcmp(w.seen_method, "GET") == 0);
    follow(&w, "POST", "/307/here");
    CHECK(w.status == 200 && strcmp(w.seen_method, "POST") == 0);
    finish(&w);
}

static void redirects_end(void)
{
    struct world w;

    begin(&w);
    follow(&w, "GET", "/302/loop");
    CHECK(w.status == 0 && w.err.kind == ERR_REMOTE && !w.err.retry);
    CHECK(strstr(w.err.text, "5 times") != NULL && w.handled == 6);
    follow(&w, "GET", "/302/file");
    CHECK(w.status == 0 && w.err.kind != ERR_NONE && !w.err.retry && w.len == 0);
    finish(&w);
}

static void a_compressed_bomb_is_stopped_at_the_limit(void)
{
    struct world w;
    struct http_request r = {.method = "GET"}, small = {.method = "GET"};

    begin(&w);
    make_bomb(&w, 40 << 20);
    http_request_url(&r, "/bomb");
    send_and_wait(&w, &r); /* 40 MiB where 16 are accepted */
    CHECK(w.status == 0 && w.err.kind == ERR_REMOTE && !w.err.retry);
    CHECK(strstr(w.err.text, "longer than") != NULL);
    r = (struct http_request){.method = "GET", .max_reply = 41 << 20};
    http_request_url(&r, "/bomb");
    send_and_wait(&w, &r);
    CHECK(w.status == 200 && w.len == 40 << 20);
    http_request_url(&small, "/bomb");
    http_request_header(&small, "Accept-Encoding", "identity");
    send_and_wait(&w, &small);
    CHECK(w.status == 200 && w.len == w.bomb_len);
    finish(&w);
}

static void connections_are_kept_unless_a_fresh_one_is_asked_for(void)
{
    struct world w;
    struct http_request first = {.method = "GET"}, again = {.method = "GET"},
                        fresh = {.method = "GET", .fresh_connection = true};

    begin(&w);
    http_request_url(&first, "/");
    send_and_wait(&w, &first);
    CHECK(w.status == 200 && w.timing.connect >= 0);
    http_request_url(&again, "/");
    send_and_wait(&w, &again);
    CHECK(w.status == 200 && w.timing.connect == -1 && w.timing.lookup == -1);
    CHECK(w.timing.first_byte >= 0);
    http_request_url(&fresh, "/");
    send_and_wait(&w, &fresh);
    CHECK(w.status == 200 && w.timing.connect >= 0);
    finish(&w);
}

static void count(uint64_t id, const struct http_reply *r, void *arg)
{
    struct world *w = arg;

    (void)r;
    w->replies++;
    if (id == w->bad)
        http_cancel(w->client, w->first); /* another one, and itself, from inside a callback */
    http_cancel(w->client, id);
}

static void a_cancelled_request_never_calls_back(void)
{
    struct world w;
    struct http_request r = {.method = "GET"}, bad = {.method = "GET"};

    begin(&w);
    http_request_url(&r, "/");
    http_request_url(&bad, "nonsense");
    w.first = http_send(w.client, w.base, &r, 0, count, &w);
    w.bad = http_send(w.client, w.base, &bad, 0, count, &w);
    w.third = http_send(w.client, w.base, &r, 0, came_back, &w);
    CHECK(w.first != w.bad && w.bad != w.third && w.first != w.third);
    CHECK(http_in_flight(w.client) == 3);
    loop_run(w.loop);
    CHECK(http_in_flight(w.client) == 0 && w.replies == 2);
    http_cancel(w.client, 99);
    http_send(w.client, w.base, &r, 0, count, &w);
    finish(&w); /* with one in flight */
    CHECK(w.replies == 2);
    http_request_release(&r);
    http_request_release(&bad);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    redirects_are_followed_only_when_asked();
    another_host_never_sees_the_authorization();
    a_redirected_post_is_repeated_only_by_307();
    redirects_end();
    a_compressed_bomb_is_stopped_at_the_limit();
    connections_are_kept_unless_a_fresh_one_is_asked_for();
    a_cancelled_request_never_calls_back();
    return DONE();
}
