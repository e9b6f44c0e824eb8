#include "world.h"

#include "traffic/haproxy_plan.h"
#include "traffic/haproxy_reply.h"

#include <fcntl.h>

/* Without a HAProxy: plans that are refused, and replies that are taken apart. */

static struct haproxy_server two[] = {
    {.environment = "uat", .host = "uat.example", .port = 443, .tls = true, .weight = 90},
    {.environment = "beta", .host = "beta.example", .port = 8443, .tls = true, .weight = 10},
};

static struct haproxy_route good_route(void)
{
    return (struct haproxy_route){.name = "api",
                                  .listen = "127.0.0.1:8080",
                                  .certificate = "",
                                  .health = "/health",
                                  .servers = two,
                                  .n_servers = 2,
                                  .retry = RETRY_SAFE,
                                  .connect_ms = 1000,
                                  .answer_ms = 1000,
                                  .errors = 3,
                                  .fast_ms = 500};
}

static bool refused(const struct haproxy_route *r, const char *dir, const char *expected)
{
    struct haproxy_plan p = {.project = "demo", .dir = dir, .routes = r, .n_routes = 1};
    struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    int bad = haproxy_config(&p, &out, &e);
    bool as_expected = bad == -1 && e.kind == ERR_USAGE && strstr(e.text, expected) && !out.len;

    if (!as_expected)
        printf("# expected '%s', got %d: %s\n", expected, bad, e.text);
    buf_release(&out);
    return as_expected;
}

static void bad_plans_are_refused_and_named(void)
{
    struct haproxy_server bad[] = {two[0], two[1]};
    struct haproxy_route r = good_route();
    char deep[200] = "/";

    memset(deep + 1, 'd', 150);
    CHECK(refused(&r, deep, "too long a path"));
    CHECK(refused(&r, "relative", "absolute"));
    CHECK(refused(&r, "/tmp/a,b", "comma"));
    CHECK(refused(&r, "/tmp/a$b", "dollar"));
    r.name = "api_open";
    CHECK(refused(&r, "/tmp/x", "_open"));
    r = good_route();
    r.listen = "127.0.0.1:99999";
    CHECK(refused(&r, "/tmp/x", "listen"));
    r.listen = "127.0.0.1:8080 user root";
    CHECK(refused(&r, "/tmp/x", "listen"));
    r = good_route();
    r.health = "/health HTTP/1.1\n  server evil 1.2.3.4:80";
    CHECK(refused(&r, "/tmp/x", "health"));
    r = good_route();
    r.errors = 0;
    CHECK(refused(&r, "/tmp/x", "errors"));
    r = good_route();
    r.answer_ms = 0;
    CHECK(refused(&r, "/tmp/x", "answer_within"));
    r = good_route();
    r.servers = bad;
    bad[0].weight = bad[1].weight = 0;
    CHECK(refused(&r, "/tmp/x", "weight above 0"));
    bad[0] = bad[1] = two[0];
    CHECK(refused(&r, "/tmp/x", "twice"));
    bad[1].environment = "beta";
    CHECK(refused(&r, "/tmp/x", "both at uat.example"));
    bad[1] = two[1];
    bad[1].host = "10.1.2.3";
    CHECK(refused(&r, "/tmp/x", "certificate is checked against a name"));
    bad[1].host = "a b\n";
    CHECK(refused(&r, "/tmp/x", "Host header"));
    bad[1] = two[1];
    bad[1].weight = 257;
    CHECK(refused(&r, "/tmp/x", "257"));
    r.n_servers = 0;
    CHECK(refused(&r, "/tmp/x", "0 environments"));
}

/* Names that do not resolve, TLS towards the platforms, strange characters in paths: HAProxy itself
 * says that it can start. */
