#include "provider/cloudflare_dns.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/provider.h"

#include <string.h>
#include <strings.h>

/* PAGE: more than one name can have; AUTOMATIC is how Cloudflare writes "as you like"; LONGEST_MS:
 * its longest penalty. */
enum { PAGE = 100, ZONE_ID_LEN = 32, AUTOMATIC = 1, LONGEST_MS = 300000 };

/* Numbers of Cloudflare's errors that mean something to a person. */
enum {
    INVALID_TTL = 9021,
    NO_RECORD = 81044,
    CONFLICT_FIRST = 81053, /* A, AAAA or CNAME with that name is there, and such */
    CONFLICT_LAST = 81057,
    NO_ROUTE = 7003, /* of a zone id that does not exist */
    BAD_LOGIN = 10000,
    BAD_TOKEN = 9109,
    BAD_HEADERS = 6003, /* the token is not even of a token's form, with */
    BAD_FORM = 6111,
};

bool cloudflare_is_zone_id(const char *zone)
{
    return strlen(zone) == ZONE_ID_LEN && strspn(zone, "0123456789abcdefABCDEF") == ZONE_ID_LEN;
}

/* ---- requests ---- */

static const char *encode(struct http_request *r, const char *text)
{
    struct buf b = BUF_INIT(4096);

    text_percent_encode(&b, text, false);
    const char *kept = arena_strdup(&r->arena, buf_str(&b));
    buf_release(&b);
    return kept;
}

static void begin(const struct cloudflare_dns *c, const char *method, struct http_request *ret)
{
    *ret = (struct http_request){.method = method};
    http_request_header(ret, "Authorization", "Bearer %s", c->token);
}

void cloudflare_ask_zone(const struct cloudflare_dns *c, struct http_request *ret)
{
    begin(c, "GET", ret);
    http_request_url(ret, "/zones?name=%s", encode(ret, c->zone));
}

void cloudflare_ask_records(const struct cloudflare_dns *c, const char *zone_id,
                            struct http_request *ret)
{
    begin(c, "GET", ret);
    http_request_url(ret, "/zones/%s/dns_records?name.exact=%s&per_page=%d", encode(ret, zone_id),
                     encode(ret, c->host), PAGE);
}

void cloudflare_change_record(const struct cloudflare_dns *c, const char *zone_id, const char *id,
                              const struct dns_record *wanted, struct http_request *ret)
{
    /* What Cloudflare answers for itself has no TTL of ours. */
    json_int_t ttl = wanted->proxied ? AUTOMATIC : wanted->ttl_s;
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:I, s:b}", "type", dns_type_name(wanted->type), "name", c->host,
                  "content", wanted->value, "ttl", ttl, "proxied", (int)wanted->proxied);

    begin(c, "PATCH", ret);
    http_request_url(ret, "/zones/%s/dns_records/%s", encode(ret, zone_id), encode(ret, id));
    http_request_json(ret, body);
    json_decref(body);
}

/* ---- replies ---- */

static bool is_about_token(int status, int64_t code)
{
    return status == 401 || status == 403 || code == BAD_LOGIN || code == BAD_TOKEN ||
           code == BAD_HEADERS || code == BAD_FORM;
}

static void explain(const struct cloudflare_dns *c, int status, int64_t code, const char *message,
                    struct err *e)
{
    if (is_about_token(status, code))
        err_set(e, ERR_REMOTE,
                "Cloudflare does not accept the token for the zone %s: %.160s; it needs the "
                "permissions \"DNS: Edit\" and \"Zone: Read\" of that zone",
                c->zone, message);
    else if (status == 429)
        err_set(e, ERR_REMOTE,
                "Cloudflare takes no more requests for a while (429): %.200s; something else uses "
                "up this account's allowance of 1,200 requests in five minutes",
                message);
    else if (code == INVALID_TTL)
        err_set(e, ERR_REMOTE,
                "Cloudflare refuses the ttl: %.200s; write at least 60s (30s only on Enterprise)",
                message);
    else if (code == NO_RECORD)
        err_set(e, ERR_NO, "%s: the record was removed since it was read; nothing was written",
                c->host);
    else if (code >= CONFLICT_FIRST && code <= CONFLICT_LAST)
        err_set(e, ERR_REMOTE,
                "Cloudflare refuses it beside the other records of %s: %.200s (code %lld)", c->host,
                message, (long long)code);
    else if (code == NO_ROUTE)
        err_set(e, ERR_REMOTE, "Cloudflare knows no zone %s: %.200s; check `zone`", c->zone,
                message);
    else
        err_set(e, ERR_REMOTE, "Cloudflare answered %d: %.250s (code %lld)", status, message,
                (long long)code);
    e->retry = status == 429 || status >= 500 || code == NO_RECORD;
    e->code = status;
}

