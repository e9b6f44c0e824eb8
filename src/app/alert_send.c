#include "app/alert_send.h"

#include "app/app.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "manifest/secrets.h"
#include "net/bases.h"
#include "net/endpoint.h"
#include "net/http_client.h"
#include "provider/provider.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_MS = 20000,
    SAID_MAX = 201,
    SAID_READ_MAX = 4096,
    STALL_MS = 15000,
    REPLY_MAX = 1 << 20,
    MESSAGE_MAX = 1 << 20,
    ANSWER_MAX = 400,
    ASKED_MAX_MS = 3600 * 1000, /* nobody asks for more time in earnest */
};

/* --- Places -------------------------------------------------------------------------------------
 */

static int expand(struct app *a, const struct manifest_alert *m, const char *text,
                  struct alert_place *p, const char **ret, struct err *e)
{
    char where[128];

    (void)snprintf(where, sizeof(where), "alerts.%s", m->name);
    return secrets_expand(a->secrets, text, where, &p->arena, ret, e);
}

/* What stands in the manifest behind $NAMEs is known to the redactor; here the address as a whole
 * becomes so, which is a credential at most chats. */
static int open_web(struct app *a, const struct manifest_alert *m, struct alert_place *p,
                    struct err *e)
{
    struct endpoint at;
    const char *secret;

    if (expand(a, m, m->url, p, &p->url, e) < 0 || expand(a, m, m->secret, p, &secret, e) < 0)
        return -1;
    redactor_add(a->redactor, "alert address", p->url);
    bool web = endpoint_read(p->url, 0, &at);
    if (web && strlen(at.target) >= 8)
        redactor_add(a->redactor, "alert address", at.target);
    if (!web || (strcmp(at.scheme, "https") != 0 &&
                 (strcmp(at.scheme, "http") != 0 || !http_is_loopback(at.host))))
        return err_set(e, ERR_MANIFEST,
                       "alerts.%s.url: is not an https:// address, which it must be so that "
                       "nobody on the way can read it",
                       m->name);
    /* A rehearsal against the simulator tells nobody else. */
    const char *rehearsed = bases_get(a->bases, "webhooks", NULL);
    if (rehearsed)
        p->url = arena_printf(&p->arena, "%s%s", rehearsed, at.target);
    p->key_len = alert_key_of(secret, p->key);
    if (*secret && p->key_len == 0)
        return err_set(e, ERR_MANIFEST,
                       "alerts.%s.secret: is not \"whsec_\" and base64 of 24 to 64 bytes; make one "
                       "with: echo whsec_$(head -c 32 /dev/urandom | base64 -w0)",
                       m->name);
    return 0;
}

static void percent_encode_into(struct arena *a, const char **text)
{
    struct buf b = BUF_INIT(4096);

    text_percent_encode(&b, *text, false);
    *text = arena_strndup(a, buf_str(&b), b.len);
    explicit_bzero(b.data ? b.data : (char[1]){0}, b.len);
    buf_release(&b);
}

/* smtp://$USER:$PASSWORD@host: values are put in as they are, so they are encoded on the way; one
 * that is the whole address, $SMTP_URL, is encoded by whoever wrote it. */
static int expand_server(struct app *a, const struct manifest_alert *m, struct alert_place *p,
                         const char **ret, struct err *e)
{
    const char *rest = strstr(m->url, "://"), *at = strrchr(m->url, '@');
    const char *parts[2] = {"", ""}, *tail;

    if (!rest || !at || at < rest)
        return expand(a, m, m->url, p, ret, e);
    rest += 3;
    const char *colon = memchr(rest, ':', (size_t)(at - rest));
    const char *user = arena_strndup(&p->arena, rest, (size_t)((colon ? colon : at) - rest));
    const char *password =
        colon ? arena_strndup(&p->arena, colon + 1, (size_t)(at - colon - 1)) : "";
    if (expand(a, m, user, p, &parts[0], e) < 0 || expand(a, m, password, p, &parts[1], e) < 0 ||
        expand(a, m, at, p, &tail, e) < 0)
        return -1;
    if (strchr(user, '$'))
        percent_encode_into(&p->arena, &parts[0]);
    if (strchr(password, '$'))
        percent_encode_into(&p->arena, &parts[1]);
    *ret = arena_printf(&p->arena, "%.*s%s:%s%s", (int)(rest - m->url), m->url, parts[0], parts[1],
                        tail);
    return 0;
}

static int open_mail(struct app *a, const struct manifest_alert *m, struct alert_place *p,
                     struct err *e)
{
    const char *url;

    if (expand_server(a, m, p, &url, e) < 0)
        return -1;
    if (mail_address_read(url, &p->server, e) < 0)
        return err_wrap(e, "alerts.%s.url", m->name);
    redactor_add(a->redactor, "mail password", p->server.password);
    p->from = arena_strdup(&p->arena, m->from);
    p->to = arena_array(&p->arena, m->n_to + 1, sizeof(*p->to));
    for (p->n_to = 0; p->n_to < m->n_to; p->n_to++)
        p->to[p->n_to] = arena_strdup(&p->arena, m->to[p->n_to]);
    return 0;
}

