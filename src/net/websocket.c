#include "net/websocket.h"
#include "base/hash.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FINAL = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f };
enum { LENGTH_16 = 126, LENGTH_64 = 127, MASK_BYTES = 4 };

/* ---- reading ---- */

void ws_reader_init(struct ws_reader *r, enum ws_role role, size_t max_message, ws_message_fn *fn,
                    void *arg)
{
    *r = (struct ws_reader){.role = role, .fn = fn, .arg = arg};
    buf_init(&r->data, max_message);
    buf_init(&r->control, WS_CONTROL_MAX);
}

void ws_reader_release(struct ws_reader *r)
{
    buf_release(&r->data);
    buf_release(&r->control);
}

static int refuse(struct ws_reader *r, int code, struct err *e, const char *why)
{
    r->failed = code;
    return err_set(e, ERR_REMOTE, "the peer breaks the WebSocket protocol: %s", why);
}

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_CLOSE;
}

static size_t length_bytes(const struct ws_reader *r)
{
    int short_length = r->head[1] & LENGTH;

    return short_length == LENGTH_64 ? 8 : short_length == LENGTH_16 ? 2 : 0;
}

/* How long the frame's head is, as far as can be known from what is there. */
static size_t head_size(const struct ws_reader *r)
{
    if (r->head_len < 2)
        return 2;
    return 2 + length_bytes(r) + (r->head[1] & MASKED ? MASK_BYTES : 0);
}

static uint64_t payload_length(const struct ws_reader *r)
{
    size_t n = length_bytes(r);
    uint64_t length = 0;

    if (n == 0)
        return r->head[1] & LENGTH;
    for (size_t i = 0; i < n; i++)
        length = length << 8 | r->head[2 + i];
    return length;
}

static int check_data_head(struct ws_reader *r, enum ws_opcode opcode, struct err *e)
{
    if (opcode == WS_CONTINUATION && r->message == WS_CONTINUATION)
        return refuse(r, WS_PROTOCOL_ERROR, e, "a continuation of nothing");
    if (opcode != WS_CONTINUATION && r->message != WS_CONTINUATION)
        return refuse(r, WS_PROTOCOL_ERROR, e, "a new message within an unfinished one");
    if (++r->fragments > WS_FRAGMENTS_MAX)
        return refuse(r, WS_TOO_BIG, e, "a message in more than 4096 pieces");
    if (r->left > r->data.max - r->data.len)
        return refuse(r, WS_TOO_BIG, e, "a message longer than is accepted here");
    return 0;
}

/* The head is whole: may this frame come now? */
static int check_head(struct ws_reader *r, struct err *e)
{
    enum ws_opcode opcode = r->head[0] & OPCODE;
    bool masked = r->head[1] & MASKED;
    size_t n = length_bytes(r);

    r->left = payload_length(r);
    if (r->head[0] & RESERVED)
        return refuse(r, WS_PROTOCOL_ERROR, e, "a reserved bit is set without an extension");
    if (masked != (r->role == WS_SERVER))
        return refuse(r, WS_PROTOCOL_ERROR, e,
                      masked ? "a server's frame is masked" : "a client's frame is not masked");
    if ((n == 2 && r->left < LENGTH_16) || (n == 8 && (r->left >> 16 == 0 || r->left >> 63)))
        return refuse(r, WS_PROTOCOL_ERROR, e, "a length that is not written the shortest way");
    if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
        return refuse(r, WS_PROTOCOL_ERROR, e, "a frame of an unknown kind");
    if (!is_control(opcode))
        return check_data_head(r, opcode, e);
    if (!(r->head[0] & FINAL) || r->left > WS_CONTROL_MAX)
        return refuse(r, WS_PROTOCOL_ERROR, e, "a control frame that is in pieces or too long");
    return 0;
}

/* Appends payload bytes to where they belong, unmasked. */
static void take_payload(struct ws_reader *r, const uint8_t *data, size_t n)
{
    struct buf *to = is_control(r->head[0] & OPCODE) ? &r->control : &r->data;
    size_t at = to->len;

    buf_add(to, data, n);
    if (r->role == WS_SERVER) {
        const uint8_t *mask = r->head + 2 + length_bytes(r);

        for (size_t i = 0; i < n; i++)
            to->data[at + i] = (char)((uint8_t)to->data[at + i] ^ mask[(r->mask_at + i) % 4]);
    }
    r->mask_at += n;
    r->left -= n;
}

