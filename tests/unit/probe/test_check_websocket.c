#include "net/certificates.h"
#include "net/peer.h"
#include "net/websocket.h"
#include "probe/check_rig.h"

#include <signal.h>

enum { DAY = 86400 };

/* One connection of a server in a thread: a good one, or one that goes wrong after `after`. */
struct script {
    const char *answer; /* instead of the good one; "" = none at all */
    const char *head;   /* more header lines of the good answer */
    const char *frames; /* sent at once behind the answer */
    size_t frames_len;
    const char *repeat; /* sent for ever behind that */
    size_t repeat_len;
    int pongs; /* so many are given, -1 = all; then `last` is sent and it closes */
    const char *last;
    size_t last_len;
    bool bad_accept, hang, early;
    SSL_CTX *tls;
    char request[4096];
    char heard[256]; /* what the client sent that was no ping */
};

struct talk {
    struct script *script;
    SSL *ssl;
    int fd, given;
    bool over;
};

static bool say(const struct talk *t, const void *data, size_t len)
{
    if (t->ssl)
        return len == 0 || SSL_write(t->ssl, data, (int)len) > 0;
    return peer_write(t->fd, data, len);
}

static ssize_t listen_to(const struct talk *t, char *ret, size_t size)
{
    return t->ssl ? SSL_read(t->ssl, ret, (int)size) : recv(t->fd, ret, size, 0);
}

static bool hear(const struct ws_message *m, void *arg)
{
    struct talk *t = arg;
    struct script *s = t->script;
    struct buf out = BUF_INIT(1024);
    size_t len = strlen(s->heard);

    if (m->opcode == WS_PING && (s->pongs < 0 || t->given < s->pongs)) {
        ws_write(&out, WS_SERVER, WS_PONG, m->data, m->len);
        say(t, out.data, out.len);
        t->given++;
    } else if (m->opcode == WS_CLOSE) {
        snprintf(s->heard + len, sizeof s->heard - len, "C%d ", m->code);
    } else if (m->opcode == WS_PONG) {
        snprintf(s->heard + len, sizeof s->heard - len, "p:%s ", m->data);
    }
    if (s->pongs >= 0 && t->given == s->pongs && s->last) {
        say(t, s->last, s->last_len);
        t->over = true;
    }
    buf_release(&out);
    return !t->over;
}

static void accept_handshake(const struct talk *t)
{
    const struct script *s = t->script;
    const char *line = strstr(s->request, "Sec-WebSocket-Key: ");
    char key[WS_KEY] = "", accept[WS_ACCEPT], text[1024];

    if (line)
        snprintf(key, sizeof key, "%s", line + 19);
    ws_accept(s->bad_accept ? "another" : key, accept);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\n%sSec-WebSocket-Accept: %s\r\n\r\n",
                       s->head ? s->head : "", accept);

    if (s->answer)
        say(t, s->answer, strlen(s->answer));
    else
        say(t, text, (size_t)len);
}

static void converse(struct talk *t)
{
    struct script *s = t->script;
    struct ws_reader reader;
    struct err e = ERR_INIT;
    char bytes[4096];
    ssize_t n;

    accept_handshake(t);
    say(t, s->frames, s->frames_len);
    while (s->repeat && say(t, s->repeat, s->repeat_len)) {
    }
    ws_reader_init(&reader, WS_SERVER, 65536, hear, t);
    while (!s->early && !t->over && (n = listen_to(t, bytes, sizeof bytes)) > 0 &&
           ws_read(&reader, bytes, (size_t)n, &e) == 0) {
    }
    ws_reader_release(&reader);
}

static void serve(int fd, void *arg)
{
    struct talk t = {.script = arg, .fd = fd};
    size_t len = 0;
    ssize_t n = 1;

    if (t.script->tls) {
        t.ssl = SSL_new(t.script->tls);
        SSL_set_fd(t.ssl, fd);
        if (SSL_accept(t.ssl) != 1)
            n = 0;
    }
    t.script->request[0] = '\0';
    while (n > 0 && !strstr(t.script->request, "\r\n\r\n")) {
        n = listen_to(&t, t.script->request + len, sizeof t.script->request - 1 - len);
        len += n > 0 ? (size_t)n : 0;
        t.script->request[len] = '\0';
    }
    if (n > 0)
        converse(&t);
    SSL_free(t.ssl);
}

