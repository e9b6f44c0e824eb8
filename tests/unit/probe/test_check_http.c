#include "base/clock.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "probe/check.h"
#include "probe/check_http.h"
#include "probe/json_path.h"
#include "test.h"

#include "../net/peer.h"

#include <sys/resource.h>
#include <unistd.h>

/* The http check against a peer that says what a row of the test wants. */

struct outcome {
    int calls;
    struct check_answer a;
    char reason[512];
};

struct asking {
    struct loop *loop;
    struct check_tools tools;
    struct outcome outcome;
};

static void keep(const struct check_answer *a, void *arg)
{
    struct asking *s = arg;
    s->outcome.calls++;
    s->outcome.a = *a;
    snprintf(s->outcome.reason, sizeof(s->outcome.reason), "%s", a->reason);
    loop_stop(s->loop);
}

static void begin(struct asking *s)
{
    memset(s, 0, sizeof(*s));
    s->loop = loop_new(NULL);
    s->tools.loop = s->loop;
    s->tools.http =
        http_client_new(s->loop, &(struct http_client_options){.user_agent = "test",
                                                               .stall_ms = HTTP_FOREVER_MS,
                                                               .max_per_host = HTTP_UNBOUNDED});
}

static void end(struct asking *s)
{
    http_client_free(s->tools.http);
    loop_free(s->loop);
}

static struct outcome ask(const struct target *t)
{
    struct asking s;
    begin(&s);
    check_http.start(&s.tools, t, clock_mono_us(loop_clock(s.loop)), keep, &s);
    if (s.outcome.calls)
        s.outcome.calls = 100; /* never from inside start */
    loop_run(s.loop);
    end(&s);
    return s.outcome;
}

struct said {
    const char *text;
    size_t len;
};

static void say(int fd, void *arg)
{
    const struct said *s = arg;
    char head[8192];
    peer_read_head(fd, head, sizeof(head));
    peer_write(fd, s->text, s->len);
}

static struct outcome ask_who_says(struct target *t, const char *text, size_t len)
{
    struct peer p;
    struct said s = {text, len};
    peer_start(&p, say, &s);
    t->url = p.base;
    struct outcome o = ask(t);
    peer_stop(&p);
    return o;
}

