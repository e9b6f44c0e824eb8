#include "probe/check_connection.h"

#include "base/clock.h"
#include "base/text.h"
#include "net/loop.h"

int64_t connection_now(const struct connection *c)
{
    return clock_mono_us(loop_clock(c->tools->loop)) - c->began_us;
}

void connection_place(struct connection *c, uint16_t port)
{
    int given = c->target->port;

    if (given > 0 && given <= UINT16_MAX)
        port = (uint16_t)given;
    if (!endpoint_read(c->target->url, port, &c->place))
        text_copy(c->place.host, sizeof c->place.host, c->target->url);
}

void connection_begin(struct connection *c, int64_t intended_us, bool tls,
                      const struct stream_events *events, void *arg)
{
    struct stream_options o = {.host = c->place.host, .port = c->place.port, .tls = tls};

    c->began_us = clock_mono_us(loop_clock(c->tools->loop));
    c->queued_us = intended_us > 0 && c->began_us > intended_us ? c->began_us - intended_us : 0;
    c->stream = stream_open(c->tools->dialer, &o, events, arg);
}

void connection_progress(const struct connection *c, struct check_answer *ret)
{
    struct stream_phases phases = stream_phases(c->stream);

    *ret = (struct check_answer){
        .sent = stream_sent(c->stream),
        .answered = stream_answered(c->stream),
        .queued = c->queued_us,
        .lookup = phases.lookup,
        .connect = phases.connect,
        .tls = phases.tls,
        .first_byte = -1,
        .total = -1,
        .reason = "",
        .detail = "",
    };
}

void connection_failed(const struct connection *c, const struct err *e, struct check_answer *ret)
{
    connection_progress(c, ret);
    ret->reason = e->text;
    ret->total = connection_now(c);
    if (e->kind == ERR_USAGE || e->kind == ERR_STORE)
        ret->sent = ret->answered = false;
}