int alert_place_open(struct app *a, const struct manifest_alert *m, struct alert_place *ret,
                     struct err *e)
{
    struct alert_place p = {.kind = m->kind};

    p.name = arena_strdup(&p.arena, m->name);
    int rc = m->kind == ALERT_MAIL ? open_mail(a, m, &p, e) : open_web(a, m, &p, e);
    if (rc < 0)
        alert_place_release(&p);
    else
        *ret = p;
    return rc;
}

void alert_place_release(struct alert_place *p)
{
    explicit_bzero(&p->server, sizeof(p->server));
    explicit_bzero(p->key, sizeof(p->key));
    arena_release(&p->arena);
    *p = (struct alert_place){0};
}

/* --- Sending ------------------------------------------------------------------------------------
 */

struct attempt {
    struct attempt *next, **at;
    struct alert_sender *sender;
    enum alert_kind kind;
    struct http_request request;
    size_t n_to;
    alert_result_fn *fn;
    void *arg;
};

struct alert_sender {
    struct app *app;
    struct http_client *http;
    struct mailer *mailer;
    struct attempt *attempts;
};

struct alert_sender *alert_sender_new(struct app *a)
{
    static const struct http_client_options options = {.user_agent = "trine/" TRINE_VERSION,
                                                       .timeout_ms = TIMEOUT_MS,
                                                       .stall_ms = STALL_MS,
                                                       .max_reply = REPLY_MAX};
    struct alert_sender *s = mem_alloc(sizeof(*s));

    *s = (struct alert_sender){
        .app = a, .http = http_client_new(a->loop, &options), .mailer = mailer_new(a->loop)};
    return s;
}

static void attempt_free(struct attempt *t)
{
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
    http_request_release(&t->request);
    free(t);
}

/* The beginning of what the other side said. What is secret goes first: a half of it would no
 * longer be known as such. */
static void beginning(const struct attempt *t, const char *said, size_t len, char ret[SAID_MAX])
{
    struct buf b = BUF_INIT(SAID_READ_MAX + 1024);

    buf_add(&b, said, len < SAID_READ_MAX ? len : SAID_READ_MAX);
    redact_buf(t->sender->app->redactor, &b);
    (void)snprintf(ret, SAID_MAX, "%s", buf_str(&b));
    buf_release(&b);
}

