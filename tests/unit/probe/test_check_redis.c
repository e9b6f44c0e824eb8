#include "../net/peer.h"
#include "check_rig.h"
#include "servers.h"

/* The check against a Redis server of the test's own, and against what only pretends to be one. */

#define PASSWORD "canary-7d41-p@ssword"
#define ENCODED "canary-7d41-p%40ssword"

static struct server redis;
static unsigned tls_port;
static struct authority authority;

static struct target target(const char *url)
{
    return (struct target){.kind = CHECK_REDIS,
                           .environment = "uat",
                           .app = "cache",
                           .instance = "",
                           .check = "redis",
                           .url = url,
                           .every_ms = 60000,
                           .timeout_ms = 10000};
}

static const char *url_of(const char *user, unsigned port, const char *more)
{
    static char url[300];

    snprintf(url, sizeof(url), "redis://%s127.0.0.1:%u%s", user, port, more);
    return url;
}

static bool holds_no_canary(const struct rig *r)
{
    return !strstr(r->reason, "canary") && !strstr(r->detail, "canary");
}

static bool says(const struct rig *r, const char *text)
{
    if (strstr(r->reason, text))
        return true;
    printf("# says: %s\n", r->reason);
    return false;
}

static bool ready(const struct server *s)
{
    return server_listens(s->port) && server_listens(tls_port);
}

static bool start_server(void)
{
    static const char *const programs[] = {"/usr/bin/redis-server", "/usr/local/bin/redis-server"};
    char port[8], secure[8];
    const char *program = access(programs[0], X_OK) == 0 ? programs[0] : programs[1];

    if (access(program, X_OK) != 0)
        return false;
    server_prepare(&redis, NULL);
    server_certificate(&redis, &authority);
    server_write(&redis, "users.acl",
                 "user default on >" PASSWORD " ~* &* +@all\n"
                 "user reader on >canary-reader ~* &* +@all -info\n");
    do
        tls_port = server_free_port();
    while (tls_port == redis.port);
    snprintf(port, sizeof(port), "%u", redis.port);
    snprintf(secure, sizeof(secure), "%u", tls_port);
    const char *const run[] = {program,      "--bind",
                               "127.0.0.1",  "--port",
                               port,         "--tls-port",
                               secure,       "--tls-cert-file",
                               "server.crt", "--tls-key-file",
                               "server.key", "--tls-ca-cert-file",
                               "server.crt", "--tls-auth-clients",
                               "no",         "--save",
                               "",           "--aclfile",
                               "users.acl",  NULL};
    redis.pid = server_spawn(&redis, run);
    return redis.pid > 0 && server_await(&redis, ready);
}

/* --- Against it ----------------------------------------------------------------------------------
 */

