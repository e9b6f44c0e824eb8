#include "watch.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/*
 * What was received, one JSON line a request: the last ones kept (bounded in number and bytes), and
 * sent on to whoever follows. Credentials never enter it.
 */
enum { LINES_MAX = 10000, BYTES_MAX = 64 << 20, BODY_SHOWN_MAX = 64 << 10 };

struct line {
    uint64_t seq;
    char *text; /* with its newline */
    size_t len;
};

struct follower {
    struct follower *next, **link; /* link: what points at us */
    struct stream *stream;
    struct http_exchange *x;
};

struct stream {
    struct line lines[LINES_MAX]; /* a ring: oldest at `head` */
    size_t head, len, bytes;
    uint64_t seq;
    struct follower *followers;
};

struct stream *stream_new(void)
{
    return mem_alloc(sizeof(struct stream));
}

static void drop_oldest(struct stream *t)
{
    struct line *oldest = &t->lines[t->head];

    t->bytes -= oldest->len;
    free(oldest->text);
    t->head = (t->head + 1) % LINES_MAX;
    t->len--;
}

void stream_clear(struct stream *t)
{
    while (t->len > 0)
        drop_oldest(t);
}

static void follower_gone(void *arg)
{
    struct follower *f = arg;

    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    free(f);
}

void stream_free(struct stream *t)
{
    if (!t)
        return;
    for (struct follower *f = t->followers, *next; f; f = next) {
        struct http_exchange *x = f->x;

        next = f->next;
        http_exchange_on_gone(x, NULL, NULL);
        follower_gone(f);
        http_exchange_abort(x);
    }
    stream_clear(t);
    free(t);
}

static bool is_secret_name(const char *name)
{
    static const char *const marks[] = {"authorization", "cookie",   "token",  "secret",
                                        "key",           "password", "session"};

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (strcasestr(name, marks[i]))
            return true;
    return false;
}

static void note_header(const char *name, const char *value, void *arg)
{
    char lower[128];
    size_t i;

    if (is_secret_name(name))
        return;
    for (i = 0; name[i] && i + 1 < sizeof(lower); i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    lower[i] = '\0';
    json_object_set_new(arg, lower, json_string(value));
}

static void note_query(const char *name, const char *value, void *arg)
{
    json_object_set_new(arg, name, json_string(is_secret_name(name) ? "[removed]" : value));
}

static void note_body(json_t *entry, const struct sim_request *r)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    sha256(r->body, r->body_len, digest);
    hex_encode(digest, sizeof(digest), hex);
    json_object_set_new(entry, "body_sha256", json_string(hex));
    json_object_set_new(entry, "body_bytes", json_integer((json_int_t)r->body_len));
    if (r->json && r->body_len <= BODY_SHOWN_MAX)
        json_object_set(entry, "body", r->json);
}

static void send_to_followers(struct stream *t, const struct line *line)
{
    for (struct follower *f = t->followers, *next; f; f = next) {
        next = f->next;
        http_exchange_chunk(f->x, line->text, line->len);
    }
}

void stream_note(struct stream *t, const struct sim_request *r, const char *full_path, int status)
{
    json_t *headers = json_object(), *query = json_object(), *entry;
    struct line *line;
    char *text;

    if (r->x) {
        http_exchange_headers(r->x, note_header, headers);
        http_exchange_queries(r->x, note_query, query);
    }
    entry = json_pack("{s:I, s:I, s:s, s:s, s:s*, s:o, s:o, s:i}", "seq", (json_int_t)++t->seq,
                      "at_ms", (json_int_t)sim_now_ms(r->sim), "platform", r->platform->name,
                      "method", r->method, "path", full_path, "query", query, "headers", headers,
                      "status", status);
    if (!entry) /* a path that is not UTF-8 */
        return;
    note_body(entry, r);
    if (r->cold_ms > 0)
        json_object_set_new(entry, "cold_ms", json_integer((json_int_t)r->cold_ms));
    text = json_text(entry);
    json_decref(entry);
    while (t->len == LINES_MAX || (t->len > 0 && t->bytes > BYTES_MAX))
        drop_oldest(t);
    line = &t->lines[(t->head + t->len++) % LINES_MAX];
    line->seq = t->seq;
    line->text = mem_printf("%s\n", text);
    line->len = strlen(line->text);
    t->bytes += line->len;
    free(text);
    send_to_followers(t, line);
}

void stream_show(struct stream *t, struct http_exchange *x, uint64_t since, bool follow)
{
    struct follower *f;

    http_exchange_begin(x, 200, "application/x-ndjson", -1);
    for (size_t i = 0; i < t->len; i++) {
        const struct line *line = &t->lines[(t->head + i) % LINES_MAX];

        if (line->seq > since)
            http_exchange_chunk(x, line->text, line->len);
    }
    if (!follow) {
        http_exchange_end(x);
        return;
    }
    f = mem_alloc(sizeof(*f));
    *f = (struct follower){.next = t->followers, .link = &t->followers, .stream = t, .x = x};
    if (f->next)
        f->next->link = &f->next;
    t->followers = f;
    http_exchange_on_gone(x, follower_gone, f);
}
