#pragma once

#include "net/endpoint.h"
#include "net/stream.h"
#include "probe/check.h"

/*
 * What the checks over a connection of their own share: where it goes, when it began, and what the
 * stream's facts mean in an answer. Embedded in a check, which fills the first four members.
 */
struct connection {
    const struct check_tools *tools;
    const struct target *target;
    check_fn *fn;
    void *arg;
    struct endpoint place;
    struct stream *stream;
    int64_t began_us, queued_us;
};

/* Where the target is. Takes its port, else `port`, else the scheme's own. What makes no sense is
 * kept as the host: it will be refused as a name. */
void connection_place(struct connection *c, uint16_t port);

/* Notes the time and opens the stream to that place. */
void connection_begin(struct connection *c, int64_t intended_us, bool tls,
                      const struct stream_events *events, void *arg);

int64_t connection_now(const struct connection *c); /* microseconds since it began */

/* What is known so far: phases and whether anything was sent or answered. `total` stays -1, texts
 * "", ok false. */
void connection_progress(const struct connection *c, struct check_answer *ret);

/* The same for a stream that ended: `e` says why. What only this machine is to blame for (the
 * manifest, a missing file, no more sockets) counts as not sent. The reason borrows from *e. */
void connection_failed(const struct connection *c, const struct err *e, struct check_answer *ret);
