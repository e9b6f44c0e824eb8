#include "net/mail.h"

#include "certificates.h"
#include "net/loop.h"
#include "peer.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>

/* A mail server of one conversation: it answers each command by its table. */
struct server {
    struct peer peer;
    const char *ehlo, *auth, *rcpt, *end; /* NULL: the usual */
    bool silent;                          /* says nothing after the greeting */
    SSL_CTX *tls;                         /* offers STARTTLS, or: */
    bool from_start;                      /* smtps */
    int fd;
    SSL *ssl; /* once the connection is encrypted */
    bool plain_password;
    char heard[8192];
};

static void say(struct server *s, const char *line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "%s\r\n", line);
    if (s->ssl)
        (void)SSL_write(s->ssl, text, n);
    else
        (void)!write(s->fd, text, (size_t)n);
}

static bool hear(struct server *s, char *line, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && (n == 0 || line[n - 1] != '\n')) {
        ssize_t got = s->ssl ? SSL_read(s->ssl, line + n, 1) : read(s->fd, line + n, 1);
        if (got != 1)
            return false;
        n++;
    }
    line[n] = '\0';
    strncat(s->heard, line, sizeof(s->heard) - strlen(s->heard) - 1);
    return true;
}

static void encrypt(struct server *s)
{
    s->ssl = SSL_new(s->tls);
    SSL_set_fd(s->ssl, s->fd);
    (void)SSL_accept(s->ssl);
}

static void take_data(struct server *s)
{
    char line[1200];
    say(s, "354 go on");
    while (hear(s, line, sizeof(line)) && strcmp(line, ".\r\n") != 0)
        ;
    say(s, s->end ? s->end : "250 2.0.0 queued as 4711");
}

static const char *answer_to(struct server *s, const char *line)
{
    if (strncmp(line, "EHLO", 4) == 0)
        return s->ehlo ? s->ehlo : "250 mail.example";
    if (strncmp(line, "AUTH", 4) == 0) {
        s->plain_password = s->plain_password || !s->ssl;
        return "334 "; /* and the next line is the name and password */
    }
    if (strncmp(line, "AHVzZXIA", 8) == 0)
        return s->auth ? s->auth : "235 fine";
    if (strncmp(line, "RCPT TO:<bad", 12) == 0)
        return s->rcpt ? s->rcpt : "550 5.1.1 no such user";
    return strncmp(line, "QUIT", 4) == 0 ? "221 bye" : "250 fine";
}

static void talk(int fd, void *arg)
{
    struct server *s = arg;
    char line[1200];
    s->fd = fd;
    if (s->from_start)
        encrypt(s);
    say(s, "220 mail.example ESMTP");
    while (hear(s, line, sizeof(line))) {
        if (s->silent)
            continue;
        if (strncmp(line, "DATA", 4) == 0) {
            take_data(s);
        } else if (strncmp(line, "STARTTLS", 8) == 0) {
            say(s, "220 go on");
            encrypt(s);
        } else {
            say(s, answer_to(s, line));
        }
    }
    SSL_free(s->ssl);
    s->ssl = NULL;
}

struct outcome {
    struct loop *loop;
    int left, code;
    size_t refused;
    char said[300];
    struct err err;
};

static void told(const struct mail_reply *r, void *arg)
{
    struct outcome *o = arg;
    o->code = r->code;
    o->refused = r->refused;
    snprintf(o->said, sizeof(o->said), "%s", r->said);
    o->err = r->err;
    if (--o->left == 0)
        loop_stop(o->loop);
}

static const char *const one[] = {"a@example.com"};
static const char *const mixed[] = {"bad@example.com", "a@example.com"};
static const char text[] = "Subject: x\r\n\r\nhello\r\n.\r\n.dots\r\n";

static struct mail mail_to(unsigned port, const char *const *to, size_t n)
{
    return (struct mail){
        .server = {.host = "127.0.0.1", .port = (uint16_t)port, .user = "", .password = ""},
        .from = "trine@example.com",
        .to = to,
        .n_to = n,
        .message = text,
        .len = sizeof(text) - 1,
        .timeout_ms = 10000};
}

static struct outcome send_one(const struct mail *m)
{
    struct outcome o = {.loop = loop_new(NULL), .left = 1};
    struct mailer *mailer = mailer_new(o.loop);
    mail_send(mailer, m, told, &o);
    CHECK(o.left == 1 && mailer_pending(mailer) == 1);
    loop_run(o.loop);
    CHECK(mailer_pending(mailer) == 0);
    mailer_free(mailer);
    loop_free(o.loop);
    return o;
}

