#include "net/http_client.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/hash.h"
#include "net/loop.h"
#include "peer.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>

/* What came back, copied out of the callback. */
struct outcome {
    int calls, status;
    bool sent;
    struct err err;
    size_t len;
    char body[256], content_type[64], peer[64];
    struct http_timing timing;
};

static void keep_outcome(uint64_t id, const struct http_reply *r, void *arg)
{
    struct outcome *o = arg;
    const char *type = http_reply_header(r, "Content-Type");

    (void)id;
    o->calls++;
    o->status = r->status;
    o->sent = r->sent;
    o->err = r->err;
    o->len = r->len;
    o->timing = r->timing;
    snprintf(o->body, sizeof o->body, "%s", r->body);
    snprintf(o->content_type, sizeof o->content_type, "%s", type ? type : "");
    snprintf(o->peer, sizeof o->peer, "%s", r->peer);
}

/* Sends one request with these options and waits for its end. */
static struct outcome exchange(const struct http_client_options *o, const char *base,
                               const struct http_request *r)
{
    struct loop *loop = loop_new(NULL);
    struct http_client *c = http_client_new(loop, o);
    struct outcome out = {0};

    http_send(c, base, r, 0, keep_outcome, &out);
    if (out.calls != 0)
        out.calls = 100; /* it must never be called from inside http_send */
    loop_run(loop);
    if (http_in_flight(c) != 0)
        out.calls = 200;
    http_client_free(c);
    loop_free(loop);
    return out;
}

static struct outcome get(const struct http_client_options *o, void (*serve)(int, void *),
                          void *arg)
{
    struct peer p;
    struct http_request r = {.method = "GET"};

    http_request_url(&r, "/a/../b?token=hidden");
    peer_start(&p, serve, arg);

    struct outcome out = exchange(o, p.base, &r);

    peer_stop(&p);
    http_request_release(&r);
    return out;
}

static const struct http_client_options defaults = {.user_agent = "trine-test"};

/* Reads the request's head into arg (8192 bytes), then answers. */
static void serve_ok(int fd, void *arg)
{
    peer_read_head(fd, arg, 8192);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Type:  text/plain \r\nContent-Length: 5\r\n\r\nhello");
}

static void an_answer_comes_back_whole(void)
{
    char head[8192];
    struct outcome o = get(&defaults, serve_ok, head);

    CHECK(o.calls == 1);
    CHECK(o.status == 200 && o.err.kind == ERR_NONE && o.sent);
    CHECK(o.len == 5 && strcmp(o.body, "hello") == 0);
    CHECK(strcmp(o.content_type, "text/plain") == 0);
    CHECK(strncmp(o.peer, "127.0.0.1:", 10) == 0);
    CHECK(strncmp(head, "GET /a/../b?token=hidden HTTP/1.1\r\n", 35) == 0);
    CHECK(strstr(head, "User-Agent: trine-test\r\n") != NULL);
    CHECK(o.timing.lookup >= 0 && o.timing.connect >= 0 && o.timing.tls == -1);
    CHECK(o.timing.first_byte >= o.timing.connect && o.timing.total >= o.timing.first_byte);
}

static void serve_reply(int fd, void *arg)
{
    char head[8192];

    peer_read_head(fd, head, sizeof head);
    peer_say(fd, arg);
}

/* A faulty answer, what it is taken for, and whether trying again makes sense. */
static void a_faulty_answer_is_told_by_its_kind(void)
{
    static const struct {
        const char *reply;
        enum err_kind kind;
        bool retry;
    } rows[] = {
        {"", ERR_NET, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ntruncated", ERR_NET, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ERR_NET, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", ERR_NET, true},
        {"SSH-2.0-OpenSSH_9.2p1\r\n", ERR_REMOTE, false},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!",
         ERR_REMOTE, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reply[256];

        snprintf(reply, sizeof reply, "%s", rows[i].reply);

        struct outcome o = get(&defaults, serve_reply, reply);

        CHECK(o.calls == 1 && o.status == 0 && o.len == 0);
        CHECK(o.err.kind == rows[i].kind && o.err.retry == rows[i].retry);
        CHECK(o.sent);
        CHECK(strstr(o.err.text, "127.0.0.1") != NULL);
        CHECK(strstr(o.err.text, "hidden") == NULL);
        if (o.err.kind != rows[i].kind || o.err.retry != rows[i].retry)
            printf("# row %zu: %s\n", i, o.err.text);
    }
}

