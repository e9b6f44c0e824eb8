#include "net/mail.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/mail_said.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { AT_A_TIME = 2, TIMEOUT_MS = 30000, CONNECT_MS = 10000 };

struct delivery {
    struct delivery *next;
    struct mailer *mailer; /* NULL: it was freed */
    char *url, *user, *password, *ca_file, *from, *message, *where;
    size_t len, at, n_to;
    struct curl_slist *to;
    bool encrypt;
    long timeout_ms;
    atomic_bool dropped;
    mail_done_fn *fn;
    void *arg;

    /* What came of it; written on the pool's thread. */
    struct mail_said said;
    int code;
    struct err err;
};

struct mailer {
    struct loop *loop;
    struct delivery *first, **last; /* waiting */
    struct delivery *running[AT_A_TIME];
    size_t pending;
};

/* --- On the pool --------------------------------------------------------------------------------
 */

static size_t give_message(char *ret, size_t size, size_t n, void *arg)
{
    struct delivery *d = arg;
    size_t left = d->len - d->at, most = size * n < left ? size * n : left;

    memcpy(ret, d->message + d->at, most);
    d->at += most;
    return most;
}

/* Every line that the server says. */
static size_t take_line(char *line, size_t size, size_t n, void *arg)
{
    struct delivery *d = arg;

    mail_said_line(&d->said, line, size * n);
    return size * n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's prototype */
static int is_dropped(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t e)
{
    struct delivery *d = arg;

    (void)a, (void)b, (void)c, (void)e;
    return atomic_load(&d->dropped) ? 1 : 0;
}

static void set_options(CURL *easy, struct delivery *d)
{
    curl_easy_setopt(easy, CURLOPT_URL, d->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, d->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(d->encrypt ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (d->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, d->ca_file);
    if (*d->user) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, d->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, d->password);
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, d->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, d->to);
    /* One wrong address keeps nobody else from being told. */
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_message);
    curl_easy_setopt(easy, CURLOPT_READDATA, d);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, d);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, is_dropped);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, d);
}

/* libcurl's words for a code name no server and no password. */
static void judge(struct delivery *d, CURLcode rc)
{
    struct err *e = &d->err;

    if (rc == CURLE_OK)
        return;
    if (rc == CURLE_LOGIN_DENIED)
        err_set(e, ERR_REMOTE, "%s: does not take this name and password: %s", d->where,
                d->said.last);
    else if (rc == CURLE_USE_SSL_FAILED)
        err_set(e, ERR_REMOTE,
                "%s: offers no STARTTLS, and a password does not go over a connection that is not "
                "encrypted; use smtps://, or another port",
                d->where);
    else if (d->code >= 400 && d->said.last[0])
        err_set(e, ERR_REMOTE, "%s: refused it: %s", d->where,
                d->said.refusal[0] ? d->said.refusal : d->said.last);
    else
        err_set(e, ERR_NET, "%s: %s", d->where, curl_easy_strerror(rc));
    e->code = d->code;
    /* 5xx is for good (RFC 5321 section 4.2.1); what is wrong with name and password may be
     * mended. */
    e->retry = rc == CURLE_LOGIN_DENIED || d->code / 100 != 5;
}

static void deliver(void *arg)
{
    struct delivery *d = arg;
    CURL *easy = curl_easy_init();
    long code = 0;

    if (!easy)
        abort();
    if (atomic_load(&d->dropped)) {
        curl_easy_cleanup(easy);
        return;
    }
    set_options(easy, d);
    CURLcode rc = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    d->code = (int)code;
    judge(d, rc);
    curl_easy_cleanup(easy);
}

/* --- On the loop --------------------------------------------------------------------------------
 */

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void delivery_free(struct delivery *d)
{
    curl_slist_free_all(d->to);
    wipe(d->user);
    wipe(d->password);
    free(d->url);
    free(d->ca_file);
    free(d->from);
    free(d->message);
    free(d->where);
    free(d);
}

static void begin_next(struct mailer *m);

static void delivered(void *arg)
{
    struct delivery *d = arg;
    struct mailer *m = d->mailer;
    const struct mail_reply reply = {
        .code = d->code, .said = d->said.last, .refused = d->said.refused, .err = d->err};

    if (m) {
        for (size_t i = 0; i < AT_A_TIME; i++)
            if (m->running[i] == d)
                m->running[i] = NULL;
        m->pending--;
        begin_next(m);
        d->fn(&reply, d->arg);
    }
    delivery_free(d);
}

static void begin_next(struct mailer *m)
{
    for (size_t i = 0; i < AT_A_TIME && m->first; i++) {
        if (m->running[i])
            continue;
        struct delivery *d = m->first;
        m->first = d->next;
        if (!m->first)
            m->last = &m->first;
        m->running[i] = d;
        loop_work(m->loop, "mail", deliver, delivered, d);
    }
}