static bool may_be_sent(int code)
{
    return (code >= 1000 && code <= 1011 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static int deliver(struct ws_reader *r, const struct ws_message *m)
{
    if (m->opcode == WS_CLOSE)
        r->closed = true;
    if (!r->fn(m, r->arg))
        r->closed = true;
    return 0;
}

static int end_close(struct ws_reader *r, struct err *e)
{
    const char *data = buf_str(&r->control);
    size_t len = r->control.len;
    struct ws_message m = {.opcode = WS_CLOSE, .data = "", .code = WS_NO_CODE};

    if (len == 1)
        return refuse(r, WS_PROTOCOL_ERROR, e, "half a close code");
    if (len >= 2) {
        m.code = (uint8_t)data[0] << 8 | (uint8_t)data[1];
        m.data = data + 2;
        m.len = len - 2;
        if (!may_be_sent(m.code))
            return refuse(r, WS_PROTOCOL_ERROR, e, "a close code that must not be sent");
        if (!text_is_utf8(m.data, m.len, NULL))
            return refuse(r, WS_BAD_DATA, e, "a close reason that is not UTF-8");
    }
    return deliver(r, &m);
}

static int end_control(struct ws_reader *r, enum ws_opcode opcode, struct err *e)
{
    struct ws_message m = {.opcode = opcode, .data = buf_str(&r->control), .len = r->control.len};
    int rc = opcode == WS_CLOSE ? end_close(r, e) : deliver(r, &m);

    buf_clear(&r->control);
    return rc;
}

static int end_frame(struct ws_reader *r, struct err *e)
{
    enum ws_opcode opcode = r->head[0] & OPCODE;
    int rc = 0;

    r->in_payload = false;
    r->head_len = 0;
    if (is_control(opcode))
        return end_control(r, opcode, e);
    if (opcode != WS_CONTINUATION)
        r->message = opcode;
    if (!(r->head[0] & FINAL))
        return 0;

    struct ws_message m = {.opcode = r->message, .data = buf_str(&r->data), .len = r->data.len};

    if (m.opcode == WS_TEXT && !text_is_utf8(m.data, m.len, NULL))
        rc = refuse(r, WS_BAD_DATA, e, "a text that is not UTF-8");
    else
        rc = deliver(r, &m);
    r->message = WS_CONTINUATION;
    r->fragments = 0;
    buf_clear(&r->data);
    return rc;
}

/* Bytes used of what there is, at least one unless len is 0; -1: refused. */
static int64_t read_some(struct ws_reader *r, const uint8_t *data, size_t len, struct err *e)
{
    size_t n = 0;

    if (!r->in_payload) {
        while (n < len && r->head_len < head_size(r))
            r->head[r->head_len++] = data[n++];
        if (r->head_len < 2 || r->head_len < head_size(r))
            return (int64_t)n;
        if (check_head(r, e) < 0)
            return -1;
        r->in_payload = true;
        r->mask_at = 0;
    } else {
        n = r->left < len ? (size_t)r->left : len;
        take_payload(r, data, n);
    }
    return r->left == 0 && end_frame(r, e) < 0 ? -1 : (int64_t)n;
}

int ws_read(struct ws_reader *r, const void *data, size_t len, struct err *e)
{
    const uint8_t *bytes = data;

    while (len > 0 && !r->closed) {
        int64_t n = r->failed ? -1 : read_some(r, bytes, len, e);

        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- writing ---- */

static void random_bytes(void *ret, size_t len)
{
    if (getrandom(ret, len, 0) != (ssize_t)len)
        abort(); /* never for so few bytes */
}

void ws_write(struct buf *out, enum ws_role role, enum ws_opcode opcode, const void *data,
              size_t len)
{
    uint8_t head[14] = {(uint8_t)(FINAL | opcode)}, mask[MASK_BYTES] = {0};
    size_t n = 2, length = len < LENGTH_16 ? 0 : len <= UINT16_MAX ? 2 : 8, at;

    head[1] = (uint8_t)(length == 0 ? len : length == 2 ? LENGTH_16 : LENGTH_64);
    for (size_t i = 0; i < length; i++)
        head[n++] = (uint8_t)(len >> 8 * (length - 1 - i));
    if (role == WS_CLIENT) {
        random_bytes(mask, sizeof mask);
        head[1] |= MASKED;
        memcpy(head + n, mask, sizeof mask);
        n += sizeof mask;
    }
    buf_add(out, head, n);
    at = out->len;
    buf_add(out, data, len);
    for (size_t i = 0; role == WS_CLIENT && !buf_over(out) && i < len; i++)
        out->data[at + i] = (char)((uint8_t)out->data[at + i] ^ mask[i % sizeof mask]);
}

void ws_write_close(struct buf *out, enum ws_role role, int code, const char *reason)
{
    char payload[WS_CONTROL_MAX] = {(char)(code >> 8), (char)code};
    size_t len = strnlen(reason, sizeof payload - 2);

    memcpy(payload + 2, reason, len);
    ws_write(out, role, WS_CLOSE, payload, 2 + len);
}

const char *ws_code_text(int code)
{
    static const struct {
        int code;
        const char *text;
    } known[] = {{1000, "normal"},
                 {1001, "the server goes away"},
                 {1002, "protocol error"},
                 {1003, "data it does not take"},
                 {1005, "no code given"},
                 {1007, "data that is not what it claims"},
                 {1008, "against its policy"},
                 {1009, "message too big"},
                 {1011, "the server's internal error"},
                 {1012, "the server restarts"},
                 {1013, "try again later"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].code == code)
            return known[i].text;
    }
    return "the application's own code";
}

/* ---- the handshake ---- */

void ws_make_key(char ret[WS_KEY])
{
    uint8_t nonce[16];

    random_bytes(nonce, sizeof nonce);
    base64_encode(nonce, sizeof nonce, ret);
}

void ws_accept(const char *key, char ret[WS_ACCEPT])
{
    char text[128];
    uint8_t digest[SHA1_LEN];
    int len = snprintf(text, sizeof text, "%.64s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

    sha1(text, (size_t)len, digest);
    base64_encode(digest, sizeof digest, ret);
}

struct answer { /* values point into the head; NULL = not there */
    int status;
    const char *upgrade, *connection, *accept, *protocol, *extensions;
};

/* Cuts the head into lines and keeps what counts; false when it is not HTTP. */
static bool read_head(char *head, struct answer *ret)
{
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {{"upgrade", &ret->upgrade},
                  {"connection", &ret->connection},
                  {"sec-websocket-accept", &ret->accept},
                  {"sec-websocket-protocol", &ret->protocol},
                  {"sec-websocket-extensions", &ret->extensions}};
    char *rest = head, *line = strsep(&rest, "\n"), *value;

    if (strncmp(line, "HTTP/1.1 ", 9) != 0 || !isdigit((unsigned char)line[9]) ||
        !isdigit((unsigned char)line[10]) || !isdigit((unsigned char)line[11]))
        return false;
    ret->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    while ((line = strsep(&rest, "\n"))) {
        line[strcspn(line, "\r")] = '\0';
        value = strchr(line, ':');
        if (!value)
            continue;
        *value++ = '\0';
        value += strspn(value, " \t");
        for (size_t n = strlen(value); n > 0 && strchr(" \t", value[n - 1]); n--)
            value[n - 1] = '\0';
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (strcasecmp(line, wanted[i].name) == 0)
                *wanted[i].value = value;
        }
    }
    return true;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (list && *list) {
        list += strspn(list, " \t,");
        size_t n = strcspn(list, ",");
        size_t bare = n;

        while (bare > 0 && strchr(" \t", list[bare - 1]))
            bare--;
        if (bare == len && strncasecmp(list, word, len) == 0)
            return true;
        list += n;
    }
    return false;
}

static int judge(const struct answer *a, const char *key, struct err *e)
{
    char accept[WS_ACCEPT];

    ws_accept(key, accept);
    if (a->status != 101)
        return err_set(e, ERR_REMOTE, "answered %d instead of 101%s", a->status,
                       a->status / 100 == 5 ? "" : ": no WebSocket is served at this path");
    if (!a->upgrade || strcasecmp(a->upgrade, "websocket") != 0 ||
        !has_word(a->connection, "upgrade"))
        return err_set(e, ERR_REMOTE,
                       "answered 101 without \"Upgrade: websocket\" and \"Connection: Upgrade\"; "
                       "does a proxy on the way drop them?");
    if (!a->accept || strcmp(a->accept, accept) != 0)
        return err_set(e, ERR_REMOTE,
                       "answered 101 with a wrong Sec-WebSocket-Accept: an answer to another "
                       "handshake, out of a cache or a broken proxy");
    if (a->protocol || a->extensions)
        return err_set(e, ERR_REMOTE,
                       "answered 101 with a protocol or extension that was never offered");
    return 0;
}

int64_t ws_read_answer(const char *data, size_t len, const char *key, int *ret_status,
                       struct err *e)
{
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    size_t size = end ? (size_t)(end - data) + 4 : 0, known = len < 5 ? len : 5;
    struct answer a = {0};
    char *head;
    int rc;

    if (memcmp(data, "HTTP/", known) != 0)
        return err_set(e, ERR_REMOTE, "the answer to the handshake is not HTTP");
    if (!end)
        return 0;
    if (memchr(data, '\0', size))
        return err_set(e, ERR_REMOTE, "the answer to the handshake is not HTTP");
    head = strndup(data, size);
    if (!head)
        abort();
    rc = read_head(head, &a)
             ? judge(&a, key, e)
             : err_set(e, ERR_REMOTE, "the answer to the handshake is not HTTP/1.1");
    if (a.status)
        *ret_status = a.status;
    free(head);
    return rc < 0 ? -1 : (int64_t)size;
}