static void haproxy_takes_names_and_tls(void)
{
    char dir[] = "/tmp/trine \"'#%[x]-XXXXXX", path[64];
    struct haproxy_route r = good_route();
    struct haproxy_plan p = {.project = "a \"demo\"", .routes = &r, .n_routes = 1};
    struct buf out = BUF_INIT(1 << 20);
    struct err e;
    pid_t pid;
    int fd, status = -1;

    CHECK(mkdtemp(dir) != NULL);
    p.dir = dir;
    two[0].host = "no-such-host.invalid";
    r.health = "/health?a=\"$b\"&c=%[env(HOME)]#\\";
    CHECK(haproxy_config(&p, &out, &e) == 0);
    CHECK(strstr(buf_str(&out), "sni str(no-such-host.invalid)") != NULL);
    CHECK(strstr(buf_str(&out), "verify required") != NULL);
    snprintf(path, sizeof path, "%s/x.cfg", dir);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(write(fd, out.data, out.len) == (ssize_t)out.len);
    close(fd);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(2, 1);
        execl("/usr/sbin/haproxy", "haproxy", "-c", "-f", path, (char *)NULL);
        _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    two[0].host = "uat.example";
    buf_release(&out);
    nftw(dir, world_unlink, 4, FTW_DEPTH | FTW_PHYS);
}

/* --- Replies ----------------------------------------------------------------------------------*/

static void who_answers_is_told(void)
{
    struct haproxy_identity id;
    struct err e;

    CHECK(haproxy_identity_read("Name: HAProxy\nVersion: 2.6.12\nPid: 77\nnode: trine-x\n"
                                "description: abc\nMaxconn: 242\n\n",
                                &id, &e) == 0);
    CHECK(id.connections_max == 242);
    CHECK(id.pid == 77 && !strcmp(id.node, "trine-x") && !strcmp(id.hash, "abc"));
    CHECK(haproxy_identity_read("-ERR unknown command\n", &id, &e) == -1);
    CHECK(haproxy_identity_read("", &id, &e) == -1);
    CHECK(haproxy_identity_read("Name: HAProxy\nPid: 99999999999999999999\n", &id, &e) == 0);
    CHECK(id.pid == 0);
    CHECK(haproxy_version_read("HAProxy version 2.6.12-1+deb12u4 2026/10/17\n") == 2006);
    CHECK(haproxy_version_read("HA-Proxy version 1.8.19\n") == 1008);
    CHECK(haproxy_version_read("HAProxy version \n") == -1);
    CHECK(haproxy_version_read("nginx/1.22\n") == -1);
}

struct rows {
    struct haproxy_row last;
    int n;
};

static void count_row(const struct haproxy_row *row, void *arg)
{
    struct rows *r = arg;

    r->last = *row;
    r->n++;
}

#define HEAD                                                                                       \
    "# pxname,svname,scur,stot,econ,eresp,wretr,wredis,status,check_status,check_code,hrsp_1xx,"   \
    "hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,cli_abrt,rtime,uweight,\n"

static void statistics_are_read_by_their_names(void)
{
    struct rows r = {0};
    struct err e;

    CHECK(haproxy_stats_read("\n\n" HEAD
                             "api,h:1,2,9,0,1,0,0,\"UP, \"\"x\"\" 1/3\",* L7OK,200,0,5,0,0,1,0,1,"
                             "12,90,\n\nrest\n",
                             count_row, &r, &e) == 0);
    CHECK(r.n == 1 && r.last.streams == 2 && r.last.tried == 9 && r.last.answers[2] == 5);
    CHECK(!strcmp(r.last.status, "UP, \"x\" 1/3") && !strcmp(r.last.check, "L7OK/200"));
    CHECK(r.last.weight == 90 && r.last.answer_ms == 12);
    r = (struct rows){0};
    CHECK(haproxy_stats_read(HEAD "api\n,,,,,,,,,,,,,,,,,,,,,,,,\n\"unclosed,1\n"
                                  "api,x,18446744073709551615,-3,zz\n",
                             count_row, &r, &e) == 0);
    CHECK(r.n == 4 && r.last.streams == 0 && r.last.tried == 0);
    CHECK(haproxy_stats_read("# pxname,svname,\nx,y\n", count_row, &r, &e) == -1);
    CHECK(strstr(e.text, "status") != NULL);
    CHECK(haproxy_stats_read("No such server.\n", count_row, &r, &e) == -1);
}

