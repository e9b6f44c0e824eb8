#include "app/api_guard.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* The host without port and brackets; false when it is none. */
static bool bare_host(const char *host, char *ret, size_t size)
{
    size_t len = strcspn(host, ":");

    if (host[0] == '[') {
        host++;
        len = strcspn(host, "]");
        if (host[len] != ']' || (host[len + 1] != '\0' && host[len + 1] != ':'))
            return false;
    }
    if (len == 0 || len >= size)
        return false;
    memcpy(ret, host, len);
    ret[len] = '\0';
    return true;
}

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_literal(const char *address)
{
    struct in6_addr any;

    return inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1;
}

static bool same_address(const char *a, const char *b)
{
    struct in6_addr x, y;

    memset(&x, 0, sizeof(x));
    memset(&y, 0, sizeof(y));
    for (int family = AF_INET;; family = AF_INET6) {
        if (inet_pton(family, a, &x) == 1 && inet_pton(family, b, &y) == 1)
            return memcmp(&x, &y, sizeof(x)) == 0;
        if (family == AF_INET6)
            return false;
    }
}

int api_site_read(const char *text, struct api_site *ret, struct err *e)
{
    const char *colon = strrchr(text, ':');
    struct api_site site = {0};
    int64_t port = 0;

    if (!colon || !bare_host(text, site.address, sizeof(site.address)) ||
        !is_literal(site.address) || text_int(colon + 1, 0, 65535, &port) < 0 ||
        (text[0] != '[' && strchr(text, ':') != colon))
        return err_set(e, ERR_USAGE,
                       "--listen %.80s: give a numeric address and a port, as 127.0.0.1:7467 or "
                       "[::1]:7467",
                       text);
    site.port = (uint16_t)port;
    *ret = site;
    return 0;
}

bool api_site_loopback(const struct api_site *site)
{
    return is_loopback(site->address);
}

static bool is_wildcard(const char *address)
{
    return same_address(address, "0.0.0.0") || same_address(address, "::");
}

bool api_host_ok(const struct api_site *site, const char *host)
{
    char name[256];

    if (!host || !bare_host(host, name, sizeof(name)))
        return false;
    if (strcasecmp(name, "localhost") == 0 || is_loopback(name))
        return true;
    if (is_literal(name))
        return same_address(name, site->address) || is_wildcard(site->address);
    for (size_t i = 0; i < site->n_names; i++)
        if (strcasecmp(name, site->names[i]) == 0)
            return true;
    return false;
}

bool api_origin_ok(const char *host, const char *origin, const char *fetch_site)
{
    if (fetch_site && strcmp(fetch_site, "same-origin") != 0 && strcmp(fetch_site, "none") != 0)
        return false;
    if (!origin)
        return true;
    const char *authority = strstr(origin, "://");
    return host && authority && strcasecmp(authority + 3, host) == 0;
}

const char *api_bearer(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    while (*authorization == ' ')
        authorization++;
    return *authorization ? authorization : NULL;
}
