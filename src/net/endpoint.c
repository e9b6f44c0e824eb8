#include "net/endpoint.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One part of the URL; false when it does not fit. A part that is missing is "". */
static bool copy_part(CURLU *url, CURLUPart part, char *ret, size_t size)
{
    char *text = NULL;
    bool fits = true;

    ret[0] = '\0';
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        fits = text_copy(ret, size, text);
    curl_free(text);
    return fits;
}

static bool copy_target(CURLU *url, char *ret, size_t size)
{
    char query[1024];
    size_t len;

    if (!copy_part(url, CURLUPART_PATH, ret, size) ||
        !copy_part(url, CURLUPART_QUERY, query, sizeof query))
        return false;
    if (!ret[0])
        text_copy(ret, size, "/");
    len = strlen(ret);
    return !query[0] || (size_t)snprintf(ret + len, size - len, "?%s", query) < size - len;
}

static uint16_t usual_port(const char *scheme)
{
    bool secure = strcmp(scheme, "https") == 0 || strcmp(scheme, "wss") == 0;

    return secure ? 443 : 80;
}

static bool read_parts(CURLU *url, uint16_t port, struct endpoint *ret)
{
    char digits[16];
    int64_t number = port;
    size_t len;

    if (!copy_part(url, CURLUPART_SCHEME, ret->scheme, sizeof ret->scheme) ||
        !copy_part(url, CURLUPART_HOST, ret->host, sizeof ret->host) ||
        !copy_part(url, CURLUPART_PORT, digits, sizeof digits) ||
        !copy_target(url, ret->target, sizeof ret->target))
        return false;
    if (digits[0] && text_int(digits, 1, UINT16_MAX, &number) < 0)
        return false;
    ret->port = number ? (uint16_t)number : usual_port(ret->scheme);
    len = strlen(ret->host);
    if (ret->host[0] == '[') { /* an IPv6 address */
        memmove(ret->host, ret->host + 1, len - 1);
        ret->host[len - 2] = '\0';
    }
    return ret->host[0] != '\0';
}

bool endpoint_read(const char *url, uint16_t port, struct endpoint *ret)
{
    bool whole = strstr(url, "://") != NULL;
    CURLU *parser = curl_url();
    struct endpoint e = {0};
    char text[4096];
    bool good, clean = true;

    if (!parser)
        abort(); /* no memory */
    for (const char *c = url; *c; c++)
        clean = clean && *c > 0x20 && *c < 0x7f; /* it will stand in a request line */
    good = clean &&
           (size_t)snprintf(text, sizeof text, "%s%s", whole ? "" : "none://", url) < sizeof text &&
           curl_url_set(parser, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
           read_parts(parser, port, &e);
    curl_url_cleanup(parser);
    if (!good)
        return false;
    if (!whole)
        e.scheme[0] = '\0';
    *ret = e;
    return true;
}

void endpoint_host(const struct endpoint *e, uint16_t usual, char ret[280])
{
    bool v6 = strchr(e->host, ':') != NULL;
    int len = snprintf(ret, 270, "%s%.255s%s", v6 ? "[" : "", e->host, v6 ? "]" : "");

    if (e->port != usual)
        snprintf(ret + len, 280 - (size_t)len, ":%u", e->port);
}
