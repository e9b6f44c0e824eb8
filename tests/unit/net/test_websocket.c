#include "net/websocket.h"

#include "test.h"

#include <stdlib.h>

/* What a reader delivered, in order: "T:hello P:x C1000:bye". */
struct heard {
    char text[4096];
    size_t longest;
};

static bool hear(const struct ws_message *m, void *arg)
{
    struct heard *h = arg;
    size_t len = strlen(h->text);

    if (m->opcode == WS_CLOSE)
        snprintf(h->text + len, sizeof h->text - len, "C%d:%s ", m->code, m->data);
    else
        snprintf(h->text + len, sizeof h->text - len, "%c:%.*s ", "-TB------pP"[m->opcode],
                 m -> len < 32 ? (int)m -> len : 32, m -> data);
    h->longest = m->len > h->longest ? m->len : h->longest;
    return true;
}

enum { MAXIMUM = 70000 };

/* All of it at once, then byte by byte: the same must come out. Returns the reader's code. */
static int read_all(enum ws_role role, const void *data, size_t len, struct heard *ret)
{
    struct heard slow = {0};
    struct ws_reader quick_reader, slow_reader;
    struct err e = ERR_INIT;
    const char *bytes = data;
    int rc = 0;

    *ret = (struct heard){0};
    ws_reader_init(&quick_reader, role, MAXIMUM, hear, ret);
    ws_reader_init(&slow_reader, role, MAXIMUM, hear, &slow);
    CHECK((ws_read(&quick_reader, data, len, &e) < 0) == (quick_reader.failed != 0));
    for (size_t i = 0; i < len && rc == 0; i++)
        rc = ws_read(&slow_reader, bytes + i, 1, &e);
    CHECK(slow_reader.failed == quick_reader.failed && strcmp(slow.text, ret->text) == 0);
    rc = quick_reader.failed;
    ws_reader_release(&quick_reader);
    ws_reader_release(&slow_reader);
    return rc;
}

static void what_one_side_writes_the_other_reads(void)
{
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, MAXIMUM};
    static char payload[MAXIMUM];

    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int writer = WS_CLIENT; writer <= WS_SERVER; writer++) {
            struct buf out = BUF_INIT(1 << 20);
            struct heard h;

            ws_write(&out, (enum ws_role)writer, WS_BINARY, payload, lengths[i]);
            ws_write_close(&out, (enum ws_role)writer, 1000, "bye");
            CHECK(read_all(writer == WS_CLIENT ? WS_SERVER : WS_CLIENT, out.data, out.len, &h) ==
                  0);
            CHECK(h.longest == (lengths[i] > 3 ? lengths[i] : 3) && strstr(h.text, "C1000:bye "));
            buf_release(&out);
        }
    }
}

static void the_examples_of_the_rfc_are_read(void)
{
    struct heard h; /* section 5.7 */

    CHECK(read_all(WS_CLIENT, "\x81\x05Hello", 7, &h) == 0 && strcmp(h.text, "T:Hello ") == 0);
    CHECK(read_all(WS_SERVER, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, &h) == 0 &&
          strcmp(h.text, "T:Hello ") == 0);
    CHECK(read_all(WS_CLIENT, "\x01\x03Hel\x89\x01!\x80\x02lo", 12, &h) == 0 &&
          strcmp(h.text, "p:! T:Hello ") == 0); /* a ping between two fragments */
}

static void broken_frames_are_refused_with_their_code(void)
{
    static const struct {
        enum ws_role reader;
        const char *bytes;
        size_t len;
        int code;
    } rows[] = {
        {WS_CLIENT, "\x81\x81\1\2\3\4x", 7, WS_PROTOCOL_ERROR}, /* masked by a server */
        {WS_SERVER, "\x81\x01x", 3, WS_PROTOCOL_ERROR},         /* bare from a client */
        {WS_CLIENT, "\xc1\x01x", 3, WS_PROTOCOL_ERROR},         /* reserved bit */
        {WS_CLIENT, "\x83\x01x", 3, WS_PROTOCOL_ERROR},         /* unknown kinds */
        {WS_CLIENT, "\x8b\x01x", 3, WS_PROTOCOL_ERROR},
        {WS_CLIENT, "\x80\x01x", 3, WS_PROTOCOL_ERROR},             /* continues nothing */
        {WS_CLIENT, "\x01\x01x\x81\x01x", 6, WS_PROTOCOL_ERROR},    /* new within another */
        {WS_CLIENT, "\x09\x01x", 3, WS_PROTOCOL_ERROR},             /* a ping in pieces */
        {WS_CLIENT, "\x89\x7e\x00\x7e", 4, WS_PROTOCOL_ERROR},      /* a ping too long */
        {WS_CLIENT, "\x81\x7e\x00\x05Hello", 9, WS_PROTOCOL_ERROR}, /* length not shortest */
        {WS_CLIENT, "\x82\x7f\0\0\0\0\0\0\xff\xff", 10, WS_PROTOCOL_ERROR},
        {WS_CLIENT, "\x82\x7f\xff\0\0\0\0\0\0\0", 10, WS_PROTOCOL_ERROR}, /* highest bit */
        {WS_CLIENT, "\x82\x7f\0\0\x01\0\0\0\0\0", 10, WS_TOO_BIG},        /* a terabyte */
        {WS_CLIENT, "\x81\x02\xc3\x28", 4, WS_BAD_DATA},
        {WS_CLIENT, "\x88\x01\x03", 3, WS_PROTOCOL_ERROR},     /* half a code */
        {WS_CLIENT, "\x88\x02\x03\xed", 4, WS_PROTOCOL_ERROR}, /* 1005 must not be sent */
        {WS_CLIENT, "\x88\x02\x00\x01", 4, WS_PROTOCOL_ERROR},
        {WS_CLIENT, "\x88\x03\x03\xe8\xff", 5, WS_BAD_DATA},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct heard h;

        CHECK(read_all(rows[i].reader, rows[i].bytes, rows[i].len, &h) == rows[i].code);
        CHECK(h.text[0] == '\0');
    }
}