static void serve_endless(int fd, void *arg)
{
    char bytes[8192];
    const char *opening = arg;

    peer_read_head(fd, bytes, sizeof bytes);
    peer_say(fd, opening);
    memset(bytes, 'x', sizeof bytes);
    while (peer_write(fd, bytes, sizeof bytes)) {
    }
}

static void an_endless_answer_is_cut_at_the_limit(void)
{
    struct http_client_options o = {.user_agent = "t", .max_reply = 100000};
    char body[] = "HTTP/1.1 200 OK\r\n\r\n", head[] = "HTTP/1.1 200 OK\r\nA: ";
    struct outcome out = get(&o, serve_endless, body);

    CHECK(out.err.kind == ERR_REMOTE && !out.err.retry && out.status == 0);
    CHECK(strstr(out.err.text, "100000") != NULL);
    out = get(&o, serve_endless, head);
    CHECK(out.err.kind != ERR_NONE && out.status == 0);
}

static void serve_nothing(int fd, void *arg)
{
    char head[8192];

    (void)arg;
    peer_read_head(fd, head, sizeof head);
    peer_wait_gone(fd);
}

static void a_silent_peer_runs_into_the_stall_limit(void)
{
    struct http_client_options o = {.user_agent = "t", .stall_ms = 80};
    struct outcome out = get(&o, serve_nothing, NULL);

    CHECK(out.err.kind == ERR_NET && out.err.retry && out.sent && out.status == 0);
    CHECK(strstr(out.err.text, "no byte") != NULL);
}

static void a_slow_peer_runs_into_the_timeout(void)
{
    struct http_client_options o = {.user_agent = "t", .timeout_ms = 80};
    struct outcome out = get(&o, serve_nothing, NULL);

    CHECK(out.err.kind == ERR_NET && out.err.retry && out.sent && out.status == 0);
    CHECK(strstr(out.err.text, "80 ms") != NULL);
}

static void serve_reset(int fd, void *arg)
{
    char head[8192];
    struct linger now = {1, 0};

    (void)arg;
    peer_read_head(fd, head, sizeof head);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* close sends RST */
}

static void a_reset_connection_may_be_tried_again(void)
{
    struct outcome out = get(&defaults, serve_reset, NULL);

    CHECK(out.err.kind == ERR_NET && out.err.retry && out.sent);
}

static void nobody_there_means_nothing_was_sent(void)
{
    struct peer p;
    struct http_request r = {.method = "GET"};

    peer_start(&p, serve_nothing, NULL);
    peer_stop(&p); /* the port is free now */
    http_request_url(&r, "%s/", p.base);

    struct outcome out = exchange(&defaults, NULL, &r);

    CHECK(out.err.kind == ERR_NET && out.err.retry && !out.sent && out.calls == 1);
    http_request_release(&r);
}

/* A listener that takes no more connections: whoever comes hears nothing. Returns its descriptor;
 * `full` get those that fill it. */
