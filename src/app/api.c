#include "app/api.h"

#include "app/json_out.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct api {
    struct api_options o;
    struct http_server *server;
};

/* --- Answers ------------------------------------------------------------------------------------
 */

void api_secure(struct http_exchange *x)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; "
                                    "frame-ancestors 'none'; object-src 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Embedder-Policy", "require-corp"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        http_exchange_set(x, headers[i][0], headers[i][1]);
}

void api_answer(struct http_exchange *x, int status, const char *type, const void *body, size_t len)
{
    http_exchange_set(x, "Cache-Control", "no-store");
    http_exchange_answer(x, status, type, body, len);
}

void api_answer_json(struct http_exchange *x, int status, const struct buf *json)
{
    api_answer(x, status, "application/json", buf_str(json), json->len);
}

void api_refuse(struct http_exchange *x, int status, const char *kind, const char *fmt, ...)
{
    struct buf b = BUF_INIT(8192);
    struct json_out o = {.b = &b};
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    out_open(&o, '{');
    out_key(&o, "error");
    out_open(&o, '{');
    out_text_of(&o, "kind", kind);
    out_text_of(&o, "text", text);
    out_close(&o, '}');
    out_close(&o, '}');
    api_answer_json(x, status, &b);
    buf_release(&b);
}

void api_refuse_err(struct http_exchange *x, const struct err *e)
{
    switch (e->kind) {
    case ERR_NO:
        api_refuse(x, 404, "no", "%s", e->text);
        return;
    case ERR_USAGE:
        api_refuse(x, 400, "usage", "%s", e->text);
        return;
    case ERR_STORE:
        api_refuse(x, 503, "store", "%s", e->text);
        return;
    case ERR_NONE:
    case ERR_MANIFEST:
    case ERR_NET:
    case ERR_REMOTE:
    case ERR_BUG:
        api_refuse(x, 500, "bug", "%s", e->text);
        return;
    }
}

/* --- Who may ------------------------------------------------------------------------------------
 */

