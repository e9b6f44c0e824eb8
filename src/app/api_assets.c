#include "app/api_assets.h"

#include "net/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct embedded_asset *asset_find(const struct embedded_asset *all, size_t n,
                                        const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < n; i++)
        if (path[0] == '/' && strcmp(all[i].path, path + 1) == 0)
            return &all[i];
    return NULL;
}

/* "q=0", "q=0.0": not wanted. */
static bool is_refused(const char *parameters, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if ((parameters[i] == 'q' || parameters[i] == 'Q') && parameters[i + 1] == '=')
            return strtod(parameters + i + 2, NULL) <= 0;
    return false;
}

bool asset_takes_gzip(const char *accept_encoding)
{
    const char *s = accept_encoding ? accept_encoding : "";

    while (*s) {
        s += strspn(s, " \t,");
        size_t len = strcspn(s, ","), name = strcspn(s, ",; \t");
        if ((name == 4 && strncasecmp(s, "gzip", 4) == 0) || (name == 1 && *s == '*'))
            return !is_refused(s + name, len - name);
        s += len;
    }
    return false;
}

bool asset_is_known(const char *if_none_match, const char *etag)
{
    const char *s = if_none_match ? if_none_match : "";
    size_t n = strlen(etag);

    while (*s) {
        s += strspn(s, " \t,");
        if (strncmp(s, "W/", 2) == 0)
            s += 2;
        size_t len = strcspn(s, ", \t");
        if ((len == n && strncmp(s, etag, n) == 0) || (len == 1 && *s == '*'))
            return true;
        s += len;
    }
    return false;
}

void asset_answer(struct http_exchange *x, const struct embedded_asset *a)
{
    bool gzip = a->gzip && asset_takes_gzip(http_exchange_header(x, "Accept-Encoding"));
    char etag[64];

    (void)snprintf(etag, sizeof(etag), "\"%.40s%s\"", a->digest, gzip ? "-gzip" : "");
    http_exchange_set(x, "ETag", etag);
    http_exchange_set(x, "Vary", "Accept-Encoding");
    http_exchange_set(x, "Cache-Control", "no-cache"); /* kept, and asked for with its tag */
    if (asset_is_known(http_exchange_header(x, "If-None-Match"), etag)) {
        http_exchange_answer(x, 304, NULL, "", 0);
        return;
    }
    if (gzip)
        http_exchange_set(x, "Content-Encoding", "gzip");
    http_exchange_answer(x, 200, a->type, gzip ? a->gzip : a->data, gzip ? a->gzip_len : a->len);
}

void asset_answer_none(struct http_exchange *x)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>trine</title>\n"
        "<h1>This trine was built without its dashboard</h1>\n"
        "<p>The API works: <a href=\"/api/v1/overview\">overview</a>, "
        "<a href=\"/api/v1/checks\">checks</a>, <a href=\"/metrics\">metrics</a>.</p>\n"
        "<p>To get the dashboard, install Node.js 18 or newer with npm and run "
        "<code>script/build</code>.</p>\n</html>\n";

    http_exchange_set(x, "Cache-Control", "no-store");
    http_exchange_answer(x, 200, "text/html; charset=utf-8", page, sizeof(page) - 1);
}