static int listen_deaf(int full[4], char base[64])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, 0) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        abort();
    for (int i = 0; i < 4; i++) {
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(full[i], (struct sockaddr *)&a, len);
    }
    snprintf(base, 64, "http://127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

struct giving_up {
    struct loop *loop;
    struct http_client *client;
    uint64_t id;
};

static void give_up(void *arg)
{
    struct giving_up *g = arg;

    http_cancel(g->client, g->id);
    loop_stop(g->loop);
}

/* libcurl closes the socket of a connection that never came about by itself, and the next one gets
 * its number: it must be watched all the same. */
static void a_connection_after_one_that_never_came_about_is_watched(void)
{
    struct loop *loop = loop_new(NULL);
    struct giving_up g = {loop, http_client_new(loop, &defaults), 0};
    struct timer *soon = timer_new(loop, give_up, &g);
    struct http_request deaf = {.method = "GET"};
    struct http_request good = {.method = "GET", .timeout_ms = 5000};
    struct outcome out = {0};
    struct peer p;
    char head[8192], base[64];
    int full[4];

    peer_start(&p, serve_ok, head);
    int fd = listen_deaf(full, base);
    http_request_url(&deaf, "%s/", base);
    http_request_url(&good, "%s/", p.base);
    for (int i = 0; i < 3; i++) {
        g.id = http_send(g.client, NULL, &deaf, 0, keep_outcome, &out);
        timer_start(soon, 100);
        loop_run(loop);
        CHECK(out.calls == 0);
    }
    http_send(g.client, NULL, &good, 0, keep_outcome, &out);
    loop_run(loop);
    CHECK(out.calls == 1 && out.status == 200);
    for (int i = 0; i < 4; i++)
        close(full[i]);
    close(fd);
    timer_free(soon);
    http_client_free(g.client);
    peer_stop(&p);
    http_request_release(&deaf);
    http_request_release(&good);
    loop_free(loop);
}

static void a_senseless_request_comes_back_as_a_reply(void)
{
    static const char *const urls[] = {"",          "ftp://127.0.0.1/", "file:///etc/passwd",
                                       "http://",   "/no-base",         "http://a b/",
                                       "gopher://x"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_request r = {.method = "GET"};

        http_request_url(&r, "%s", urls[i]);

        struct outcome out = exchange(&defaults, NULL, &r);

        CHECK(out.calls == 1 && out.status == 0 && out.err.kind == ERR_NET && !out.err.retry);
        CHECK(!out.sent);
        http_request_release(&r);
    }
}

static void a_header_cannot_smuggle_a_line(void)
{
    struct http_request r = {.method = "GET"};

    http_request_url(&r, "http://127.0.0.1:1/");
    http_request_header(&r, "X-Token", "sesame\r\nHost: evil");

    struct outcome out = exchange(&defaults, NULL, &r);

    CHECK(out.calls == 1 && out.err.kind == ERR_NET && !out.err.retry && !out.sent);
    CHECK(strstr(out.err.text, "sesame") == NULL);
    http_request_release(&r);
}

/* Reads a request with Content-Length; keeps head and body. */
struct received {
    char head[8192];
    struct buf body;
};

static void serve_upload(int fd, void *arg)
{
    struct received *got = arg;
    size_t len = peer_read_head(fd, got->head, sizeof got->head);
    char *body = strstr(got->head, "\r\n\r\n"),
         *length = strcasestr(got->head, "\r\nContent-Length: ");
    size_t want = length ? strtoul(length + 18, NULL, 10) : 0;
    char piece[65536];

    if (!body)
        return;
    body += 4;
    buf_add(&got->body, body, len - (size_t)(body - got->head));
    *body = '\0';
    while (got->body.len < want) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);

        if (n <= 0)
            return;
        buf_add(&got->body, piece, (size_t)n);
    }
    peer_say(fd, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
}

static char *make_file(const char *name, size_t size, struct err *e)
{
    char *data = malloc(size + 1);

    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 7 + i / 251);
    if (file_write_atomic(name, data, size, 0600, e) < 0)
        abort();
    return data;
}

static void a_body_of_parts_is_streamed_with_its_length(void)
{
    enum { SIZE = 300001 };
    struct err e = ERR_INIT;
    struct received got = {.body = BUF_INIT(4 << 20)};
    struct http_request r = {.method = "POST"};
    struct peer p;
    char *data = make_file("upload.tmp", SIZE, &e), *text = malloc(4 * (SIZE / 3 + 1) + 1);
    size_t text_len = base64_encode((const uint8_t *)data, SIZE, text);

    http_request_url(&r, "/up");
    http_request_text(&r, "{\"a\":\"", 6);
    http_request_file(&r, "upload.tmp", SIZE, true);
    http_request_text(&r, "\"}", 2);
    http_request_file(&r, "upload.tmp", SIZE, false);
    peer_start(&p, serve_upload, &got);

    struct outcome out = exchange(&defaults, p.base, &r);

    peer_stop(&p);
    CHECK(out.status == 201 && out.err.kind == ERR_NONE);
    CHECK(got.body.len == 8 + text_len + SIZE && got.body.len == http_request_length(&r));
    CHECK(memcmp(got.body.data, "{\"a\":\"", 6) == 0);
    CHECK(memcmp(got.body.data + 6, text, text_len) == 0);
    CHECK(memcmp(got.body.data + 6 + text_len, "\"}", 2) == 0);
    CHECK(memcmp(got.body.data + 8 + text_len, data, SIZE) == 0);
    CHECK(strcasestr(got.head, "Expect:") == NULL && strcasestr(got.head, "Content-Type:") == NULL);
    free(data);
    free(text);
    buf_release(&got.body);
    http_request_release(&r);
    unlink("upload.tmp");
}

