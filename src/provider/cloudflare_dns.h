#pragma once

#include "net/dns_update.h"
#include "net/http.h"

/*
 * Cloudflare's DNS records as a translator: requests and what their replies say. No I/O, no state,
 * no clock. Source of the protocol: Cloudflare's API reference, "DNS Records for a Zone". The token
 * needs the permission "Zone: DNS: Edit", and "Zone: Zone: Read" when the zone is given by name.
 *
 * Only records of the one name are ever read or changed, and only by their id; there is no request
 * here that creates or deletes.
 */
#define CLOUDFLARE_API "https://api.cloudflare.com/client/v4"

struct cloudflare_dns { /* borrowed */
    const char *token;
    const char *zone; /* "example.com", or the zone's id */
    const char *host; /* "api.example.com" */
};

enum { CLOUDFLARE_ID_MAX = 64 };

/* 32 hexadecimal digits: needs no look-up. */
bool cloudflare_is_zone_id(const char *zone);

/* Requests; URLs begin with '/'. Freed by http_request_release. */
void cloudflare_ask_zone(const struct cloudflare_dns *c, struct http_request *ret);
void cloudflare_ask_records(const struct cloudflare_dns *c, const char *zone_id,
                            struct http_request *ret);
/* Puts `wanted` into the record `id`; its comment and tags stay. */
void cloudflare_change_record(const struct cloudflare_dns *c, const char *zone_id, const char *id,
                              const struct dns_record *wanted, struct http_request *ret);

/* Replies of any status, none too. ERR_NET: no answer; ERR_REMOTE: it says no, or makes no sense;
 * `retry` and `retry_after` are set where another try may help. */
int cloudflare_take_zone(const struct cloudflare_dns *c, const struct http_reply *r,
                         char ret[CLOUDFLARE_ID_MAX], struct err *e);
/* Those of `host` that are A, AAAA or CNAME. */
int cloudflare_take_records(const struct cloudflare_dns *c, const struct http_reply *r,
                            struct dns_records *ret, struct err *e);
int cloudflare_take_change(const struct cloudflare_dns *c, const struct http_reply *r,
                           struct err *e);
