#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who may talk to the API. Pure.
 *
 * A page of another site can make a browser send requests to a loopback address. It cannot read the
 * answers, unless its name resolves to our address the second time it is asked for (DNS rebinding):
 * hence only our own names are accepted in Host. And it must not change anything: hence the Origin
 * of a change must be the page that we served.
 */
struct api_site {
    char address[64];         /* as given: "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;            /* 0 picks one */
    const char *const *names; /* further host names, as given with --host */
    size_t n_names;
};

/* "ADDRESS:PORT", "[ADDRESS]:PORT"; the address is a literal one. ERR_USAGE says how. */
int api_site_read(const char *text, struct api_site *ret, struct err *e);
bool api_site_loopback(const struct api_site *site);

/* Is this value of the Host header one of ours: localhost or a loopback address, the address that
 * we listen on (any address where that is the wildcard), or a further name. The port does not
 * count: a tunnel changes it. */
bool api_host_ok(const struct api_site *site, const char *host);
/* May a request with this Origin and Sec-Fetch-Site (each NULL when absent) change something? */
bool api_origin_ok(const char *host, const char *origin, const char *fetch_site);
/* The token of "Authorization: Bearer ...", or NULL when there is none. */
const char *api_bearer(const char *authorization);
