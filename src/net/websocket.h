#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The WebSocket protocol (RFC 6455) as data, for both sides: the handshake's key and answer, frames
 * read and written. No I/O. Frames of extensions are refused, for none is ever offered.
 *
 * A reader: ws_reader_init .. ws_reader_release. Bytes go in as they come, in any pieces; whole
 * messages and control frames come out. It holds at most `max_message` bytes, so neither a frame
 * that claims gigabytes nor fragments without end take more.
 */
enum ws_role { WS_CLIENT, WS_SERVER };
enum ws_opcode { WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG };

enum { /* RFC 6455 section 7.4.1 */
       WS_NORMAL = 1000,
       WS_GOING_AWAY = 1001,
       WS_PROTOCOL_ERROR = 1002,
       WS_NO_CODE = 1005, /* a close without a code; never on the wire */
       WS_BAD_DATA = 1007,
       WS_TOO_BIG = 1009,
};
enum { WS_CONTROL_MAX = 125, WS_FRAGMENTS_MAX = 4096 };

struct ws_message {
    enum ws_opcode opcode; /* TEXT, BINARY, CLOSE, PING, PONG */
    const char *data;      /* CLOSE: the reason, without its code; NUL-terminated */
    size_t len;
    int code; /* CLOSE */
};
/* Returns false to end the reading: what follows is not looked at. */
typedef bool ws_message_fn(const struct ws_message *m, void *arg);

struct ws_reader {
    enum ws_role role; /* of the one who reads: a server gets masked frames, a client bare ones */
    ws_message_fn *fn;
    void *arg;
    int failed;  /* the close code of the error; nothing is read any more */
    bool closed; /* a close frame came, or fn said so */

    uint8_t head[14];
    size_t head_len;
    uint64_t left; /* payload bytes of the frame under way */
    bool in_payload;
    uint64_t mask_at;
    enum ws_opcode message; /* of the fragmented message; CONTINUATION = none */
    int fragments;
    struct buf data;    /* the message so far */
    struct buf control; /* the control frame so far; it may come between fragments */
};

void ws_reader_init(struct ws_reader *r, enum ws_role role, size_t max_message, ws_message_fn *fn,
                    void *arg);
void ws_reader_release(struct ws_reader *r);

/* -1 when the peer breaks the protocol: *e says how, r->failed is the code to close with. */
int ws_read(struct ws_reader *r, const void *data, size_t len, struct err *e);

/* Appends one frame, masked when the writer is a client. */
void ws_write(struct buf *out, enum ws_role role, enum ws_opcode opcode, const void *data,
              size_t len);
void ws_write_close(struct buf *out, enum ws_role role, int code, const char *reason);
/* "1006 the connection was lost without a close frame"-like words for a close code. */
const char *ws_code_text(int code);

/* ---- the handshake ---- */
enum { WS_KEY = 25, WS_ACCEPT = 29 };                 /* with NUL */
void ws_make_key(char ret[WS_KEY]);                   /* random */
void ws_accept(const char *key, char ret[WS_ACCEPT]); /* RFC 6455 section 4.2.2, 5.4 */

/* Reads the server's answer to a handshake with that key. Returns the length of its head once that
 * is whole, 0 while it is not (the caller bounds the waiting), -1 when it is no acceptance: *e says
 * what came instead. *ret_status is set as soon as it is known. */
int64_t ws_read_answer(const char *data, size_t len, const char *key, int *ret_status,
                       struct err *e);