static void fragments_without_end_are_bounded(void)
{
    struct ws_reader r;
    struct heard h = {0};
    struct err e = ERR_INIT;
    int frames = 1;

    ws_reader_init(&r, WS_CLIENT, MAXIMUM, hear, &h);
    CHECK(ws_read(&r, "\x02\x00", 2, &e) == 0);
    while (ws_read(&r, "\x00\x00", 2, &e) == 0) /* empty ones cost nothing but time */
        frames++;
    CHECK(frames == WS_FRAGMENTS_MAX && r.failed == WS_TOO_BIG);
    CHECK(ws_read(&r, "\x80\x00", 2, &e) < 0 && h.text[0] == '\0'); /* and it stays refused */
    ws_reader_release(&r);
}

static void nothing_is_read_after_a_close(void)
{
    struct heard h;

    CHECK(read_all(WS_CLIENT, "\x88\x00\xff\xff\xff", 5, &h) == 0);
    CHECK(strcmp(h.text, "C1005: ") == 0);
}

/* ---- the handshake ---- */

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* of RFC 6455 section 1.3 */
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static int64_t answer(const char *text, int *ret_status, struct err *e)
{
    int64_t all = ws_read_answer(text, strlen(text), key, ret_status, e);

    /* In no shorter piece it may be taken for whole, unless it is refused already. */
    for (size_t n = 1; all > 0 && n < (size_t)all; n++) {
        struct err ignored = ERR_INIT;
        int status;

        if (ws_read_answer(text, n, key, &status, &ignored) != 0)
            return -2;
    }
    return all;
}

static void a_good_answer_is_accepted(void)
{
    static const char text[] = "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE ACCEPT "\r\n\x81\1x";
    struct err e = ERR_INIT;
    int status = 0;

    CHECK(answer(text, &status, &e) == (int64_t)sizeof text - 1 - 3 && status == 101);
    CHECK(answer("HTTP/1.1 101\r\nupgrade:WebSocket \r\nCONNECTION: keep-alive, upgrade\r\n" ACCEPT
                 "\r\n",
                 &status, &e) > 0);
}

static void a_bad_answer_is_told(void)
{
    static const struct {
        const char *text;
        int status;
        const char *why;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", 200, "answered 200 instead of 101"},
        {"HTTP/1.1 426 Upgrade Required\r\n\r\n", 426, "answered 426 instead of 101"},
        {"HTTP/1.1 101 x\r\n" UPGRADE "\r\n", 101, "a wrong Sec-WebSocket-Accept"},
        {"HTTP/1.1 101 x\r\n" UPGRADE "Sec-WebSocket-Accept: c3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         101, "a wrong Sec-WebSocket-Accept"},
        {"HTTP/1.1 101 x\r\n" ACCEPT "\r\n", 101, "without \"Upgrade: websocket\""},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", 101,
         "without \"Upgrade: websocket\""},
        {"HTTP/1.1 101 x\r\n" UPGRADE ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", 101,
         "never offered"},
        {"HTTP/1.0 101 x\r\n\r\n", 0, "not HTTP/1.1"},
        {"HTTP/1.1 1x1\r\n\r\n", 0, "not HTTP/1.1"},
        {"SSH-2.0-OpenSSH\r\n", 0, "is not HTTP"},
        {"X", 0, "is not HTTP"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        int status = 0;

        CHECK(answer(rows[i].text, &status, &e) == -1 && status == rows[i].status);
        CHECK(strstr(e.text, rows[i].why) != NULL);
    }
}

static void keys_are_never_the_same(void)
{
    char a[WS_KEY], b[WS_KEY], accept[WS_ACCEPT];

    ws_make_key(a);
    ws_make_key(b);
    CHECK(strlen(a) == 24 && strlen(b) == 24 && strcmp(a, b) != 0);
    ws_accept(key, accept);
    CHECK(strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0);
}

int main(void)
{
    what_one_side_writes_the_other_reads();
    the_examples_of_the_rfc_are_read();
    broken_frames_are_refused_with_their_code();
    fragments_without_end_are_bounded();
    nothing_is_read_after_a_close();
    a_good_answer_is_accepted();
    a_bad_answer_is_told();
    keys_are_never_the_same();
    return DONE();
}
