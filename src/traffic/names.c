#include "traffic/failover.h"
#include "traffic/haproxy.h"

/* The words that people, the store and the API see. */

const char *live_state_name(enum live_state s)
{
    static const char *const names[] = {
        [LIVE_NONE] = "none", [LIVE_GOOD] = "good",       [LIVE_ERRORS] = "errors",
        [LIVE_BAD] = "bad",   [LIVE_STALLED] = "stalled",
    };
    return names[s];
}

const char *finding_name(enum finding f)
{
    static const char *const names[] = {
        [FINDING_NONE] = "none",       [FINDING_INVALID] = "invalid", [FINDING_UP] = "up",
        [FINDING_SUSPECT] = "suspect", [FINDING_DOWN] = "down",
    };
    return names[f];
}

const char *traffic_state_name(enum traffic_state s)
{
    static const char *const names[] = {
        [TRAFFIC_UNKNOWN] = "unknown",   [TRAFFIC_UP] = "up",
        [TRAFFIC_DEGRADED] = "degraded", [TRAFFIC_ASLEEP] = "asleep",
        [TRAFFIC_SUSPECT] = "suspect",   [TRAFFIC_DOWN] = "down",
        [TRAFFIC_DRAINING] = "draining", [TRAFFIC_STATES] = "?",
    };
    return names[s];
}

const char *traffic_event_name(enum traffic_event v)
{
    static const char *const names[] = {
        [EVENT_UP] = "up",         [EVENT_DOUBT] = "doubt",
        [EVENT_ERRORS] = "errors", [EVENT_LIVE_DOWN] = "live-down",
        [EVENT_DOWN] = "down",     [EVENT_BLIND] = "blind",
        [EVENT_SLEPT] = "slept",   [EVENT_HELD] = "held",
        [EVENT_DRAIN] = "drain",   [EVENT_RESTORE] = "restore",
        [TRAFFIC_EVENTS] = "?",
    };
    return names[v];
}

const char *order_kind_name(enum order_kind k)
{
    static const char *const names[] = {
        [ORDER_WEIGHT] = "weight", [ORDER_DRAIN] = "drain", [ORDER_UP] = "up",
        [ORDER_DOWN] = "down",     [ORDER_NONE] = "none",
    };
    return names[k];
}

const char *haproxy_state_name(enum haproxy_state s)
{
    static const char *const names[] = {
        [HAPROXY_OFF] = "off",   [HAPROXY_STARTING] = "starting", [HAPROXY_RUNNING] = "running",
        [HAPROXY_LOST] = "lost", [HAPROXY_REFUSED] = "refused",
    };
    return names[s];
}