static void a_good_server_tells_its_version_and_every_phase(void)
{
    struct target t = target(url_of(":" ENCODED "@", redis.port, "/3"));
    struct rig r;

    t.major_version = 6;
    r = rig_run(&check_redis, &t, NULL);
    CHECK(r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(strncmp(r.detail, "Redis ", 6) == 0 && r.detail[6] >= '6');
    CHECK(!strstr(r.detail, "pub/sub"));
    CHECK(r.answer.connect >= 0 && r.answer.tls == -1);
    CHECK(r.answer.first_byte > r.answer.connect);
    CHECK(r.answer.total > 0);
    CHECK(holds_no_canary(&r));
}

static void tls_and_a_message_through_a_channel(void)
{
    char url[200];

    snprintf(url, sizeof(url), "rediss://default:%s@127.0.0.1:%u", ENCODED, tls_port);
    struct target t = target(url);
    t.pubsub = true;
    struct rig r = rig_run(&check_redis, &t, authority.file);
    CHECK(r.answer.ok && strstr(r.detail, ", pub/sub works"));
    CHECK(r.answer.tls > r.answer.connect && r.answer.first_byte > r.answer.tls);
    r = rig_run(&check_redis, &t, NULL); /* the system trusts nobody who signed it */
    CHECK(!r.answer.ok && r.answer.answered && r.answer.total == -1);
    CHECK(says(&r, "certificate"));
    t.url = url_of(":" ENCODED "@", tls_port, "");
    r = rig_run(&check_redis, &t, authority.file);
    CHECK(!r.answer.ok && says(&r, "does it want TLS (rediss://)?"));
}

static void passwords_wrong_missing_and_needless_are_said_without_them(void)
{
    static const struct {
        const char *user, *why;
    } rows[] = {
        {":canary-wrong@", "WRONGPASS"}, {"nobody:canary-wrong@", "WRONGPASS"}, {"", "NOAUTH"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target t = target(url_of(rows[i].user, redis.port, ""));
        struct rig r = rig_run(&check_redis, &t, NULL);
        CHECK(!r.answer.ok && r.answer.answered);
        CHECK(says(&r, rows[i].why));
        CHECK(says(&r, "look at the user and password in its address"));
        CHECK(holds_no_canary(&r));
    }
    struct target t = target("redis://:canary%zz@127.0.0.1:1");
    struct rig r = rig_run(&check_redis, &t, NULL);
    CHECK(!r.answer.ok && !r.answer.sent && says(&r, "cannot be read") && holds_no_canary(&r));
}

static void versions_are_compared_where_they_are_told(void)
{
    struct target t = target(url_of(":" ENCODED "@", redis.port, ""));
    struct rig r;

    t.major_version = 99;
    r = rig_run(&check_redis, &t, NULL);
    CHECK(!r.answer.ok && r.answer.answered && says(&r, "version 99 or later is needed"));
    t = target(url_of("reader:canary-reader@", redis.port, ""));
    r = rig_run(&check_redis, &t, NULL);
    CHECK(r.answer.ok && r.detail[0] == '\0');
    t.major_version = 7;
    r = rig_run(&check_redis, &t, NULL);
    CHECK(!r.answer.ok && says(&r, "does not tell its version"));
    t = target(url_of(":" ENCODED "@", redis.port, "/9999"));
    r = rig_run(&check_redis, &t, NULL);
    CHECK(!r.answer.ok && says(&r, "DB index is out of range"));
}

static void it_can_be_cancelled_at_any_moment(void)
{
    struct target t = target(url_of(":" ENCODED "@", redis.port, ""));

    t.pubsub = true;
    rig_cancel_everywhere(&check_redis, &t, NULL, 12);
}

static void a_stopped_server_answers_nothing_and_its_phases_are_known(void)
{
    struct target t = target(url_of(":" ENCODED "@", redis.port, ""));
    struct check_answer so_far = {.connect = -1};
    struct rig r;

    rig_begin(&r, NULL);
    kill(redis.pid, SIGSTOP);
    struct check *c = check_redis.start(&r.tools, &t, 0, rig_answered, &r);
    for (int i = 0; i < 100 && so_far.connect < 0; i++) {
        uv_run(loop_uv(r.loop), UV_RUN_ONCE);
        check_redis.progress(c, &so_far);
    }
    CHECK(r.calls == 0 && so_far.sent && so_far.answered); /* the kernel took the connection */
    CHECK(so_far.first_byte == -1 && so_far.total == -1 && !so_far.ok);
    check_redis.cancel(c);
    kill(redis.pid, SIGCONT);
    rig_end(&r);
}

/* --- Against others ------------------------------------------------------------------------------
 */

static void a_dead_port_refuses(void)
{
    struct target t = target(url_of(":" ENCODED "@", server_free_port(), ""));
    struct rig r = rig_run(&check_redis, &t, NULL);

    CHECK(!r.answer.ok && r.answer.sent && r.answer.answered && r.answer.total == -1);
    CHECK(says(&r, "Redis at 127.0.0.1:") && holds_no_canary(&r));
}

/* Says one thing after being told anything; a text that begins with '!' is repeated without end. */
static void say(int fd, void *arg)
{
    const char *text = arg;
    char bytes[400];

    (void)recv(fd, bytes, sizeof(bytes), 0);
    if (text[0] != '!')
        peer_say(fd, text);
    while (text[0] == '!' && peer_write(fd, text + 1, strlen(text + 1)))
        ;
}

static void garbage_is_no_redis(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers there is no Redis server"},
        {"", "closed the connection"},
        {"*2147483647\r\n", "what answers there is no Redis server"},
        {"+OK\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", "did not answer PING"},
        {"+OK\r\n+PONG\r\n$-1\r\n+OK\r\n$3\r\nfoo\r\n", "did not give back what was set"},
        {"+OK\r\n:5\r\n", "did not answer PING"},
        {"-ERR I know " PASSWORD "\r\n", "I know ****"},
        {"!$999999999\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
         "sent more than 1024 KiB"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer p;
        peer_start(&p, say, (void *)(uintptr_t)rows[i].text);
        struct target t = target(url_of(":" ENCODED "@", p.port, ""));
        struct rig r = rig_run(&check_redis, &t, NULL);
        peer_stop(&p);
        CHECK(!r.answer.ok && r.answer.sent && r.answer.answered);
        CHECK(says(&r, rows[i].why));
        CHECK(holds_no_canary(&r));
    }
}

int main(void)
{
    authority = authority_make("Test authority", NULL, 86400L * 30);
    a_dead_port_refuses();
    garbage_is_no_redis();
    if (start_server()) {
        a_good_server_tells_its_version_and_every_phase();
        tls_and_a_message_through_a_channel();
        passwords_wrong_missing_and_needless_are_said_without_them();
        versions_are_compared_where_they_are_told();
        it_can_be_cancelled_at_any_moment();
        a_stopped_server_answers_nothing_and_its_phases_are_known();
    } else {
        printf("ok %d # SKIP no Redis server can be run here (package redis-server)\n", ++test_run);
    }
    server_end(&redis);
    authority_free(&authority);
    return DONE();
}
