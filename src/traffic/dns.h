#pragma once

#include "base/err.h"
#include "net/dns_update.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct failover_standing;
struct http_client;
struct loop;

/*
 * The public host name of a route, moved between its environments in the DNS: the only way without
 * the proxy in the path, and the second line behind it. One engine over two backends: Cloudflare's
 * records by its API, and RFC 2136 with TSIG at the zone's primary server.
 *
 * The brake. It changes one record of one name, never another, never deletes and never creates. It
 * reads what is there first, and goes on only when that is one A, AAAA or CNAME record that it
 * wrote itself or that is one of the route's answers; anything else was changed by others: it says
 * what, and waits for dns_engine_accept. RFC 2136 makes that condition part of the change itself;
 * Cloudflare has no such condition, so there it holds up to the moment of the request. At most
 * `changes_per_hour` changes, counted over restarts. After the change the name is read again, from
 * the authoritative side, before it counts as done.
 *
 * All steps may be repeated: a process that is killed in any of them and starts again reads what is
 * there, and finds either the old answer or the new one. A change that was on its way when its
 * process was killed may still arrive after that reading, unless the name has been changed since.
 *
 * Life cycle: dns_engine_new, dns_engine_follow at each change of the standings (or dns_engine_want
 * for a person), dns_engine_seen at each reading of the counters, dns_engine_free. One thread, the
 * loop's. Times are wall milliseconds unless a name says otherwise.
 */

enum dns_kind { DNS_CLOUDFLARE, DNS_RFC2136 };
const char *dns_kind_name(enum dns_kind k); /* "cloudflare", "rfc2136" */

enum { DNS_CHANGES_PER_HOUR = 12, DNS_SETTLE_BEHIND_PROXY_MS = 10000, DNS_LOOK_MS = 300000 };

/* Cloudflare: whether it stands in front of the name. KEEP: as the record has it now. */
enum dns_proxied { DNS_PROXIED_KEEP, DNS_PROXIED_NO, DNS_PROXIED_YES };

struct dns_answer {
    const char *environment;
    const char *value; /* address or host name */
};

struct dns_options {   /* all texts are copied */
    const char *route; /* "api" */
    const char *host;  /* the name that moves: "api.example.com" */
    const char *zone;  /* "example.com"; Cloudflare: or the zone's id */
    enum dns_kind kind;
    const char *base;  /* Cloudflare: API base; NULL = the public one */
    const char *token; /* Cloudflare */
    enum dns_proxied proxied;
    const char *server; /* RFC 2136, these four: see net/dns_update.h */
    const char *key_name, *key_secret, *algorithm;
    int64_t ttl_s;                    /* seconds */
    const struct dns_answer *answers; /* in the order in which environments take over */
    size_t n_answers;
    const char *state;    /* what `save` was given last, by any process; NULL or "" = nothing */
    int changes_per_hour; /* 0 = DNS_CHANGES_PER_HOUR */
    int64_t settle_ms;    /* dns_engine_follow: a new first environment must stay it so long */
    int64_t look_ms;      /* the calm look; 0 = DNS_LOOK_MS, which costs Cloudflare's allowance of
                           * 1,200 requests in five minutes one */
    unsigned timeout_ms;  /* one request; 0 = 5000 */
    /* The state as JSON, to be kept for the next process; before each change and after it. */
    void (*save)(const char *json, void *arg); /* NULL is fine */
    /* For the log: moved, refused, failed, each once until something else happens. */
    void (*say)(const char *text, bool bad, void *arg); /* NULL is fine */
    void *arg;
};

struct dns_engine;
/* Sends nothing yet. NULL and ERR_USAGE: an answer that is neither address nor host name, a host
 * outside of the zone, a key that makes no sense; ERR_STORE: a state that cannot be read. `client`
 * is borrowed, and not needed for RFC 2136. */
struct dns_engine *dns_engine_new(struct loop *loop, struct http_client *client,
                                  const struct dns_options *o, struct err *e);
/* What `save` was given last, or would be: for an engine that takes this one's place. The caller's
 * (free). */
char *dns_engine_state(const struct dns_engine *d);
/* Something that was asked for has not ended. A change under way had better be waited for. */
bool dns_engine_is_busy(const struct dns_engine *d);
void dns_engine_free(struct dns_engine *d); /* no callback comes any more; NULL is fine */

/* e NULL: the name answers with that environment, as read back. Else nothing was changed, or it is
 * not known whether it was (ERR_NET), which the next call finds out: ERR_NO: the brake; ERR_REMOTE:
 * refused; ERR_USAGE: no such environment, or it has no answer. Called once, never from inside. */
typedef void dns_done_fn(const struct err *e, void *arg);

/* Moves the name onto that environment, now. While another call is under way it comes after it; one
 * that has not begun yet gives way to the newer one (ERR_NO). `done` NULL is fine. */
void dns_engine_want(struct dns_engine *d, const char *environment, dns_done_fn *done, void *arg);

/* The standings of the route, at each change of theirs or more often: the name follows the first
 * environment in order that gets traffic and is neither down nor draining, once it was that for the
 * settle time. While there is none the name stays where it is. What failed is tried again, at
 * growing pauses; what the brake holds, when it lets go. */
void dns_engine_follow(struct dns_engine *d, const struct failover_standing *standings, size_t n);

/* Takes what is there now as last seen, whoever wrote it, so that the next change may replace it.
 * It must still be one record. Changes nothing in the DNS. */
void dns_engine_accept(struct dns_engine *d, dns_done_fn *done, void *arg);

/* Reads what is there, for the summary. When it differs from what was last seen it says so, once,
 * and is held (`foreign`), which is no error of the look. The engine looks by itself too, once
 * nothing else has read the name for look_ms: what others change is not first seen when it is in
 * the way. */
void dns_engine_look(struct dns_engine *d, dns_done_fn *done, void *arg);

/* Requests that the environment has answered since any start, at `at_ms` of a clock that does not
 * go back: from the proxy's counters of what came by that answer. A lower total begins anew. */
void dns_engine_seen(struct dns_engine *d, const char *environment, uint64_t requests_total,
                     int64_t at_ms);

enum dns_phase {
    DNS_IDLE,
    DNS_SETTLING, /* another environment is first; waiting whether it stays so */
    DNS_READING,
    DNS_WRITING,
    DNS_CONFIRMING, /* reading back */
    DNS_HELD,       /* by the brake: `why` says it and what to do */
    DNS_FAILED,     /* tried again at next_try_ms, when it follows */
};
const char *dns_phase_name(enum dns_phase p);

struct dns_summary { /* texts live until the next call on the engine or turn of the loop */
    const char *host;
    enum dns_phase phase;
    const char *answer;      /* "CNAME uat.example.net"; "" = not read yet */
    const char *environment; /* whose answer that is; "" = nobody's */
    const char *wanted;      /* "" = nothing yet */
    const char *why;         /* of HELD and FAILED; "" else */
    bool foreign;            /* HELD because others changed it: dns_engine_accept lets it go on */
    int64_t ttl_s;           /* of the answer */
    int64_t changed_at;      /* the last change of ours; 0 = none */
    int64_t looked_at;       /* the name was last read; 0 = not yet */
    double tail_per_second;  /* requests that still come by other answers; -1 = not known */
    int64_t tail_until;      /* the last of them that was seen since the change; 0 = none */
    int changes_left;        /* of this hour */
    int64_t next_change_at;  /* when there is one again; 0 = now */
    int64_t next_try_at;     /* 0 = none is due */
};
void dns_engine_summary(const struct dns_engine *d, struct dns_summary *ret);
