#include "probe/check_connection.h"
#include "probe/check_secret.h"

#include "base/mem.h"
#include "base/text.h"
#include "net/stream.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * Redis: hiredis reads and writes the protocol (RESP 2), our streams carry it, with TLS for
 * rediss://. Questions that need not wait for each other go together:
 *
 *   [AUTH] [SELECT] PING INFO     the session is ready: first_byte
 *   SET GET                       of a key of our own that goes away by itself: total
 *   SUBSCRIBE, PUBLISH            when asked for, over a second connection: a subscribed one may
 *                                 not do anything else
 *
 * CHECK_REDIS_COMMANDS (manifest.h) counts them, because some platforms bill them.
 */

enum question { AUTH, SELECT, PING, INFO, SET, GET, SUBSCRIBE, PUBLISH };
enum { REDIS_PORT = 6379, MAX_BYTES = 1 << 20, MAX_ELEMENTS = 8, EXPIRY_S = 60, ASKED_MAX = 8 };

struct link { /* one connection and what was asked over it */
    struct check *check;
    struct stream *stream;
    redisReader *reader;
    redisReplyObjectFunctions functions;
    size_t bytes;
    enum question asked[ASKED_MAX];
    size_t n_asked, n_answered;
};

struct check {
    struct connection connection; /* its stream is main's */
    struct link main, listener;
    struct check_credentials credentials;
    char database[8]; /* "" = the first */
    char key[64], value[33];
    int64_t first_byte, asked_us, total;
    char version[32];
    bool heard; /* the message came */
    char reason[400];
};

static void redis_release(struct check *c)
{
    if (c->connection.stream)
        stream_free(c->connection.stream);
    stream_free(c->listener.stream);
    redisReaderFree(c->main.reader);
    redisReaderFree(c->listener.reader);
    check_credentials_release(&c->credentials);
    free(c);
}

static void redis_progress(const struct check *c, struct check_answer *ret)
{
    connection_progress(&c->connection, ret);
    ret->first_byte = c->first_byte;
    ret->total = c->total;
}

/* Answers and frees; `sent` false: only we are to blame. */
static void tell(struct check *c, bool ours)
{
    struct check_answer a;
    char reason[sizeof(c->reason)], detail[100] = "";
    check_fn *fn = c->connection.fn;
    void *arg = c->connection.arg;

    redis_progress(c, &a);
    if (ours)
        a.sent = a.answered = false;
    if (c->version[0])
        (void)snprintf(detail, sizeof(detail), "Redis %s%s", c->version,
                       c->heard ? ", pub/sub works" : "");
    check_hide(c->reason, c->credentials.password);
    check_hide(detail, c->credentials.password);
    (void)text_copy(reason, sizeof(reason), c->reason);
    a.ok = !reason[0];
    a.reason = reason;
    a.detail = detail;
    redis_release(c);
    fn(&a, arg);
}

static void fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct check *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->reason, sizeof(c->reason), "Redis at %s:%u", c->connection.place.host,
                     c->connection.place.port);

    va_start(ap, fmt);
    (void)vsnprintf(c->reason + n, sizeof(c->reason) - (size_t)n, fmt, ap);
    va_end(ap);
}

/* --- Asking --------------------------------------------------------------------------------------
 */

static void ask(struct link *l, enum question what, const char *const *words, int n)
{
    char *text = NULL;
    size_t lengths[5];

    for (int i = 0; i < n; i++)
        lengths[i] = strlen(words[i]);
    long long len = redisFormatCommandArgv(&text, n, (const char **)(uintptr_t)words,
                                           lengths); /* it reads them only */
    if (len < 0)
        abort(); /* out of memory */
    (void)stream_send(l->stream, text, (size_t)len);
    explicit_bzero(text, (size_t)len);
    redisFreeCommand(text);
    l->asked[l->n_asked++] = what;
}
#define ASK(link, what, ...)                                                                       \
    do {                                                                                           \
        const char *const words_[] = {__VA_ARGS__};                                                \
        ask(link, what, words_, (int)(sizeof(words_) / sizeof(words_[0])));                        \
    } while (0)

static void ask_auth(struct link *l)
{
    const struct check_credentials *k = &l->check->credentials;

    if (k->user[0] && k->password[0])
        ASK(l, AUTH, "AUTH", k->user, k->password);
    else if (k->password[0])
        ASK(l, AUTH, "AUTH", k->password);
}

static void ask_again(struct link *l)
{
    l->n_asked = l->n_answered = 0;
}

static void ask_session(struct check *c)
{
    ask_auth(&c->main);
    if (c->database[0])
        ASK(&c->main, SELECT, "SELECT", c->database);
    ASK(&c->main, PING, "PING");
    ASK(&c->main, INFO, "INFO", "server");
}