static struct outcome converse(struct server *s, const char *const *to, size_t n)
{
    peer_start(&s->peer, talk, s);
    struct mail m = mail_to(s->peer.port, to, n);
    struct outcome o = send_one(&m);
    peer_stop(&s->peer);
    return o;
}

static void a_mail_arrives_as_it_is(void)
{
    struct server s = {0};
    struct outcome o = converse(&s, one, 1);
    CHECK(o.err.kind == ERR_NONE && o.code == 250);
    CHECK(strcmp(o.said, "250 2.0.0 queued as 4711") == 0);
    CHECK(strstr(s.heard, "MAIL FROM:<trine@example.com>"));
    CHECK(strstr(s.heard, "RCPT TO:<a@example.com>"));
    CHECK(strstr(s.heard,
                 "hello\r\n..\r\n..dots\r\n.\r\n")); /* dots doubled: it does not end early */
}

static void one_wrong_recipient_keeps_nobody_else_from_being_told(void)
{
    struct server s = {0};
    struct outcome o = converse(&s, mixed, 2);
    CHECK(o.err.kind == ERR_NONE && o.refused == 1);
    CHECK(strstr(s.heard, "RCPT TO:<a@example.com>") && strstr(s.heard, "hello"));
}

static void a_refusal_says_whose_words_it_is_and_whether_to_try_again(void)
{
    struct server for_good = {.end = "554 5.7.1 spam"}, later = {.end = "451 4.3.0 try later"};
    struct server nobody = {.rcpt = "450 4.2.1 greylisted"};
    struct outcome o = converse(&for_good, one, 1);
    CHECK(o.err.kind == ERR_REMOTE && !o.err.retry && strstr(o.err.text, "554 5.7.1 spam"));
    CHECK(strstr(o.err.text, "mail server 127.0.0.1 port"));
    o = converse(&later, one, 1);
    CHECK(o.err.kind == ERR_REMOTE && o.err.retry && strstr(o.err.text, "451"));
    o = converse(&nobody, mixed, 1);
    CHECK(o.err.kind == ERR_REMOTE && o.err.retry && strstr(o.err.text, "greylisted"));
}

static void a_wrong_password_is_told_without_it(void)
{
    struct server s = {.ehlo = "250-mail.example\r\n250 AUTH PLAIN LOGIN",
                       .auth = "535 5.7.8 not accepted"};
    peer_start(&s.peer, talk, &s);
    struct mail m = mail_to(s.peer.port, one, 1);
    m.server.user = "user";
    m.server.password = "canary-4711";
    struct outcome o = send_one(&m);
    peer_stop(&s.peer);
    CHECK(o.err.kind == ERR_REMOTE && o.err.retry && o.code == 535);
    CHECK(strstr(o.err.text, "535 5.7.8") && !strstr(o.err.text, "canary"));
}

/* 0.0.0.0 reaches this machine, but is no loopback address: it stands for a foreign host. */
static void a_password_needs_an_encrypted_connection_except_on_this_machine(void)
{
    struct server s = {.ehlo = "250-mail.example\r\n250 AUTH PLAIN"};
    peer_start(&s.peer, talk, &s);
    struct mail m = mail_to(s.peer.port, one, 1);
    m.server.host = "0.0.0.0"; /* reaches this machine, and is no loopback address */
    m.server.user = "user";
    m.server.password = "canary-4711";
    struct outcome o = send_one(&m);
    CHECK(o.err.kind == ERR_REMOTE && strstr(o.err.text, "STARTTLS"));
    CHECK(!strstr(s.heard, "AUTH"));
    m.server.host = "127.0.0.1";
    o = send_one(&m);
    peer_stop(&s.peer);
    CHECK(o.err.kind == ERR_NONE && strstr(s.heard, "AUTH PLAIN"));
}

/* One mail with a password; `from_start`: smtps, else STARTTLS. */
static struct outcome send_encrypted(struct server *s, bool from_start, SSL_CTX *tls,
                                     const char *ca_file)
{
    *s = (struct server){.ehlo = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN",
                         .tls = tls,
                         .from_start = from_start};
    peer_start(&s->peer, talk, s);
    struct mail m = mail_to(s->peer.port, one, 1);
    m.server.tls = from_start;
    m.server.user = "user";
    m.server.password = "canary-4711";
    m.server.ca_file = ca_file;
    struct outcome o = send_one(&m);
    peer_stop(&s->peer);
    return o;
}