static void a_file_that_changed_is_named_and_nothing_is_sent(void)
{
    struct err e = ERR_INIT;
    struct http_request r = {.method = "PUT"};

    free(make_file("changed.tmp", 1000, &e));
    http_request_url(&r, "http://127.0.0.1:1/");
    http_request_file(&r, "changed.tmp", 999, false);

    struct outcome out = exchange(&defaults, NULL, &r);

    CHECK(out.calls == 1 && out.err.kind == ERR_STORE && !out.sent && !out.err.retry);
    CHECK(strstr(out.err.text, "changed.tmp") != NULL);
    unlink("changed.tmp");
    out = exchange(&defaults, NULL, &r);
    CHECK(out.calls == 1 && out.err.kind == ERR_STORE && out.err.code != 0);
    http_request_release(&r);
}

/* Requests without a body still say so where a server waits for a length. */
static void methods_are_sent_as_asked(void)
{
    static const struct {
        const char *method;
        bool body, length;
    } rows[] = {{"GET", false, false},     {"DELETE", false, false}, {"POST", false, true},
                {"PUT", false, true},      {"PATCH", false, true},   {"POST", true, true},
                {"PUT", true, true},       {"PATCH", true, true},    {"DELETE", true, true},
                {"PROPFIND", false, false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct received got = {.body = BUF_INIT(1000)};
        struct http_request r = {.method = rows[i].method};
        struct peer p;

        http_request_url(&r, "/");
        if (rows[i].body)
            http_request_text(&r, "body", 4);
        peer_start(&p, serve_upload, &got);

        struct outcome out = exchange(&defaults, p.base, &r);

        peer_stop(&p);
        CHECK(out.status == 201);
        CHECK(strncmp(got.head, rows[i].method, strlen(rows[i].method)) == 0);
        CHECK((strcasestr(got.head, "\r\nContent-Length:") != NULL) == rows[i].length);
        CHECK(strcmp(buf_str(&got.body), rows[i].body ? "body" : "") == 0);
        buf_release(&got.body);
        http_request_release(&r);
    }
}

static void an_injected_fault_looks_like_a_lost_answer(void)
{
    char head[8192] = "";
    struct fault fault = {.after = 1};
    struct http_client_options o = {.user_agent = "t", .fault = &fault};
    struct outcome out = get(&o, serve_ok, head);

    CHECK(out.calls == 1 && out.err.kind == ERR_NET && out.err.retry && out.sent);
    CHECK(head[0] == '\0');
}

/* Answers the first request of a connection, takes the second and closes. */
static void serve_first_only(int fd, void *arg)
{
    int *heads = arg;
    char head[8192];

    if (peer_read_head(fd, head, sizeof head) == 0)
        return;
    ++*heads;
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (peer_read_head(fd, head, sizeof head) > 0)
        ++*heads;
}

static void a_request_is_never_sent_twice_by_itself(void)
{
    struct loop *loop = loop_new(NULL);
    struct http_client *c = http_client_new(loop, &defaults);
    struct http_request r = {.method = "POST"};
    struct outcome first = {0}, second = {0};
    struct peer p;
    int heads = 0;

    http_request_url(&r, "/create");
    peer_start(&p, serve_first_only, &heads);
    http_send(c, p.base, &r, 0, keep_outcome, &first);
    loop_run(loop);
    http_send(c, p.base, &r, 0, keep_outcome, &second); /* on the connection that was kept */
    loop_run(loop);
    http_client_free(c);
    peer_stop(&p);
    CHECK(first.status == 200);
    CHECK(second.status == 0 && second.sent && second.err.kind == ERR_NET && second.err.retry);
    CHECK(strstr(second.err.text, "closed the connection without an answer") != NULL);
    CHECK(heads == 2);
    http_request_release(&r);
    loop_free(loop);
}

int main(void)
{

    signal(SIGPIPE, SIG_IGN);
    an_answer_comes_back_whole();
    a_faulty_answer_is_told_by_its_kind();
    an_endless_answer_is_cut_at_the_limit();
    a_silent_peer_runs_into_the_stall_limit();
    a_slow_peer_runs_into_the_timeout();
    a_reset_connection_may_be_tried_again();
    nobody_there_means_nothing_was_sent();
    a_connection_after_one_that_never_came_about_is_watched();
    a_senseless_request_comes_back_as_a_reply();
    a_header_cannot_smuggle_a_line();
    a_body_of_parts_is_streamed_with_its_length();
    a_file_that_changed_is_named_and_nothing_is_sent();
    methods_are_sent_as_asked();
    an_injected_fault_looks_like_a_lost_answer();
    a_request_is_never_sent_twice_by_itself();
    return DONE();
}
