#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_exchange;
struct loop;

/*
 * Server-sent events to every open page (WHATWG HTML, "Server-sent events"). Whoever has something
 * to say says it once; the hub writes it to all readers. A comment line every 15 seconds keeps
 * proxies from closing the connection and finds readers that are gone. A reader that does not take
 * what it is sent is cut off once HUB_BEHIND_MAX bytes wait for it: it comes back and reads the
 * state anew, and our memory stays bounded.
 *
 * Life cycle: event_hub_new, event_hub_join, event_hub_send, event_hub_free. One thread, the
 * loop's.
 */
struct event_hub;
enum { HUB_READERS_MAX = 64, HUB_BEHIND_MAX = 1 << 20, HUB_KEEP_MS = 15000 };

struct event_hub *event_hub_new(struct loop *loop);
/* Begins the answer of x and keeps it. False, and x is not answered: there are too many readers. */
bool event_hub_join(struct event_hub *h, struct http_exchange *x);
/* `json` has no line break. */
void event_hub_send(struct event_hub *h, const char *event, const char *json, size_t len);
size_t event_hub_readers(const struct event_hub *h);
void event_hub_free(struct event_hub *h); /* ends all answers; NULL is fine */
