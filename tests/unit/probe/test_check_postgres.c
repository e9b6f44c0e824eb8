#include "../net/peer.h"
#include "base/text.h"
#include "check_rig.h"
#include "servers.h"

#include <glob.h>

/* The check against a PostgreSQL server of the test's own, and against what only pretends to be
 * one. */

#define PASSWORD "canary-9c2f-password"

static struct server postgres;
static struct authority authority;

static struct target target(const char *url)
{
    return (struct target){.kind = CHECK_POSTGRES,
                           .environment = "uat",
                           .app = "database",
                           .instance = "",
                           .check = "db",
                           .url = url,
                           .query = "select 1",
                           .every_ms = 60000,
                           .timeout_ms = 10000};
}

static const char *url_of(const char *password, unsigned port, const char *more)
{
    static char url[300];

    snprintf(url, sizeof(url), "postgres://trine:%s@127.0.0.1:%u/postgres%s", password, port, more);
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

/* --- The server ----------------------------------------------------------------------------------
 */

static const char *program(const char *name)
{
    static char path[PATH_MAX];
    glob_t found = {0};

    path[0] = '\0';
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0 && found.gl_pathc > 0)
        snprintf(path, sizeof(path), "%s/%s", found.gl_pathv[found.gl_pathc - 1], name);
    globfree(&found);
    return path[0] && access(path, X_OK) == 0 ? path : NULL;
}

static bool ready(const struct server *s)
{
    char path[PATH_MAX], line[200];
    bool yes = false;

    snprintf(path, sizeof(path), "%s/data/postmaster.pid", s->dir);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        yes = strncmp(line, "ready", 5) == 0;
    if (f)
        fclose(f);
    return yes && server_listens(s->port);
}

static bool start_server(void)
{
    char port[8];
    const char *name = program("initdb");
    if (!name)
        return false;
    server_prepare(&postgres, "postgres");
    server_write(&postgres, "password", PASSWORD "\n");
    server_certificate(&postgres, &authority);
    const char *const make[] = {name,
                                "-D",
                                "data",
                                "-U",
                                "trine",
                                "-A",
                                "scram-sha-256",
                                "--pwfile=password",
                                "--no-sync",
                                "--locale=C",
                                "-E",
                                "UTF8",
                                NULL};
    if (!server_run(&postgres, make)) {
        server_show_log(&postgres);
        return false;
    }
    snprintf(port, sizeof(port), "%u", postgres.port);
    const char *const run[] = {program("postgres"),
                               "-D",
                               "data",
                               "-p",
                               port,
                               "-k",
                               "",
                               "-c",
                               "fsync=off",
                               "-c",
                               "listen_addresses=127.0.0.1",
                               "-c",
                               "ssl=on",
                               "-c",
                               "ssl_cert_file=../server.crt",
                               "-c",
                               "ssl_key_file=../server.key",
                               NULL};
    postgres.pid = server_spawn(&postgres, run);
    return postgres.pid > 0 && server_await(&postgres, ready);
}

/* --- Against it ----------------------------------------------------------------------------------
 */

static void a_good_server_tells_its_version_and_every_phase(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, "?sslmode=disable"));
    struct rig r = rig_run(&check_postgres, &t, NULL);

    CHECK(r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(strncmp(r.detail, "PostgreSQL 1", 12) == 0 && !strchr(r.detail, '('));
    CHECK(r.answer.lookup >= 0 && r.answer.connect >= r.answer.lookup);
    CHECK(r.answer.tls == -1);
    CHECK(r.answer.first_byte > r.answer.connect);
    CHECK(r.answer.total > 0);
    CHECK(holds_no_canary(&r));
}

static void tls_is_a_phase_and_its_certificate_is_verified_when_the_address_says_so(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, "?sslmode=verify-full"));
    struct rig r = rig_run(&check_postgres, &t, authority.file);

    CHECK(r.answer.ok);
    CHECK(r.answer.tls > r.answer.connect && r.answer.first_byte > r.answer.tls);
    r = rig_run(&check_postgres, &t, NULL); /* the system trusts nobody who signed it */
    CHECK(!r.answer.ok && r.answer.answered && says(&r, "certificate"));
    CHECK(r.answer.total == -1 && holds_no_canary(&r));
}