static struct rig check_with(struct script *s, const struct target *t, const char *ca_file)
{
    struct target copy = *t;
    struct peer p;
    char url[128];

    if (!s->last && s->pongs == 0 && !s->hang)
        s->pongs = -1;
    peer_start(&p, serve, s);
    snprintf(url, sizeof url, "%s://app.localhost:%u/ws?room=1", s->tls ? "wss" : "ws", p.port);
    copy.kind = CHECK_WEBSOCKET;
    copy.url = url;
    copy.timeout_ms = copy.timeout_ms ? copy.timeout_ms : 10000;

    struct rig r = rig_run(&check_websocket, &copy, ca_file);

    peer_stop(&p);
    return r;
}

/* ---- well ---- */

static void a_server_that_answers_pings_and_stays_is_well(void)
{
    static const struct http_header headers[] = {{"X-Test", "yes"}, {"Origin", "https://a"}};
    struct target t = {.hold_ms = 120, .timeout_ms = 60, .headers = headers, .n_headers = 2};
    struct script s = {.head = "Server: test\r\n"};
    struct rig r = check_with(&s, &t, NULL);

    CHECK(r.answer.ok && r.answer.answered && r.answer.status == 101);
    CHECK(r.answer.first_byte >= r.answer.connect && r.answer.total >= r.answer.first_byte);
    CHECK(strstr(r.detail, "held open for 0.1 s with ") && !strstr(r.detail, "with 1 pings"));
    CHECK(strncmp(s.request, "GET /ws?room=1 HTTP/1.1\r\nHost: app.localhost:", 45) == 0);
    CHECK(strstr(s.request, "Sec-WebSocket-Version: 13\r\n"));
    CHECK(strstr(s.request, "X-Test: yes\r\nOrigin: https://a\r\n\r\n"));
    CHECK(strcmp(s.heard, "C1000 ") == 0);
}

static void it_speaks_tls_and_verifies(const struct authority *a)
{
    struct target t = {0};
    struct script s = {.tls = server_context(a, "DNS:app.localhost", -DAY, DAY)};
    struct rig r = check_with(&s, &t, a->file);

    CHECK(r.answer.ok && r.answer.tls >= r.answer.connect);
    SSL_CTX_free(s.tls);
    s.tls = server_context(a, "DNS:other.localhost", -DAY, DAY);
    r = check_with(&s, &t, a->file);
    CHECK(!r.answer.ok && strstr(r.reason, "is for other.localhost, not app.localhost"));
    CHECK(s.request[0] == '\0'); /* no header went to a stranger */
    SSL_CTX_free(s.tls);
}

static void what_a_server_sends_unasked_is_left_alone(void)
{
    static const char frames[] = "\x89\x03you\x81\x05hello\x01\x03wor\x80\x02ld\x8a\x01x";
    struct target t = {0};
    struct script s = {.frames = frames, .frames_len = sizeof frames - 1};
    struct rig r = check_with(&s, &t, NULL);

    CHECK(r.answer.ok && strstr(s.heard, "p:you "));
}

/* ---- not well ---- */