static bool is_change(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

/* What can be said before the path is looked at. */
static bool admit(const struct api *a, struct http_exchange *x)
{
    const char *host = http_exchange_header(x, "Host");

    if (!api_host_ok(&a->o.site, host)) {
        api_refuse(x, 421, "usage",
                   "this is not %.200s: ask for the address that trine serve printed, or start it "
                   "with --host NAME",
                   host ? host : "a host without a name");
        return false;
    }
    if (is_change(http_exchange_method(x)) &&
        !api_origin_ok(host, http_exchange_header(x, "Origin"),
                       http_exchange_header(x, "Sec-Fetch-Site"))) {
        api_refuse(x, 403, "usage", "a page of another site may not change anything here");
        return false;
    }
    return true;
}

static void want_token(struct http_exchange *x, bool given, enum access_scope scope)
{
    http_exchange_set(x, "WWW-Authenticate", "Bearer realm=\"trine\"");
    if (given)
        api_refuse(x, 401, "token",
                   "this token is not valid (any more); make one with: trine "
                   "token create NAME --scope %s",
                   access_scope_name(scope));
    else
        api_refuse(x, 401, "token",
                   "this needs a token of scope %s in the header Authorization: Bearer TOKEN; make "
                   "one with: trine token create NAME --scope %s",
                   access_scope_name(scope), access_scope_name(scope));
}

static enum access_scope scope_for(enum api_need need)
{
    switch (need) {
    case API_OPERATE:
        return ACCESS_OPERATE;
    case API_AGENT:
        return ACCESS_AGENT;
    case API_OPEN:
    case API_READ:
        break;
    }
    return ACCESS_READ;
}

static bool opens(enum access_scope has, enum access_scope want)
{
    return has == want || (has == ACCESS_OPERATE && want == ACCESS_READ);
}

static bool allow(const struct api *a, const struct api_route *route, struct api_call *c)
{
    const char *token = api_bearer(http_exchange_header(c->x, "Authorization"));
    enum access_scope want = scope_for(route->need);
    struct err e = ERR_INIT;

    if (route->need == API_OPEN || (route->need == API_READ && api_site_loopback(&a->o.site)))
        return true;
    int valid = token ? a->o.check(token, &c->who, a->o.arg, &e) : 0;
    if (valid < 0) {
        api_refuse_err(c->x, &e);
    } else if (valid == 0) {
        want_token(c->x, token, want);
    } else if (!opens(c->who.scope, want)) {
        api_refuse(c->x, 403, "scope",
                   "this token is of scope %s, and this needs %s; make one with: trine token "
                   "create NAME --scope %s",
                   access_scope_name(c->who.scope), access_scope_name(want),
                   access_scope_name(want));
    } else {
        return true;
    }
    return false;
}

/* --- Which route --------------------------------------------------------------------------------
 */

static bool matches(const char *pattern, const char *path, int64_t *ret_id)
{
    for (;;) {
        size_t want = strcspn(pattern, "/"), got = strcspn(path, "/");
        char digits[24];
        if (pattern[0] == ':') {
            if (got == 0 || got >= sizeof(digits))
                return false;
            memcpy(digits, path, got);
            digits[got] = '\0';
            if (text_int(digits, 1, INT64_MAX, ret_id) < 0)
                return false;
        } else if (want != got || strncmp(pattern, path, got) != 0) {
            return false;
        }
        pattern += want;
        path += got;
        if (*pattern == '\0' || *path == '\0')
            return *pattern == *path;
        pattern++;
        path++;
    }
}

/* The path has routes, but not of this method. */
static void refuse_method(struct http_exchange *x, const struct api_route *routes)
{
    struct buf allowed = BUF_INIT(256);
    int64_t id = 0;

    for (const struct api_route *r = routes; r->method; r++)
        if (matches(r->path, http_exchange_path(x), &id))
            buf_addf(&allowed, "%s%s%s", allowed.len ? ", " : "", r->method,
                     strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    http_exchange_set(x, "Allow", buf_str(&allowed));
    api_refuse(x, 405, "usage", "%.16s is not known here; this takes %s", http_exchange_method(x),
               buf_str(&allowed));
    buf_release(&allowed);
}

static const struct api_route *find(const struct api *a, const char *method, const char *path,
                                    int64_t *ret_id, bool *ret_path_known)
{
    *ret_path_known = false;
    for (const struct api_route *r = a->o.routes; r->method; r++) {
        if (!matches(r->path, path, ret_id))
            continue;
        *ret_path_known = true;
        if (strcmp(r->method, method) == 0)
            return r;
    }
    return NULL;
}

static void dispatch(struct http_exchange *x, void *arg)
{
    const struct api *a = arg;
    struct api_call call = {.x = x, .arg = a->o.arg};
    const char *method = http_exchange_method(x), *path = http_exchange_path(x);
    bool known = false;

    api_secure(x);
    if (!admit(a, x))
        return;
    call.head = strcmp(method, "HEAD") == 0;
    const struct api_route *route = find(a, call.head ? "GET" : method, path, &call.id, &known);
    if (route) {
        if (allow(a, route, &call))
            route->run(&call);
    } else if (known) {
        refuse_method(x, a->o.routes);
    } else if (a->o.other && !is_change(method) && strncmp(path, "/api/", 5) != 0) {
        a->o.other(&call);
    } else {
        api_refuse(x, 404, "no", "there is no %.200s here; docs/api.md lists what there is", path);
    }
}

struct api *api_new(struct loop *loop, const struct api_options *o, struct err *e)
{
    struct api *a = mem_alloc(sizeof(*a));
    const struct http_server_options s = {
        .address = a->o.site.address, .port = o->site.port, .max_body = API_BODY_MAX};

    a->o = *o;
    a->server = http_server_new(loop, &s, dispatch, a, e);
    if (!a->server) {
        free(a);
        return NULL;
    }
    return a;
}

uint16_t api_port(const struct api *a)
{
    return http_server_port(a->server);
}

void api_free(struct api *a)
{
    if (!a)
        return;
    http_server_free(a->server);
    free(a);
}