static void the_statement_alone_is_timed(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, ""));

    t.query = "select pg_sleep(0.3)";
    struct rig r = rig_run(&check_postgres, &t, NULL);
    CHECK(r.answer.ok && r.answer.total >= 300000);
    CHECK(r.answer.first_byte > 0);
}

static void extensions_are_found_installed_available_or_missing(void)
{
    static const char *const known[] = {"plpgsql", "pg_trgm", "uuid-ossp"};
    static const char *const missing[] = {"plpgsql", "vector-of-nobody", "o'extension"};
    struct target t = target(url_of(PASSWORD, postgres.port, ""));

    t.extensions = known;
    t.n_extensions = 3;
    struct rig r = rig_run(&check_postgres, &t, NULL);
    CHECK(r.answer.ok);
    CHECK(strstr(r.detail, ", plpgsql 1.0, pg_trgm available 1."));
    CHECK(strstr(r.detail, ", uuid-ossp available 1."));
    t.extensions = missing;
    r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && r.answer.answered && r.answer.total == -1);
    CHECK(says(&r, "has no extension vector-of-nobody, o'extension; "));
}

static void an_older_major_version_is_named(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, ""));

    t.major_version = 99;
    struct rig r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && r.answer.answered && says(&r, "version 99 or later is needed"));
    t.major_version = 9;
    r = rig_run(&check_postgres, &t, NULL);
    CHECK(r.answer.ok);
}

static void a_wrong_password_is_said_without_it(void)
{
    struct target t = target(url_of("canary-wrong", postgres.port, ""));
    struct rig r = rig_run(&check_postgres, &t, NULL);

    CHECK(!r.answer.ok && r.answer.answered);
    CHECK(says(&r, "password authentication failed"));
    CHECK(says(&r, "look at the user and password in its address"));
    CHECK(holds_no_canary(&r));
    t.url = "postgres://trine@127.0.0.1:1/%zz-canary";
    r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && !r.answer.sent && says(&r, "cannot be read") && holds_no_canary(&r));
    t.url = "postgres:///postgres";
    r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && !r.answer.sent && says(&r, "must name one host"));
}

static void a_failing_a_writing_a_double_and_a_copying_query_are_refused(void)
{
    static const struct {
        const char *query, *why;
    } rows[] = {
        {"select nothing", "column \"nothing\" does not exist"},
        {"create table t (a int)", "read-only transaction"},
        {"select 1; select 2", "cannot insert multiple commands"},
        {"copy (select 1) to stdout", "the query copies"},
        {"", "the query is empty"},
        {"select '" PASSWORD "'::int", "invalid input syntax"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target t = target(url_of(PASSWORD, postgres.port, ""));
        t.query = rows[i].query;
        struct rig r = rig_run(&check_postgres, &t, NULL);
        CHECK(!r.answer.ok && r.answer.answered);
        CHECK(says(&r, rows[i].why));
        CHECK(holds_no_canary(&r));
    }
}

static void a_slow_statement_is_ended_by_the_server_itself(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, ""));

    t.query = "select pg_sleep(3600)";
    t.timeout_ms = 200;
    struct rig r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && says(&r, "statement timeout"));
}

static void an_answer_without_end_is_cut(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, "?sslmode=disable"));

    t.query = "select repeat('x', 100000) from generate_series(1, 10000000)";
    struct rig r = rig_run(&check_postgres, &t, NULL);
    CHECK(!r.answer.ok && r.answer.answered && says(&r, "sent more than 16 MiB"));
}

static void it_can_be_cancelled_at_any_moment(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, ""));

    rig_cancel_everywhere(&check_postgres, &t, NULL, 20);
}

