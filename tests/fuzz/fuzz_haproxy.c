#include "base/buf.h"
#include "traffic/haproxy_reply.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as an answer of HAProxy's runtime socket: identity, statistics, complaints, sessions.
 * No crash; texts are printable and end; only commands that end a session come out.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void is_text(const char *s, size_t size)
{
    check(memchr(s, 0, size) != NULL);
    for (; *s; s++)
        check(*s >= ' ' && *s < 0x7f);
}

static void take_row(const struct haproxy_row *row, void *arg)
{
    struct haproxy_tally *t = arg;
    struct live_counters c;

    is_text(row->proxy, sizeof row->proxy);
    is_text(row->server, sizeof row->server);
    is_text(row->status, sizeof row->status);
    is_text(row->check, sizeof row->check);
    haproxy_tally_begin(t);
    haproxy_tally_add(t, row);
    haproxy_tally_end(t, &c);
    check(c.waiting <= row->streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(4096), text = BUF_INIT(1 << 20);
    struct haproxy_identity id;
    struct haproxy_tally tally = {0};
    struct err e = ERR_INIT;
    char words[100];

    buf_add(&text, data, size);
    if (haproxy_identity_read(buf_str(&text), &id, &e) == 0) {
        is_text(id.node, sizeof id.node);
        is_text(id.hash, sizeof id.hash);
        check(id.pid >= 0);
    }
    check(haproxy_version_read(buf_str(&text)) >= -1);
    haproxy_stats_read(buf_str(&text), take_row, &tally, &e);
    if (haproxy_complaint(buf_str(&text), words, sizeof words))
        is_text(words, sizeof words);
    haproxy_sessions_free(buf_str(&text), "api", "uat.example", &out);
    check(out.len == 0 || !strncmp(buf_str(&out), "shutdown session 0x", 19));
    buf_release(&text);
    buf_release(&out);
    return 0;
}
