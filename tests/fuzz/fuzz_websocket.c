#include "net/websocket.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as what a WebSocket's other side sends: frames, in pieces that the first byte chooses,
 * to a client or a server; and the answer to a handshake. No crash, no leak, no message over the
 * bound; how the bytes are cut changes nothing.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096 };

struct heard {
    uint64_t sum; /* of all that was delivered, in its order */
    int messages;
};

static void check(bool promise)
{
    if (!promise)
        abort();
}

static bool hear(const struct ws_message *m, void *arg)
{
    struct heard *h = arg;

    check(m->len <= MESSAGE_MAX && m->data[m->len] == '\0');
    check(m->opcode < WS_CLOSE || m->len <= WS_CONTROL_MAX);
    check(m->opcode != WS_CONTINUATION && (m->opcode != WS_CLOSE || m->code >= 1000));
    h->sum = h->sum * 31 + (uint64_t)m->opcode + (uint64_t)m->code;
    for (size_t i = 0; i < m->len; i++)
        h->sum = h->sum * 31 + (uint8_t)m->data[i];
    h->messages++;
    return true;
}

static int read_in_pieces(enum ws_role role, const uint8_t *data, size_t size, size_t piece,
                          struct heard *ret)
{
    struct ws_reader r;
    struct err e = ERR_INIT;
    int failed;

    ws_reader_init(&r, role, MESSAGE_MAX, hear, ret);
    for (size_t at = 0; at < size; at += piece) {
        if (ws_read(&r, data + at, size - at < piece ? size - at : piece, &e) < 0) {
            check(r.failed >= 1000 && e.kind == ERR_REMOTE && e.text[0]);
            break;
        }
    }
    check(r.data.len <= MESSAGE_MAX && r.control.len <= WS_CONTROL_MAX);
    failed = r.failed;
    ws_reader_release(&r);
    return failed;
}

static void check_frames(const uint8_t *data, size_t size)
{
    size_t piece = 1u + data[0] / 2u;

    for (int role = WS_CLIENT; role <= WS_SERVER; role++) {
        struct heard whole = {0}, cut = {0};
        int failed = read_in_pieces((enum ws_role)role, data + 1, size - 1, size, &whole);

        check(read_in_pieces((enum ws_role)role, data + 1, size - 1, piece, &cut) == failed);
        check(whole.sum == cut.sum && whole.messages == cut.messages);
    }
}

static void check_answer(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    int status = -1;
    int64_t n = ws_read_answer((const char *)data, size, "dGhlIHNhbXBsZSBub25jZQ==", &status, &e);

    check(n <= (int64_t)size);
    check(n <= 0 || status == 101);
    check(n >= 0 || (e.kind == ERR_REMOTE && strpbrk(e.text, "\r\n") == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    check_frames(data, size);
    check_answer(data, size);
    return 0;
}