static void a_stopped_server_answers_nothing_and_its_phases_are_known(void)
{
    struct target t = target(url_of(PASSWORD, postgres.port, ""));
    struct check_answer so_far = {0};
    struct rig r;

    rig_begin(&r, NULL);
    kill(postgres.pid, SIGSTOP);
    struct check *c = check_postgres.start(&r.tools, &t, 0, rig_answered, &r);
    for (int i = 0; i < 100 && so_far.connect <= 0; i++) {
        uv_run(loop_uv(r.loop), UV_RUN_ONCE);
        check_postgres.progress(c, &so_far);
    }
    CHECK(r.calls == 0 && so_far.sent && so_far.answered); /* the kernel took the connection */
    CHECK(so_far.connect > 0 && so_far.first_byte == -1 && !so_far.ok);
    check_postgres.cancel(c);
    kill(postgres.pid, SIGCONT);
    rig_end(&r);
}

/* --- Against others ------------------------------------------------------------------------------
 */

static void a_dead_port_refuses(void)
{
    struct target t = target(url_of(PASSWORD, server_free_port(), ""));
    struct rig r = rig_run(&check_postgres, &t, NULL);

    CHECK(!r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(says(&r, "Connection refused; is it running"));
    CHECK(r.answer.total == -1 && holds_no_canary(&r));
}

/* Each peer says this, whatever it is told, and hangs up. */
static void say(int fd, void *arg)
{
    char bytes[64];

    (void)recv(fd, bytes, sizeof(bytes), 0);
    peer_say(fd, arg);
}

static void garbage_is_no_postgres(void)
{
    static char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n", nothing[] = "";
    static char echo[] = "E\0\0\0";
    static struct {
        char *text;
        const char *why;
    } rows[] = {{http, "what answers there is no PostgreSQL"},
                {nothing, "PostgreSQL at 127.0.0.1:"},
                {echo, "PostgreSQL at 127.0.0.1:"}};

    for (size_t i = 0; i < 3; i++) {
        struct peer p;
        peer_start(&p, say, rows[i].text);
        struct target t = target(url_of(PASSWORD, p.port, ""));
        struct rig r = rig_run(&check_postgres, &t, NULL);
        peer_stop(&p);
        CHECK(!r.answer.ok && r.answer.sent && r.answer.answered);
        CHECK(says(&r, rows[i].why));
        CHECK(holds_no_canary(&r));
    }
}

/* An error of a server that wants to see the password in somebody's log. */
static void hostile(int fd, void *arg)
{
    static const char text[] = "SFATAL\0C28000\0MI know " PASSWORD "\0";
    unsigned char head[5] = {'E', 0, 0, 0, (unsigned char)(4 + sizeof(text))};
    char bytes[400];

    (void)arg;
    (void)recv(fd, bytes, sizeof(bytes), 0); /* the wish for TLS */
    peer_say(fd, "N");
    (void)recv(fd, bytes, sizeof(bytes), 0);
    peer_write(fd, (const char *)head, sizeof(head));
    peer_write(fd, text, sizeof(text));
}

static void a_server_that_repeats_the_password_is_not_quoted(void)
{
    struct peer p;

    peer_start(&p, hostile, NULL);
    struct target t = target(url_of(PASSWORD, p.port, ""));
    struct rig r = rig_run(&check_postgres, &t, NULL);
    peer_stop(&p);
    CHECK(!r.answer.ok && says(&r, "I know ****") && holds_no_canary(&r));
}

int main(void)
{
    authority = authority_make("Test authority", NULL, 86400L * 30);
    a_dead_port_refuses();
    garbage_is_no_postgres();
    a_server_that_repeats_the_password_is_not_quoted();
    if (start_server()) {
        a_good_server_tells_its_version_and_every_phase();
        tls_is_a_phase_and_its_certificate_is_verified_when_the_address_says_so();
        the_statement_alone_is_timed();
        extensions_are_found_installed_available_or_missing();
        an_older_major_version_is_named();
        a_wrong_password_is_said_without_it();
        a_failing_a_writing_a_double_and_a_copying_query_are_refused();
        a_slow_statement_is_ended_by_the_server_itself();
        an_answer_without_end_is_cut();
        it_can_be_cancelled_at_any_moment();
        a_stopped_server_answers_nothing_and_its_phases_are_known();
    } else {
        printf("ok %d # SKIP no PostgreSQL server can be run here (package postgresql)\n",
               ++test_run);
    }
    server_end(&postgres);
    authority_free(&authority);
    return DONE();
}
