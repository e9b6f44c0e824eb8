#include "app/event_hub.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct event_hub *hub;
    struct reader *next;
    struct http_exchange *x;
};

struct event_hub {
    struct timer *keep;
    struct reader *readers;
    size_t n;
};

static void drop(struct event_hub *h, struct reader *r)
{
    struct reader **at = &h->readers;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    h->n--;
    free(r);
}

static void leave(void *arg)
{
    struct reader *r = arg;

    drop(r->hub, r);
}

static void write_all(struct event_hub *h, const char *data, size_t len)
{
    for (struct reader *r = h->readers, *next; r; r = next) {
        struct http_exchange *x = r->x;
        next = r->next;
        if (http_exchange_pending(x) + len <= HUB_BEHIND_MAX) {
            http_exchange_chunk(x, data, len);
            continue;
        }
        drop(h, r);
        http_exchange_abort(x);
    }
}

static void keep(void *arg)
{
    static const char comment[] = ":\n\n";
    struct event_hub *h = arg;

    write_all(h, comment, sizeof(comment) - 1);
    timer_start(h->keep, HUB_KEEP_MS);
}

struct event_hub *event_hub_new(struct loop *loop)
{
    struct event_hub *h = mem_alloc(sizeof(*h));

    h->keep = timer_new(loop, keep, h);
    timer_start(h->keep, HUB_KEEP_MS);
    return h;
}

bool event_hub_join(struct event_hub *h, struct http_exchange *x)
{
    static const char hello[] = "retry: 2000\n\n";

    if (h->n == HUB_READERS_MAX)
        return false;
    struct reader *r = mem_alloc(sizeof(*r));
    *r = (struct reader){.hub = h, .next = h->readers, .x = x};
    h->readers = r;
    h->n++;
    http_exchange_on_gone(x, leave, r);
    http_exchange_set(x, "Cache-Control", "no-store");
    http_exchange_set(x, "X-Accel-Buffering", "no");
    http_exchange_begin(x, 200, "text/event-stream", -1);
    http_exchange_chunk(x, hello, sizeof(hello) - 1);
    return true;
}

void event_hub_send(struct event_hub *h, const char *event, const char *json, size_t len)
{
    struct buf b = BUF_INIT(SIZE_MAX / 4);

    if (!h->readers)
        return;
    buf_addf(&b, "event: %s\ndata: ", event);
    buf_add(&b, json, len);
    buf_adds(&b, "\n\n");
    write_all(h, b.data, b.len);
    buf_release(&b);
}

size_t event_hub_readers(const struct event_hub *h)
{
    return h->n;
}

void event_hub_free(struct event_hub *h)
{
    if (!h)
        return;
    while (h->readers) {
        struct http_exchange *x = h->readers->x;
        drop(h, h->readers);
        http_exchange_end(x);
    }
    timer_free(h->keep);
    free(h);
}