struct mailer *mailer_new(struct loop *loop)
{
    struct mailer *m = mem_alloc(sizeof(*m));

    *m = (struct mailer){.loop = loop};
    m->last = &m->first;
    return m;
}

static char *server_url(const struct mail_server *s, uint16_t port)
{
    bool v6 = strchr(s->host, ':') != NULL;

    return mem_printf("%s://%s%s%s:%u", s->tls ? "smtps" : "smtp", v6 ? "[" : "", s->host,
                      v6 ? "]" : "", (unsigned)port);
}

static uint16_t port_of(const struct mail_server *s)
{
    if (s->port)
        return s->port;
    return s->tls ? 465 : *s->user ? 587 : 25;
}

void mail_send(struct mailer *m, const struct mail *mail, mail_done_fn *fn, void *arg)
{
    struct delivery *d = mem_alloc(sizeof(*d));
    const struct mail_server *s = &mail->server;

    *d = (struct delivery){
        .mailer = m,
        .url = server_url(s, port_of(s)),
        .where = mem_printf("mail server %s port %u", s->host, (unsigned)port_of(s)),
        .user = mem_strdup(s->user),
        .password = mem_strdup(s->password),
        .ca_file = mem_strdup(s->ca_file),
        .from = mem_printf("<%s>", mail->from),
        .message = mem_alloc(mail->len + 1),
        .len = mail->len,
        .n_to = mail->n_to,
        .encrypt = *s->user && !http_is_loopback(s->host),
        .timeout_ms = mail->timeout_ms ? (long)mail->timeout_ms : TIMEOUT_MS,
        .fn = fn,
        .arg = arg,
    };
    memcpy(d->message, mail->message, mail->len);
    for (size_t i = 0; i < mail->n_to; i++) {
        char *to = mem_printf("<%s>", mail->to[i]);
        struct curl_slist *longer = curl_slist_append(d->to, to);
        if (!longer)
            abort();
        d->to = longer;
        free(to);
    }
    *m->last = d;
    m->last = &d->next;
    m->pending++;
    begin_next(m);
}

size_t mailer_pending(const struct mailer *m)
{
    return m->pending;
}

void mailer_free(struct mailer *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < AT_A_TIME; i++)
        if (m->running[i]) {
            m->running[i]->mailer = NULL;
            atomic_store(&m->running[i]->dropped, true);
        }
    while (m->first) {
        struct delivery *d = m->first;
        m->first = d->next;
        delivery_free(d);
    }
    free(m);
}

/* --- Addresses ----------------------------------------------------------------------------------
 */

/* One part of the URL, decoded; false when it does not fit. A part that is missing is "". */
static bool copy_part(CURLU *url, CURLUPart part, char *ret, size_t size)
{
    char *text = NULL;
    bool fits = true;

    ret[0] = '\0';
    if (curl_url_get(url, part, &text, CURLU_URLDECODE) == CURLUE_OK) {
        fits = text_copy(ret, size, text);
        explicit_bzero(text, strlen(text));
    }
    curl_free(text);
    return fits;
}

static bool read_parts(CURLU *url, struct mail_address *ret)
{
    char digits[16];
    int64_t port = 0;
    size_t len;

    if (!copy_part(url, CURLUPART_HOST, ret->host, sizeof(ret->host)) ||
        !copy_part(url, CURLUPART_USER, ret->user, sizeof(ret->user)) ||
        !copy_part(url, CURLUPART_PASSWORD, ret->password, sizeof(ret->password)) ||
        !copy_part(url, CURLUPART_PORT, digits, sizeof(digits)) ||
        (digits[0] && text_int(digits, 1, UINT16_MAX, &port) < 0))
        return false;
    len = strlen(ret->host);
    if (ret->host[0] == '[') { /* an IPv6 address */
        memmove(ret->host, ret->host + 1, len - 1);
        ret->host[len - 2] = '\0';
    }
    ret->port = (uint16_t)port;
    return ret->host[0] != '\0';
}

int mail_address_read(const char *url, struct mail_address *ret, struct err *e)
{
    struct mail_address a = {.tls = strncmp(url, "smtps://", 8) == 0};
    CURLU *parsed = curl_url();
    int rc = 0;

    if (!parsed)
        abort();
    if (!a.tls && strncmp(url, "smtp://", 7) != 0)
        rc = err_set(e, ERR_MANIFEST,
                     "is not the address of a mail server; write "
                     "smtp://user:password@host:port, or smtps://");
    else if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
             !read_parts(parsed, &a))
        rc = err_set(e, ERR_MANIFEST,
                     "cannot be read as smtp://user:password@host:port; percent-encode what is "
                     "special in name and password");
    if (rc == 0)
        *ret = a;
    curl_url_cleanup(parsed);
    explicit_bzero(&a, sizeof(a));
    return rc;
}