static void what_an_answer_must_hold_is_looked_for(void)
{
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: one\r\n"
        "X-A: two\r\n\r\n"
        "{\"status\":\"ok\",\"parts\":[{\"n\":1},{\"n\":2.5,\"up\":true}]}  ";
    static const struct {
        int status;
        const char *header, *body, *json, *reason; /* "" = it is ok */
    } rows[] = {
        {0, "", "", "", ""},
        {200, "", "", "", ""},
        {204, "", "", "", "answered 200 instead of 204"},
        {0, "content-type: json", "", "", ""},
        {0, "X-A: two", "", "", ""},
        {0, "X-A: three", "", "", "header X-A does not hold \"three\""},
        {0, "X-B: one", "", "", "there is no header X-B"},
        {0, "nonsense", "", "", "is no \"Name: part of the value\""},
        {0, "", "\"status\"", "", ""},
        {0, "", "well", "", "the body does not hold \"well\""},
        {0, "", "", "status = ok", ""},
        {0, "", "", "status=\"ok\"", ""},
        {0, "", "", "status = bad", "status is \"ok\" instead of bad"},
        {0, "", "", "parts[1].n = 2.50", ""},
        {0, "", "", "parts[1].up = true", ""},
        {0, "", "", "parts[1].up = \"true\"", "parts[1].up is true instead of true"},
        {0, "", "", "parts[2].n = 1", "the JSON has no parts[2].n"},
        {0, "", "", "parts = 1", "parts is an array instead of 1"},
        {0, "", "", "parts[x] = 1", "cannot be read from \"[x]\" on"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target t = {.expect_status = rows[i].status,
                           .expect_header = rows[i].header,
                           .expect_body = rows[i].body,
                           .expect_json = rows[i].json};
        struct outcome o = ask_who_says(&t, reply, sizeof(reply) - 1);
        CHECK(o.calls == 1 && o.a.sent && o.a.answered && o.a.status == 200);
        CHECK(o.a.ok == (rows[i].reason[0] == '\0'));
        CHECK(strstr(o.reason, rows[i].reason) && (o.reason[0] == '\0') == o.a.ok);
    }
}

static void expectations_are_understood_or_refused_beforehand(void)
{
    struct err e = ERR_INIT;
    CHECK(json_path_valid("a.b[0].c = 1", &e) == 0 && json_path_valid("[1].id = x", &e) == 0);
    CHECK(json_path_valid("a..b = 1", &e) < 0 && e.kind == ERR_MANIFEST);
    CHECK(json_path_valid("a", &e) < 0 && json_path_valid("= 1", &e) < 0);
    CHECK(json_path_valid("a. = 1", &e) < 0 && json_path_valid("a[1 = 1", &e) < 0);
    CHECK(check_http_header_valid("Content-Type: json", &e) == 0);
    CHECK(check_http_header_valid(": json", &e) < 0 && check_http_header_valid("a b: c", &e) < 0);
}

static void a_redirect_is_the_answer(void)
{
    static const char reply[] =
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    struct target t = {0};
    struct outcome o = ask_who_says(&t, reply, sizeof(reply) - 1);
    CHECK(!o.a.ok && o.a.status == 302 && strstr(o.reason, "302 instead of 2xx"));
}

static void say_for_ever(int fd, void *arg)
{
    static const char piece[65536];
    char head[8192];
    (void)arg;
    peer_read_head(fd, head, sizeof(head));
    peer_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (peer_write(fd, piece, sizeof(piece))) {
    }
}

static void an_endless_body_fails_at_its_bound(void)
{
    struct peer p;
    struct target t = {0};
    peer_start(&p, say_for_ever, NULL);
    t.url = p.base;
    struct outcome o = ask(&t);
    peer_stop(&p);
    CHECK(o.calls == 1 && o.a.sent && o.a.answered && !o.a.ok);
    CHECK(strstr(o.reason, "longer than the 1048576 bytes accepted"));
}

/* 8 MiB of zeros in 8 KiB, as gzip -9 makes them: a head, runs of the longest match, no end. */
static void say_a_bomb(int fd, void *arg)
{
    const struct said *bomb = arg;
    char head[8192];
    peer_read_head(fd, head, sizeof(head));
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    peer_write(fd, bomb->text, bomb->len);
}

static void a_compressed_bomb_fails_at_its_bound(void)
{
    struct peer p;
    struct target t = {0};
    char path[] = "/tmp/trine-test-XXXXXX", *bytes = calloc(1, 65536);
    int fd = mkstemp(path);
    char command[128];
    close(fd);
    snprintf(command, sizeof(command), "head -c 8388608 /dev/zero | gzip -9 > %s", path);
    CHECK(system(command) == 0); /* NOLINT(cert-env33-c): a fixed command */
    FILE *f = fopen(path, "rb");
    struct said bomb = {bytes, fread(bytes, 1, 65536, f)};
    fclose(f);
    unlink(path);
    peer_start(&p, say_a_bomb, &bomb);
    t.url = p.base;
    struct outcome o = ask(&t);
    peer_stop(&p);
    free(bytes);
    CHECK(bomb.len > 1000 && o.calls == 1 && o.a.answered && !o.a.ok);
    CHECK(strstr(o.reason, "longer than the 1048576 bytes accepted"));
}

static void hang_up(int fd, void *arg)
{
    char head[8192];
    (void)arg;
    peer_read_head(fd, head, sizeof(head));
}

static void who_hangs_up_was_there(void)
{
    struct peer p;
    struct target t = {0};
    peer_start(&p, hang_up, NULL);
    t.url = p.base;
    struct outcome o = ask(&t);
    peer_stop(&p);
    CHECK(o.a.sent && o.a.answered && !o.a.ok && o.a.status == 0);
    CHECK(strstr(o.reason, "closed the connection without an answer"));
}

static void nobody_listening_may_be_our_own_fault(void)
{
    struct peer p;
    struct target t = {0};
    peer_start(&p, hang_up, NULL);
    t.url = p.base;
    peer_stop(&p);
    struct outcome o = ask(&t);
    CHECK(o.a.sent && !o.a.answered && !o.a.ok && strstr(o.reason, "cannot connect"));
}

static void without_a_descriptor_the_cause_is_ours(void)
{
    struct rlimit before, none;
    struct peer p;
    struct target t = {0};
    struct asking s;
    peer_start(&p, hang_up, NULL);
    t.url = p.base;
    begin(&s);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3; /* no new one; those that are open go on */
    setrlimit(RLIMIT_NOFILE, &none);
    check_http.start(&s.tools, &t, 0, keep, &s);
    loop_run(s.loop);
    setrlimit(RLIMIT_NOFILE, &before);
    end(&s);
    peer_stop(&p);
    CHECK(s.outcome.calls == 1 && !s.outcome.a.sent && !s.outcome.a.answered);
    CHECK(strstr(s.outcome.reason, "ulimit -n"));
}

static void a_cancelled_check_says_nothing_and_knows_how_far_it_was(void)
{
    struct asking s;
    struct peer p;
    struct target t = {0};
    struct check_answer a = {0};
    peer_start(&p, hang_up, NULL);
    t.url = p.base;
    begin(&s);
    struct check *c = check_http.start(&s.tools, &t, 0, keep, &s);
    check_http.progress(c, &a);
    CHECK(a.sent && a.first_byte == -1);
    check_http.cancel(c);
    loop_run(s.loop);
    end(&s);
    peer_stop(&p);
    CHECK(s.outcome.calls == 0);
}

static void keep_answering(int fd, void *arg)
{
    char head[8192];
    int *asked = arg;
    while (peer_read_head(fd, head, sizeof(head)) > 0) {
        (*asked)++;
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

static void a_connection_is_kept_only_when_the_target_says_so(void)
{
    for (int kept = 0; kept <= 1; kept++) {
        struct asking s;
        struct peer p;
        int asked = 0;
        peer_start(&p, keep_answering, &asked);
        struct target t = {.url = p.base, .keep_connection = kept};
        begin(&s);
        for (int i = 0; i < 3; i++) {
            check_http.start(&s.tools, &t, 0, keep, &s);
            loop_run(s.loop);
            CHECK(s.outcome.a.ok && (s.outcome.a.connect > 0) == (!kept || i == 0));
        }
        end(&s);
        peer_stop(&p);
        CHECK(asked == 3 && p.served == (kept ? 1 : 3));
    }
}

static void connections_to_many_hosts_are_all_kept(void)
{
    enum { HOSTS = 12 };
    struct asking s;
    struct peer peers[HOSTS];
    int asked[HOSTS] = {0};
    begin(&s);
    for (int i = 0; i < HOSTS; i++)
        peer_start(&peers[i], keep_answering, &asked[i]);
    for (int i = 0; i < 3 * HOSTS; i++) {
        struct target t = {.url = peers[i % HOSTS].base, .keep_connection = true};
        check_http.start(&s.tools, &t, 0, keep, &s);
        loop_run(s.loop);
    }
    end(&s);
    for (int i = 0; i < HOSTS; i++) {
        peer_stop(&peers[i]);
        CHECK(asked[i] == 3 && peers[i].served == 1);
    }
}

int main(void)
{
    what_an_answer_must_hold_is_looked_for();
    expectations_are_understood_or_refused_beforehand();
    a_redirect_is_the_answer();
    an_endless_body_fails_at_its_bound();
    a_compressed_bomb_fails_at_its_bound();
    who_hangs_up_was_there();
    nobody_listening_may_be_our_own_fault();
    without_a_descriptor_the_cause_is_ours();
    a_cancelled_check_says_nothing_and_knows_how_far_it_was();
    a_connection_is_kept_only_when_the_target_says_so();
    connections_to_many_hosts_are_all_kept();
    return DONE();
}