static void ask_round_trip(struct check *c)
{
    char expiry[8];

    (void)snprintf(expiry, sizeof(expiry), "%d", EXPIRY_S);
    ask_again(&c->main);
    c->asked_us = connection_now(&c->connection);
    ASK(&c->main, SET, "SET", c->key, c->value, "EX", expiry);
    ASK(&c->main, GET, "GET", c->key);
}

/* --- Answers -------------------------------------------------------------------------------------
 */

static const char *advice(const char *said)
{
    if (strncmp(said, "WRONGPASS", 9) == 0 || strncmp(said, "NOAUTH", 6) == 0 ||
        strstr(said, "password"))
        return "; look at the user and password in its address";
    if (strncmp(said, "READONLY", 8) == 0)
        return "; give the address of the primary";
    return "";
}

static bool take_info(struct check *c, const redisReply *reply)
{
    static const char field[] = "redis_version:";
    int least = c->connection.target->major_version;
    const char *at = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, field) : NULL;

    if (at) {
        at += sizeof(field) - 1;
        (void)snprintf(c->version, sizeof(c->version), "%.*s",
                       (int)strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz.-"), at);
    }
    if (!at && least > 0)
        fail(c, " does not tell its version (INFO); version %d or later is needed", least);
    else if (at && strtol(c->version, NULL, 10) < least)
        fail(c, " is version %s; version %d or later is needed", c->version, least);
    return !c->reason[0];
}

static bool is_text(const redisReply *reply, const char *text)
{
    return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
           strcmp(reply->str, text) == 0;
}

static bool expected(struct check *c, const redisReply *reply, const char *text, const char *asked)
{
    if (!is_text(reply, text))
        fail(c, " did not answer %s as Redis does", asked);
    return !c->reason[0];
}

/* False: the reason is set. */
static bool take_answer(struct check *c, enum question what, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR && what != INFO) {
        fail(c, ": %.200s%s", reply->str, advice(reply->str));
        return false;
    }
    switch (what) {
    case AUTH:
        return expected(c, reply, "OK", "AUTH");
    case SELECT:
        return expected(c, reply, "OK", "SELECT");
    case PING:
        return expected(c, reply, "PONG", "PING");
    case SET:
        return expected(c, reply, "OK", "SET");
    case INFO:
        return take_info(c, reply);
    case GET:
        if (!is_text(reply, c->value))
            fail(c, " did not give back what was set a moment before");
        return !c->reason[0];
    case SUBSCRIBE: /* the first of the listener's pushed answers: told apart by its name */
    case PUBLISH:
        break;
    }
    return true;
}

static void listen(struct check *c);

/* All that was asked is answered. False: the check is over. */
static bool go_on(struct check *c)
{
    switch (c->main.asked[c->main.n_asked - 1]) {
    case INFO:
        c->first_byte = connection_now(&c->connection);
        ask_round_trip(c);
        return true;
    case GET:
        c->total = connection_now(&c->connection) - c->asked_us;
        if (c->connection.target->pubsub) {
            listen(c);
            return true;
        }
        tell(c, false);
        return false;
    case AUTH:
    case SELECT:
    case PING:
    case SET:
    case SUBSCRIBE:
    case PUBLISH: /* now the listener hears it */
        break;
    }
    return true;
}

static bool is_push(const redisReply *r, const char *kind, const char *channel)
{
    return r->type == REDIS_REPLY_ARRAY && r->elements == 3 && is_text(r->element[0], kind) &&
           is_text(r->element[1], channel);
}

/* The listener's answers: to AUTH, then that it is subscribed, then the message. False: over. */
static bool take_listener(struct check *c, const redisReply *reply)
{
    struct link *l = &c->listener;

    if (is_push(reply, "subscribe", c->key)) {
        ask_again(&c->main);
        ASK(&c->main, PUBLISH, "PUBLISH", c->key, c->value);
        return true;
    }
    if (is_push(reply, "message", c->key) && is_text(reply->element[2], c->value)) {
        c->heard = true;
        tell(c, false);
        return false;
    }
    if (l->n_answered < l->n_asked && take_answer(c, l->asked[l->n_answered], reply)) {
        l->n_answered++;
        return true;
    }
    if (!c->reason[0])
        fail(c, " did not answer SUBSCRIBE as Redis does");
    tell(c, false);
    return false;
}

static bool take_main(struct check *c, const redisReply *reply)
{
    struct link *l = &c->main;

    if (l->n_answered == l->n_asked)
        fail(c, " says something that nobody asked");
    else if (take_answer(c, l->asked[l->n_answered], reply))
        l->n_answered++;
    if (c->reason[0]) {
        tell(c, false);
        return false;
    }
    return l->n_answered < l->n_asked || go_on(c);
}

/* --- Streams -------------------------------------------------------------------------------------
 */