static void a_password_goes_to_a_server_with_a_right_certificate_only(void)
{
    struct authority a = authority_make("mail test", NULL, 3600);
    SSL_CTX *good = server_context(&a, "IP:127.0.0.1", -3600, 3600);
    SSL_CTX *other = server_context(&a, "DNS:other.example", -3600, 3600);
    SSL_CTX *over = server_context(&a, "IP:127.0.0.1", -7200, -3600);
    struct server s;
    for (int from_start = 0; from_start < 2; from_start++) {
        struct outcome o = send_encrypted(&s, from_start, good, a.file);
        CHECK(o.err.kind == ERR_NONE && strstr(s.heard, "AUTH PLAIN") && !s.plain_password);
        SSL_CTX *wrong[] = {other, over, good};
        for (size_t i = 0; i < 3; i++) { /* the last is right, but nobody trusts who signed it */
            o = send_encrypted(&s, from_start, wrong[i], i < 2 ? a.file : NULL);
            CHECK(o.err.kind == ERR_NET && !strstr(s.heard, "AUTH"));
            CHECK(strstr(o.err.text, "ertificate") != NULL);
        }
    }
    SSL_CTX_free(good);
    SSL_CTX_free(other);
    SSL_CTX_free(over);
    authority_free(&a);
}

static void a_server_that_says_nothing_is_given_up(void)
{
    struct server s = {.silent = true};
    peer_start(&s.peer, talk, &s);
    struct mail m = mail_to(s.peer.port, one, 1);
    m.timeout_ms = 300;
    struct outcome o = send_one(&m);
    peer_stop(&s.peer);
    CHECK(o.err.kind == ERR_NET && o.err.retry);
}

static void nobody_there_is_said(void)
{
    struct mail m = mail_to(1, one, 1);
    struct outcome o = send_one(&m);
    CHECK(o.err.kind == ERR_NET && o.err.retry && strstr(o.err.text, "port 1"));
}

static void what_is_under_way_can_be_dropped(void)
{
    struct server s = {.silent = true};
    struct outcome o = {.left = 5};
    peer_start(&s.peer, talk, &s);
    struct mail m = mail_to(s.peer.port, one, 1);
    o.loop = loop_new(NULL);
    struct mailer *mailer = mailer_new(o.loop);
    for (int i = 0; i < 5; i++)
        mail_send(mailer, &m, told, &o);
    CHECK(mailer_pending(mailer) == 5);
    mailer_free(mailer);
    loop_free(o.loop); /* waits for the pool: well before the time-out of ten seconds */
    CHECK(o.left == 5);
    peer_stop(&s.peer);
}

static void addresses_are_taken_apart(void)
{
    struct mail_address a;
    struct err e = ERR_INIT;
    CHECK(mail_address_read("smtp://us%40er:p%3Aw@mail.example:2525", &a, &e) == 0);
    CHECK(!a.tls && strcmp(a.host, "mail.example") == 0 && a.port == 2525);
    CHECK(strcmp(a.user, "us@er") == 0 && strcmp(a.password, "p:w") == 0);
    CHECK(mail_address_read("smtps://[::1]", &a, &e) == 0 && a.tls && a.port == 0);
    CHECK(strcmp(a.host, "::1") == 0 && !*a.user && !*a.password);
    static const char *const bad[] = {"",           "https://a",      "smtp://",
                                      "smtp://a:0", "smtp://a:99999", "smtp://u:canary-4711@"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(mail_address_read(bad[i], &a, &e) == -1 && e.kind == ERR_MANIFEST);
        CHECK(!strstr(e.text, "canary"));
    }
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    a_mail_arrives_as_it_is();
    one_wrong_recipient_keeps_nobody_else_from_being_told();
    a_refusal_says_whose_words_it_is_and_whether_to_try_again();
    a_wrong_password_is_told_without_it();
    a_password_needs_an_encrypted_connection_except_on_this_machine();
    a_password_goes_to_a_server_with_a_right_certificate_only();
    a_server_that_says_nothing_is_given_up();
    nobody_there_is_said();
    what_is_under_way_can_be_dropped();
    addresses_are_taken_apart();
    return DONE();
}