/* The tree, the caller's; NULL and *e unless it is a success. */
static json_t *read_envelope(const struct cloudflare_dns *c, const struct http_reply *r,
                             struct err *e)
{
    struct rate_facts facts;
    json_t *json;

    if (r->status == 0) {
        *e = r->err;
        err_wrap(e, "Cloudflare's API");
        return NULL;
    }
    struct err unread = ERR_INIT;
    json = json_read(r->body, r->len, "Cloudflare's reply", &unread);
    if (json && r->status / 100 == 2 && json_flag(json, "success", false))
        return json;
    if (!json && r->status / 100 == 2) {
        *e = unread;
        e->kind = ERR_REMOTE;
        return NULL;
    }
    const char *message = json_str(json, "errors.0.message", "it gave no reason");
    /* A general code may stand before the one that says what is wrong. */
    int64_t code = json_int(json, "errors.0.code", 0);
    explain(c, r->status, json_int(json, "errors.0.error_chain.0.code", code),
            json_str(json, "errors.0.error_chain.0.message", message), e);
    provider_rate_facts(r, 0, &facts);
    if (e->retry && facts.retry_after_ms > 0)
        e->retry_after =
            (unsigned)(facts.retry_after_ms < LONGEST_MS ? facts.retry_after_ms : LONGEST_MS);
    json_decref(json);
    return NULL;
}

int cloudflare_take_zone(const struct cloudflare_dns *c, const struct http_reply *r,
                         char ret[CLOUDFLARE_ID_MAX], struct err *e)
{
    json_t *json = read_envelope(c, r, e);
    int rc = 0;

    if (!json)
        return -1;
    const char *id = json_str(json, "result.0.id", "");
    if (!*id)
        rc = err_set(e, ERR_REMOTE,
                     "Cloudflare lists no zone %s for this token; check `zone`, and that the token "
                     "may read it (\"Zone: Read\")",
                     c->zone);
    else if (strcasecmp(json_str(json, "result.0.name", ""), c->zone) != 0 ||
             strlen(id) >= CLOUDFLARE_ID_MAX)
        rc = err_set(e, ERR_REMOTE, "Cloudflare answered with another zone than %s", c->zone);
    else
        (void)text_copy(ret, CLOUDFLARE_ID_MAX, id);
    json_decref(json);
    return rc;
}

/* False when it is of another type. */
static bool read_type(const char *word, enum dns_type *ret)
{
    for (enum dns_type t = DNS_A; t <= DNS_CNAME; t++)
        if (strcmp(word, dns_type_name(t)) == 0) {
            *ret = t;
            return true;
        }
    return false;
}

static int add_record(const struct cloudflare_dns *c, const json_t *item, struct dns_records *ret,
                      struct err *e)
{
    struct dns_record r = {.ttl_s = json_int(item, "ttl", 0),
                           .proxied = json_flag(item, "proxied", false)};
    const char *content = json_str(item, "content", "");
    struct err ignored = ERR_INIT;
    enum dns_type type;

    if (strcasecmp(json_str(item, "name", ""), c->host) != 0 ||
        !read_type(json_str(item, "type", ""), &type))
        return 0;
    if (!text_copy(r.id, sizeof r.id, json_str(item, "id", "")) || !*r.id)
        return err_set(e, ERR_REMOTE, "Cloudflare's reply has a record without a usable id");
    if (dns_value_read(content, &r, &ignored) < 0)
        (void)text_copy(r.value, sizeof r.value, content);
    r.type = type;
    if (ret->n == DNS_RECORDS_MAX)
        ret->more++;
    else
        ret->list[ret->n++] = r;
    return 0;
}

int cloudflare_take_records(const struct cloudflare_dns *c, const struct http_reply *r,
                            struct dns_records *ret, struct err *e)
{
    json_t *json = read_envelope(c, r, e);
    const json_t *list = json_at(json, "result"), *item;
    struct dns_records found = {.n = 0};
    size_t i;
    int rc = 0;

    if (!json)
        return -1;
    if (!json_is_array(list))
        rc = err_set(e, ERR_REMOTE, "Cloudflare's reply has no list of records");
    else if (json_int(json, "result_info.total_count", 0) > PAGE)
        rc = err_set(e, ERR_REMOTE, "Cloudflare lists more than %d records for %s", PAGE, c->host);
    json_array_foreach(list, i, item)
    {
        if (rc == 0)
            rc = add_record(c, item, &found, e);
    }
    json_decref(json);
    if (rc == 0)
        *ret = found;
    return rc;
}

int cloudflare_take_change(const struct cloudflare_dns *c, const struct http_reply *r,
                           struct err *e)
{
    json_t *json = read_envelope(c, r, e);

    /* A failing server, or a success that cannot be read: it may have been done all the same. */
    if (!json && (r->status >= 500 || (r->status / 100 == 2 && e->code != r->status))) {
        e->kind = ERR_NET;
        e->retry = true;
    }
    json_decref(json);
    return json ? 0 : -1;
}
