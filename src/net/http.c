#include "net/http.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_request_release(struct http_request *r)
{
    arena_release(&r->arena);
    *r = (struct http_request){0};
}

/* Formats into the request's arena. */
__attribute__((format(printf, 2, 0))) static const char *keep(struct http_request *r,
                                                              const char *fmt, va_list ap)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        abort();

    const char *kept = arena_strdup(&r->arena, text);

    free(text);
    return kept;
}

void http_request_url(struct http_request *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    r->url = keep(r, fmt, ap);
    va_end(ap);
}

/* Room for item n in an array that lives in the arena: doubled at powers of two, the old one stays
 * behind until the request is released. */
static void *room_for(struct http_request *r, const void *items, size_t n, size_t size)
{
    if (n > 0 && (n & (n - 1)) != 0)
        return (void *)(uintptr_t)items; /* made here, so it may be written */

    void *grown = arena_array(&r->arena, n > 0 ? 2 * n : 1, size);

    if (n > 0)
        memcpy(grown, items, n * size);
    return grown;
}

void http_request_header(struct http_request *r, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *value = keep(r, fmt, ap);
    va_end(ap);

    struct http_header *headers = room_for(r, r->headers, r->n_headers, sizeof *headers);

    headers[r->n_headers++] = (struct http_header){arena_strdup(&r->arena, name), value};
    r->headers = headers;
}

static void add_part(struct http_request *r, struct http_part part)
{
    r->parts = room_for(r, r->parts, r->n_parts, sizeof *r->parts);
    r->parts[r->n_parts++] = part;
}

void http_request_text(struct http_request *r, const char *data, size_t len)
{
    add_part(r, (struct http_part){HTTP_PART_TEXT, arena_strndup(&r->arena, data, len), len});
}

void http_request_file(struct http_request *r, const char *path, size_t size, bool base64)
{
    add_part(r, (struct http_part){base64 ? HTTP_PART_FILE_BASE64 : HTTP_PART_FILE,
                                   arena_strdup(&r->arena, path), size});
}

void http_request_json(struct http_request *r, const struct json_t *json)
{
    char *text = json_text(json);

    http_request_header(r, "Content-Type", "application/json");
    http_request_text(r, text, strlen(text));
    free(text);
}

uint64_t http_request_length(const struct http_request *r)
{
    uint64_t total = 0;

    for (size_t i = 0; i < r->n_parts; i++) {
        const struct http_part *p = &r->parts[i];

        total += p->kind == HTTP_PART_FILE_BASE64 ? 4 * (((uint64_t)p->len + 2) / 3) : p->len;
    }
    return total;
}

static const char *find(const struct http_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    return NULL;
}

const char *http_request_find(const struct http_request *r, const char *name)
{
    return find(r->headers, r->n_headers, name);
}

const char *http_reply_header(const struct http_reply *r, const char *name)
{
    return find(r->headers, r->n_headers, name);
}

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0'
           : c >= 'a' && c <= 'f'    ? c - 'a' + 10
           : c >= 'A' && c <= 'F'    ? c - 'A' + 10
                                     : -1;
}

bool http_percent_decode(char *s)
{
    char *out = s;

    for (; *s; s++) {
        if (*s != '%') {
            *out++ = *s;
            continue;
        }

        int high = hex_value(s[1]), low = high < 0 ? -1 : hex_value(s[2]);

        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high << 4 | low);
        s += 2;
    }
    *out = '\0';
    return true;
}

bool http_is_loopback(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t len = strlen(name), suffix_len = sizeof suffix - 1;
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, name, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, name, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(name, "localhost") == 0 ||
           (len > suffix_len && strcasecmp(name + len - suffix_len, suffix) == 0);
}

void http_origin_of_host(const char *host, char ret[300])
{
    char name[300];

    /* "[::1]:8080", "host:8080", "::1" (more than one colon and no bracket: an address) */
    text_copy(name, sizeof name, host[0] == '[' ? host + 1 : host);
    if (host[0] == '[')
        name[strcspn(name, "]")] = '\0';
    else if (strchr(name, ':') == strrchr(name, ':'))
        name[strcspn(name, ":")] = '\0';

    bool bare_v6 = host[0] != '[' && strchr(host, ':') != strrchr(host, ':');

    snprintf(ret, 300, bare_v6 ? "%s[%.250s]" : "%s%.250s",
             http_is_loopback(name) ? "http://" : "https://", host);
}

static bool is_token(const char *s)
{
    size_t len = strlen(s);

    return len > 0 && strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static bool is_field_value(const char *s)
{
    for (; *s; s++) {
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return false;
    }
    return true;
}

bool http_header_fits(const char *name, const char *value)
{
    return is_token(name) && is_field_value(value);
}
