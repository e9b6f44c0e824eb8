#include "traffic/dns_inner.h"

#include "base/text.h"
#include "net/loop.h"

#include <stdio.h>

/*
 * The calm look: what others changed is said when it was changed, not first in the moment in which
 * the name has to move. Each reading for another reason counts as one.
 */

void dns_look_due(void *engine)
{
    struct dns_engine *d = engine;

    if (dns_is_busy(d)) /* whose end brings the next look */
        return;
    dns_engine_look(d, NULL, NULL);
}

void dns_look_later(struct dns_engine *d, const struct err *e)
{
    int64_t asked = e ? (int64_t)e->retry_after : 0;

    timer_start(d->look, asked > d->look_ms ? asked : d->look_ms);
}

static void hold(struct dns_engine *d, struct err *e)
{
    d->phase = DNS_HELD;
    d->foreign = d->looked_badly = true;
    err_wrap(e, "DNS of route %s", d->route);
    (void)text_copy(d->why, sizeof d->why, e->text);
    dns_tell(d, e->text, true);
    dns_end(d, NULL);
}

void dns_look_ended(struct dns_engine *d)
{
    bool stopped = d->before_look == DNS_HELD || d->before_look == DNS_FAILED;
    struct err e = ERR_INIT;
    char text[700];

    if (brake_drifted(&d->brake, &d->memory, &d->found, &e)) {
        hold(d, &e);
        return;
    }
    if (stopped && !d->foreign && !d->looked_badly) { /* why it stopped still holds */
        d->phase = d->before_look;
        dns_end(d, NULL);
        return;
    }
    if (d->foreign) {
        (void)snprintf(text, sizeof text, "DNS of route %s: %s has %s again, as it was last seen",
                       d->route, d->host, d->answer_text);
        dns_tell(d, text, false);
        d->next_try = 0;
    }
    dns_end_well(d);
}
