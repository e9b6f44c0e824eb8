#include "app/agent_message.h"
#include "app/serve_assignment.h"
#include "app/targets.h"
#include "base/redact.h"
#include "manifest/manifest.h"
#include "net/http.h"
#include "test.h"

#define CANARY "canary-5ecret-value"

/* A manifest as far as it is looked at. */
static struct manifest_pair key = {.name = "X-Key", .value = "$CANARY"};
static struct manifest_check checks[] = {
    {.name = "page", .kind = CHECK_HTTP},
    {.name = "closed", .kind = CHECK_HTTP, .headers = &key, .n_headers = 1},
    {.name = "door", .kind = CHECK_TCP},
    {.name = "data", .kind = CHECK_POSTGRES},
};
static const char *failover[] = {"uat", "beta"};
static struct manifest_route route = {.name = "api",
                                      .app = "api",
                                      .check = "page",
                                      .failover = failover,
                                      .n_failover = 2,
                                      .down_after = 4,
                                      .up_after = 3};
static const char *controls[] = {"https://one.example/", "https://two.example/" CANARY};
static const struct manifest manifest = {.checks = checks,
                                         .n_checks = 4,
                                         .routes = &route,
                                         .n_routes = 1,
                                         .probe = {.control = controls, .n_control = 2}};

static struct target target(int64_t series, const char *environment, const char *app,
                            const char *check)
{
    return (struct target){.kind = CHECK_HTTP,
                           .environment = environment,
                           .app = app,
                           .instance = "",
                           .check = check,
                           .series = series,
                           .url = "https://shop.example/",
                           .token = "",
                           .origin = "",
                           .query = "",
                           .every_ms = 10000,
                           .timeout_ms = 2000,
                           .down_after = 2,
                           .up_after = 2,
                           .expect_body = "",
                           .expect_header = "",
                           .expect_json = ""};
}

struct made {
    struct redactor *redactor;
    struct target items[12];
    struct targets targets;
    struct assignment assignment;
    struct agent_assignment read; /* as the agent has it */
};

static void make(struct made *m)
{
    struct err e = ERR_INIT;

    m->redactor = redactor_new();
    redactor_add(m->redactor, "CANARY", CANARY);
    m->targets.items = m->items;
    assignment_make(&manifest, m->redactor, &m->targets, &m->assignment);
    CHECK(agent_assignment_read(buf_str(&m->assignment.json), m->assignment.json.len, &m->read,
                                &e) == 0);
    if (e.kind)
        printf("# %s\n", e.text);
}

static void unmake(struct made *m)
{
    agent_assignment_release(&m->read);
    assignment_release(&m->assignment);
    redactor_free(m->redactor);
}

static void only_checks_of_routes_are_told(void)
{
    struct made m = {0};

    m.items[m.targets.n++] = target(1, "uat", "api", "page");
    m.items[m.targets.n++] = target(2, "preprod", "api", "page");
    m.items[m.targets.n++] = target(3, "uat", "admin", "page");
    m.items[m.targets.n] = target(4, "beta", "api", "door");
    m.items[m.targets.n].kind = CHECK_TCP;
    m.items[m.targets.n].port = 443;
    m.items[m.targets.n++].url = "shop.example";
    m.items[m.targets.n] = target(5, "uat", "api", "data");
    m.items[m.targets.n].kind = CHECK_POSTGRES;
    m.items[m.targets.n++].url = "postgres://me:" CANARY "@db.example/shop";
    make(&m);
    CHECK(m.read.n == 2 && m.read.targets[0].series == 1 && m.read.targets[1].series == 4);
    CHECK(m.read.targets[0].down_after == 4 && m.read.targets[0].up_after == 3);
    CHECK(m.read.targets[1].down_after == 2 && m.read.targets[1].port == 443);
    CHECK(m.assignment.n == 2 && assignment_find(&m.assignment, 4) &&
          !assignment_find(&m.assignment, 2));
    CHECK(strcmp(m.read.version, m.assignment.version) == 0);
    unmake(&m);
}

static void no_secret_is_in_it_wherever_it_stands(void)
{
    static const struct http_header plain = {"X-Who", "agent"}, secret = {"X-Who", CANARY};
    struct made m = {0};

    for (int i = 0; i < 7; i++)
        m.items[m.targets.n++] = target(10 + i, "uat", "api", "page");
    m.items[0].url = "https://shop.example/?key=" CANARY;
    m.items[1].expect_body = "it says " CANARY;
    m.items[2].expect_json = "key = " CANARY;
    m.items[3].headers = &secret;
    m.items[3].n_headers = 1;
    m.items[4].headers = &plain;
    m.items[4].n_headers = 1;
    m.items[5].expect_header = "X-Key: " CANARY;
    m.items[6] = target(16, "uat", "api", "closed");
    make(&m);
    CHECK(!strstr(buf_str(&m.assignment.json), "canary-5ecret"));
    CHECK(m.read.n == 1 && m.read.targets[0].series == 14);
    CHECK(strcmp(m.read.targets[0].headers[0].value, "agent") == 0);
    CHECK(m.read.n_left_out == 6);
    CHECK(strstr(m.read.left_out[0].why, "CANARY") && strstr(m.read.left_out[5].why, "X-Key"));
    CHECK(m.read.n_controls == 1 && strcmp(m.read.controls[0], "https://one.example/") == 0);
    unmake(&m);
}

static void its_version_changes_with_what_is_in_it(void)
{
    struct made a = {0}, b = {0}, c = {0};

    a.items[a.targets.n++] = target(1, "uat", "api", "page");
    b.items[b.targets.n++] = target(1, "uat", "api", "page");
    b.items[0].last_request_ms = 77; /* of no concern to an agent */
    c.items[c.targets.n++] = target(1, "uat", "api", "page");
    c.items[0].every_ms = 20000;
    make(&a), make(&b), make(&c);
    CHECK(strcmp(a.read.version, b.read.version) == 0);
    CHECK(strcmp(a.read.version, c.read.version) != 0);
    unmake(&a), unmake(&b), unmake(&c);
}

static void an_agent_refuses_an_assignment_that_makes_no_sense(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"version\":\"a\"}",
        "{\"version\":\"a b\",\"controls\":[],\"checks\":[]}",
        "{\"version\":\"a\",\"controls\":[],\"checks\":[7]}",
        "{\"version\":\"a\",\"controls\":[\"\\u0000\"],\"checks\":[]}",
        "{\"version\":\"a\",\"controls\":[],\"checks\":[{\"check\":1}]}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct agent_assignment a = {0};
        struct err e = ERR_INIT;
        CHECK(agent_assignment_read(bad[i], strlen(bad[i]), &a, &e) == -1 && e.text[0]);
    }
}

int main(void)
{
    only_checks_of_routes_are_told();
    no_secret_is_in_it_wherever_it_stands();
    its_version_changes_with_what_is_in_it();
    an_agent_refuses_an_assignment_that_makes_no_sense();
    return DONE();
}