static void a_refused_order_is_seen_before_the_table(void)
{
    char words[100];

    CHECK(!haproxy_complaint("\n\n\n" HEAD "api,x\n", words, sizeof words));
    CHECK(haproxy_complaint("\nNo such server.\n\n" HEAD, words, sizeof words));
    CHECK(!strcmp(words, "No such server."));
}

#define SESSION(id, server, line)                                                                  \
    id ": [22/Nov/2026:23:53:30] id=0 proto=tcpv4 source=127.0.0.1:1\n"                            \
       "  backend=api (id=4 mode=http) addr=127.0.0.1:2\n  server=" server                         \
       " (id=1) addr=127.0.0.1:3\n  txn=0x1 " line " req.f=0x4c rsp.f=0x00\n"

static void only_requests_that_may_be_repeated_are_freed(void)
{
    static const char text[] = SESSION(
        "0xa1", "h:1", "flags=0x803000 meth=1 status=-1 req.st=MSG_DONE rsp.st=MSG_RPBEFORE")
        SESSION("0xa2", "h:1",
                "flags=0x1000000 meth=3 status=-1 req.st=MSG_DONE rsp.st=MSG_RPBEFORE")
            SESSION("0xa3", "h:1",
                    "flags=0x803000 meth=1 status=200 req.st=MSG_DONE rsp.st=MSG_DATA")
                SESSION("0xa4", "h:12",
                        "flags=0x803000 meth=1 status=-1 req.st=MSG_DONE rsp.st=MSG_RPBEFORE")
                    SESSION("0xa5", "h:1",
                            "flags=0x1803000 meth=1 status=-1 req.st=MSG_DONE "
                            "rsp.st=MSG_RPBEFORE") "0xgarbage\n  server=\n  txn=\n";
    struct buf out = BUF_INIT(10000);

    CHECK(haproxy_sessions_free(text, "api", "h:1", &out) == 1);
    CHECK(!strcmp(buf_str(&out), "shutdown session 0xa1;"));
    CHECK(haproxy_sessions_free(text, "ap", "h:1", &out) == 0);
    CHECK(haproxy_sessions_free("", "api", "h:1", &out) == 0);
    buf_release(&out);
}

static struct live_counters tally(struct haproxy_tally *t, uint64_t tried, uint64_t good,
                                  uint64_t streams)
{
    struct haproxy_row row = {.tried = tried, .answers = {[2] = good}, .streams = streams};
    struct live_counters c;

    haproxy_tally_begin(t);
    haproxy_tally_add(t, &row);
    haproxy_tally_end(t, &c);
    return c;
}

static void waiting_is_what_has_no_answer_yet(void)
{
    struct haproxy_tally t = {0};

    CHECK(tally(&t, 10, 10, 0).waiting == 0);
    CHECK(tally(&t, 14, 10, 4).waiting == 4);
    CHECK(tally(&t, 14, 14, 4).waiting == 0); /* four long answers, or WebSockets */
    CHECK(tally(&t, 17, 14, 0).waiting == 0); /* three were never counted */
    CHECK(tally(&t, 18, 14, 1).waiting == 1);
    CHECK(tally(&t, 18, 20, 3).waiting == 0);
    for (int i = 0; i < 30; i++)
        tally(&t, 18, 20, 3);
    CHECK(tally(&t, 20, 20, 3).waiting == 2);
}

int main(void)
{
    bad_plans_are_refused_and_named();
    haproxy_takes_names_and_tls();
    who_answers_is_told();
    statistics_are_read_by_their_names();
    a_refused_order_is_seen_before_the_table();
    only_requests_that_may_be_repeated_are_freed();
    waiting_is_what_has_no_answer_yet();
    return DONE();
}