/* The attempt is over, and its sender may be freed by whom it is told to. */
static void finish(struct attempt *t, struct alert_result r, char *answer, size_t size)
{
    alert_result_fn *fn = t->fn;
    void *arg = t->arg;

    for (char *c = answer; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    redact_text(t->sender->app->redactor, answer, size);
    r.answer = answer;
    attempt_free(t);
    fn(&r, arg);
}

/* --- Over HTTP ----------------------------------------------------------------------------------
 */

/* What a status means for this message, and for the place. */
static struct alert_result judge(const struct http_reply *r)
{
    switch (r->status) {
    case 400: /* Slack: invalid_payload, no_text */
    case 413:
    case 415:
    case 422:
        return (struct alert_result){.how = ALERT_REFUSED};
    case 401:
    case 403: /* Slack: action_prohibited */
    case 404: /* Slack: no_service, channel_not_found; Discord: the webhook was deleted */
    case 405:
    case 410: /* Slack: channel_is_archived */
        return (struct alert_result){.how = ALERT_MENDABLE};
    default:
        return (struct alert_result){.how = r->status / 100 == 2   ? ALERT_ARRIVED
                                            : r->status / 100 == 3 ? ALERT_MENDABLE
                                                                   : ALERT_AGAIN};
    }
}

/* Retry-After, or Discord's retry_after, in seconds with a fraction. */
static int64_t asked_ms(const struct alert_sender *s, const struct http_reply *r)
{
    struct rate_facts facts;
    struct err e = ERR_INIT;
    int64_t ms = 0;

    provider_rate_facts(r, clock_wall_ms(&s->app->clock), &facts);
    if (facts.retry_after_ms > 0)
        ms = facts.retry_after_ms;
    json_t *body = r->status == 429 ? json_read(r->body, r->len, "reply", &e) : NULL;
    double seconds = json_num(body, "retry_after", 0);
    if (seconds > 0 && seconds < 1e6 && (int64_t)(seconds * 1000) + 1 > ms)
        ms = (int64_t)(seconds * 1000) + 1;
    json_decref(body);
    return ms < ASKED_MAX_MS ? ms : ASKED_MAX_MS;
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct attempt *t = arg;
    char answer[ANSWER_MAX], said[SAID_MAX];
    struct alert_result r = {.how = ALERT_AGAIN};

    (void)id;
    if (reply->status == 0) {
        text_copy(answer, sizeof(answer), reply->err.text);
    } else {
        r = judge(reply);
        r.after_ms = r.how == ALERT_AGAIN ? asked_ms(t->sender, reply) : 0;
        const char *why =
            r.how == ALERT_MENDABLE ? "; is the address in the manifest still right?" : "";
        beginning(t, reply->body, reply->len, said);
        (void)snprintf(answer, sizeof(answer), "%d%s%s%s", reply->status, *said ? " " : "", said,
                       why);
    }
    finish(t, r, answer, sizeof(answer));
}

static void write_body(const struct alert_place *p, const struct alert_content *c, struct buf *out)
{
    switch (p->kind) {
    case ALERT_SLACK:
        alert_slack(c, out);
        break;
    case ALERT_DISCORD:
        alert_discord(c, out);
        break;
    case ALERT_WEBHOOK:
        alert_webhook(c, out);
        break;
    case ALERT_MAIL:
        break;
    }
}

static void send_web(struct attempt *t, const struct alert_place *p, const struct alert_content *c)
{
    struct buf body = BUF_INIT(MESSAGE_MAX);
    struct http_request *r = &t->request;
    int64_t at_s = c->now_ms / 1000;
    char signature[64];

    write_body(p, c, &body);
    r->method = "POST";
    http_request_url(r, "%s", p->url);
    http_request_header(r, "Content-Type", "application/json");
    if (p->kind == ALERT_WEBHOOK) {
        http_request_header(r, "webhook-id", "%s", c->uid);
        http_request_header(r, "webhook-timestamp", "%lld", (long long)at_s);
    }
    if (p->kind == ALERT_WEBHOOK && p->key_len > 0) {
        alert_sign(c->uid, at_s, &body, p->key, p->key_len, signature);
        http_request_header(r, "webhook-signature", "%s", signature);
    }
    http_request_text(r, buf_str(&body), body.len);
    buf_release(&body);
    (void)http_send(t->sender->http, NULL, r, 0, answered, t);
}

/* --- By mail ------------------------------------------------------------------------------------
 */

static void delivered(const struct mail_reply *reply, void *arg)
{
    struct attempt *t = arg;
    char answer[ANSWER_MAX], said[SAID_MAX];
    struct alert_result r = {.how = ALERT_ARRIVED};

    beginning(t, reply->said, strlen(reply->said), said);
    if (reply->err.kind != ERR_NONE) {
        bool login = reply->code == 535 || reply->code == 530 || reply->code == 534;
        r.how = login ? ALERT_MENDABLE : reply->err.retry ? ALERT_AGAIN : ALERT_REFUSED;
        text_copy(answer, sizeof(answer), reply->err.text);
    } else if (reply->refused > 0) {
        (void)snprintf(answer, sizeof(answer), "%s; but %zu of %zu recipients were refused", said,
                       reply->refused, t->n_to);
    } else {
        text_copy(answer, sizeof(answer), said);
    }
    finish(t, r, answer, sizeof(answer));
}

static void send_mail(struct attempt *t, const struct alert_place *p, const struct alert_content *c)
{
    const struct alert_envelope envelope = {.from = p->from, .to = p->to, .n_to = p->n_to};
    const struct mail_address *s = &p->server;
    struct buf message = BUF_INIT(MESSAGE_MAX);

    alert_mail(c, &envelope, &message);
    const struct mail mail = {.server = {.tls = s->tls,
                                         .host = s->host,
                                         .port = s->port,
                                         .user = s->user,
                                         .password = s->password},
                              .from = p->from,
                              .to = p->to,
                              .n_to = p->n_to,
                              .message = buf_str(&message),
                              .len = message.len,
                              .timeout_ms = TIMEOUT_MS};
    t->n_to = p->n_to;
    mail_send(t->sender->mailer, &mail, delivered, t);
    buf_release(&message);
}

/* ------------------------------------------------------------------------------------------------
 */

void alert_send(struct alert_sender *s, const struct alert_place *p, const struct alert_content *c,
                alert_result_fn *fn, void *arg)
{
    struct attempt *t = mem_alloc(sizeof(*t));

    *t = (struct attempt){.next = s->attempts,
                          .at = &s->attempts,
                          .sender = s,
                          .kind = p->kind,
                          .fn = fn,
                          .arg = arg};
    if (t->next)
        t->next->at = &t->next;
    s->attempts = t;
    if (p->kind == ALERT_MAIL)
        send_mail(t, p, c);
    else
        send_web(t, p, c);
}

void alert_sender_free(struct alert_sender *s)
{
    if (!s)
        return;
    mailer_free(s->mailer);
    http_client_free(s->http);
    for (struct attempt *t = s->attempts, *next; t; t = next) {
        next = t->next;
        attempt_free(t);
    }
    free(s);
}