/* An array of a million elements would be made before the first of them came. */
static void *make_small_array(const redisReadTask *task, int elements)
{
    const redisReplyObjectFunctions *usual = task->privdata;

    return elements <= MAX_ELEMENTS ? usual->createArray(task, elements) : NULL;
}

static void link_begin(struct check *c, struct link *l)
{
    l->check = c;
    l->reader = redisReaderCreate();
    if (!l->reader)
        abort(); /* out of memory */
    l->functions = *l->reader->fn;
    l->functions.createArray = make_small_array;
    l->reader->privdata = l->reader->fn;
    l->reader->fn = &l->functions;
}

static void received(const void *data, size_t len, void *arg)
{
    struct link *l = arg;
    struct check *c = l->check;
    void *reply = NULL;

    l->bytes += len;
    if (l->bytes > MAX_BYTES) {
        fail(c, " sent more than %d KiB", MAX_BYTES >> 10);
        tell(c, false);
        return;
    }
    (void)redisReaderFeed(l->reader, data, len);
    for (bool goes_on = true; goes_on;) {
        if (redisReaderGetReply(l->reader, &reply) != REDIS_OK) {
            fail(c, ": what answers there is no Redis server");
            tell(c, false);
            return;
        }
        if (!reply)
            return;
        goes_on = l == &c->main ? take_main(c, reply) : take_listener(c, reply);
        freeReplyObject(reply);
    }
}

static bool is_secure(const struct check *c)
{
    return strcmp(c->connection.place.scheme, "rediss") == 0;
}

static void ended(const struct err *e, void *arg)
{
    struct link *l = arg;
    struct check *c = l->check;
    bool ours = e->kind == ERR_USAGE || e->kind == ERR_STORE;
    bool early = stream_phases(c->connection.stream).connect >= 0 && c->first_byte < 0;
    const char *hint = early && !is_secure(c) ? "; does it want TLS (rediss://)?" : "";

    if (!c->connection.place.host[0])
        (void)text_copy(c->reason, sizeof(c->reason),
                        "the cache's address cannot be read; write rediss://user:password@host:port"
                        "/0, with %40 for @ and so on inside the parts");
    else if (e->kind == ERR_NONE)
        fail(c, " closed the connection%s", hint);
    else
        (void)snprintf(c->reason, sizeof(c->reason), "Redis at %.340s%s", e->text, hint);
    tell(c, ours);
}

static void main_opened(void *arg)
{
    struct link *l = arg;

    l->stream = l->check->connection.stream;
    ask_session(l->check);
}

static void listener_opened(void *arg)
{
    struct link *l = arg;

    ask_auth(l);
    ASK(l, SUBSCRIBE, "SUBSCRIBE", l->check->key);
}

static const struct stream_events main_events = {main_opened, received, ended},
                                  listener_events = {listener_opened, received, ended};

static void listen(struct check *c)
{
    struct stream_options o = {
        .host = c->connection.place.host, .port = c->connection.place.port, .tls = is_secure(c)};

    link_begin(c, &c->listener);
    c->listener.stream =
        stream_open(c->connection.tools->dialer, &o, &listener_events, &c->listener);
}

/* --- Its beginning -------------------------------------------------------------------------------
 */

/* A key of our own and a value that nobody can guess: two probers do not meet. */
static void make_key(struct check *c)
{
    unsigned char random[16];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort(); /* cannot be for so few bytes */
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(c->value + 2 * i, 3, "%02x", random[i]);
    (void)snprintf(c->key, sizeof(c->key), "trine:probe:%.16s", c->value);
}

/* The address, taken apart; of one that makes no sense nothing is kept, so nothing is shown, and
 * the look-up refuses the empty name. */
static void read_address(struct check *c)
{
    struct endpoint *place = &c->connection.place;

    if (!endpoint_read(c->connection.target->url, REDIS_PORT, place) ||
        check_credentials_read(c->connection.target->url, &c->credentials) < 0) {
        *place = (struct endpoint){.host = ""};
        c->credentials = (struct check_credentials){mem_strdup(""), mem_strdup("")};
    }
    size_t digits = strspn(place->target + 1, "0123456789");
    if (digits > 0 && digits < sizeof(c->database))
        memcpy(c->database, place->target + 1, digits);
}

static struct check *redis_start(const struct check_tools *tools, const struct target *t,
                                 int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    c->connection = (struct connection){.tools = tools, .target = t, .fn = fn, .arg = arg};
    c->first_byte = c->total = -1;
    read_address(c);
    make_key(c);
    link_begin(c, &c->main);
    connection_begin(&c->connection, intended_us, is_secure(c), &main_events, &c->main);
    return c;
}

const struct check_ops check_redis = {CHECK_REDIS, redis_start, redis_release, redis_progress};