static void fails_with(struct script s, const char *reason)
{
    struct target t = {.hold_ms = 20000, .timeout_ms = 400};
    struct rig r = check_with(&s, &t, NULL);

    CHECK(!r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(strstr(r.reason, "app.localhost: ") == r.reason && strstr(r.reason, reason) != NULL);
    if (!strstr(r.reason, reason))
        printf("# %s\n", r.reason);
}

static void a_refused_handshake_is_told(void)
{
    static char endless[8192];

    memset(endless, 'x', sizeof endless);
    fails_with((struct script){.answer = "HTTP/1.1 404 Not Found\r\n\r\n"},
               "answered 404 instead of 101");
    fails_with((struct script){.bad_accept = true}, "a wrong Sec-WebSocket-Accept");
    fails_with((struct script){.answer = "", .early = true}, "closed before the handshake");
    fails_with((struct script){.answer = "SSH-2.0\r\n"}, "not HTTP");
    fails_with(
        (struct script){
            .answer = "HTTP/1.1 101 x\r\nX: ", .repeat = endless, .repeat_len = sizeof endless},
        "head of its answer is longer");
}

static void broken_frames_are_told(void)
{
    static const char masked[] = "\x81\x81\1\2\3\4x", endless[] = "\x00\x00";
    static const char huge[] = "\x82\x7f\0\0\0\x7f\0\0\0\0", begin[] = "\x01\x00";
    static char flood[4 + 65535] = "\x82\x7e\xff\xff";

    fails_with((struct script){.frames = masked, .frames_len = 7}, "a server's frame is masked");
    fails_with((struct script){.frames = huge, .frames_len = 10}, "a message longer than");
    fails_with(
        (struct script){.frames = begin, .frames_len = 2, .repeat = endless, .repeat_len = 2},
        "more than 4096 pieces");
    fails_with((struct script){.repeat = flood, .repeat_len = sizeof flood}, "over 16 MiB unasked");
}

static void an_early_end_is_told_with_its_code(void)
{
    static const char going[] = "\x88\x05\x03\xe9"
                                "bye";

    fails_with((struct script){.frames = going, .frames_len = 7},
               "closed with code 1001 (the server goes away) before it answered a ping");
    fails_with((struct script){.pongs = 1, .last = going, .last_len = 7},
               "closed with code 1001 (the server goes away) after 0 seconds of 20 seconds");
    fails_with((struct script){.pongs = 1, .last = "", .last_len = 0},
               "without a close frame (code 1006)");
}

static void a_ping_without_pong_is_told(void)
{
    fails_with((struct script){.hang = true}, "a ping got no pong within 200 ms");
}

static void a_header_that_cannot_be_sent_is_our_mistake(void)
{
    static const struct http_header headers[] = {{"X-Test", "a\r\nX-Other: b"}};
    struct target t = {.headers = headers, .n_headers = 1};
    struct script s = {0};
    struct rig r = check_with(&s, &t, NULL);

    CHECK(!r.answer.ok && !r.answer.sent && strstr(r.reason, "header 1 has a character"));
    CHECK(s.request[0] == '\0');
}

static void it_can_be_cancelled_at_any_time(const struct authority *a)
{
    static const char half[] = "HTTP/1.1 101 Switch";
    struct script scripts[] = {
        {.pongs = -1},
        {.pongs = -1, .tls = server_context(a, "DNS:app.localhost", -DAY, DAY)},
        {.answer = half, .hang = true}};

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct peer p;
        char url[128];
        struct target t = {.url = url, .timeout_ms = 50, .hold_ms = 1000000};

        peer_start(&p, serve, &scripts[i]);
        snprintf(url, sizeof url, "%s://app.localhost:%u/ws", scripts[i].tls ? "wss" : "ws",
                 p.port);
        rig_cancel_everywhere(&check_websocket, &t, a->file, i < 2 ? 12 : 4);
        peer_stop(&p);
        SSL_CTX_free(scripts[i].tls);
    }
}

int main(void)
{
    struct authority a = authority_make("Test CA", NULL, 3000L * DAY);

    signal(SIGPIPE, SIG_IGN);
    a_server_that_answers_pings_and_stays_is_well();
    it_speaks_tls_and_verifies(&a);
    what_a_server_sends_unasked_is_left_alone();
    a_refused_handshake_is_told();
    broken_frames_are_told();
    an_early_end_is_told_with_its_code();
    a_ping_without_pong_is_told();
    a_header_that_cannot_be_sent_is_our_mistake();
    it_can_be_cancelled_at_any_time(&a);
    authority_free(&a);
    return DONE();
}
