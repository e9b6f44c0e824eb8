#include "app/traffic_view.h"

#include "app/app.h"
#include "base/buf.h"
#include "store/fixture.h"
#include "store/traffic.h"

/* An app whose store is in a folder of its own; what the router wrote there is a text of the test.
 */
struct shop {
    struct fixture kept;
    struct app app;
    struct traffic_view view;
    struct buf out;
    struct err err;
};

static const char manifest[] =
    "project: shop\n"
    "apps:\n  api: { kind: service }\n"
    "environments:\n"
    "  one: { branch: b, service: { platform: exec, name: one, deploy: x } }\n"
    "  two: { branch: b, service: { platform: exec, name: two, deploy: x } }\n"
    "checks:\n  health: { app: api, path: /health }\n"
    "traffic:\n"
    "  api: { app: api, weights: { one: 90, two: 10 }, check: health }\n"
    "  web: { app: api, weights: { one: 1 }, check: health }\n";

#define MEMBER_UP                                                                                  \
    "{\"name\":\"one\",\"platform\":\"exec\",\"state\":\"up\",\"since\":\"2023-11-14T22:10:00Z\"," \
    "\"share\":0.9,\"order\":null,\"pace_ms\":3500,\"live\":{\"per_second\":12.34},"               \
    "\"quorum\":{\"text\":\"up: here\"},\"reason\":\"it answers\"}"
#define MEMBER_DOWN                                                                                \
    "{\"name\":\"two\",\"platform\":\"exec\",\"state\":\"down\",\"since\":\"2023-11-14T22:13:"     \
    "15Z\","                                                                                       \
    "\"share\":0,\"out\":true,\"pace_ms\":null,"                                                   \
    "\"order\":{\"id\":7,\"kind\":\"down\",\"weight\":0,\"until\":\"2023-11-14T23:13:20Z\","       \
    "\"who\":\"anna\",\"why\":\"database move\"}}"
#define ROUTE(name, members)                                                                       \
    "{\"name\":\"" name "\",\"app\":\"api\",\"listen\":\"127.0.0.1:8080\",\"standby\":null,"       \
    "\"environments\":[" members "]}"
#define TRAFFIC(routes)                                                                            \
    "{\"steering\":true,\"proxy\":{\"state\":\"running\",\"why\":\"\"},\"routes\":[" routes "],"   \
    "\"vantages\":[{\"name\":\"here\",\"valid\":true},"                                            \
    "{\"name\":\"paris\",\"valid\":false,\"why\":\"its clock is an hour off\"}]}"

static void open_shop(struct shop *s)
{
    struct manifest_problems problems = {0};

    memset(s, 0, sizeof(*s));
    fixture_init(&s->kept);
    s->app = (struct app){.clock = s->kept.clock, .store = s->kept.store};
    snprintf(s->app.state, sizeof(s->app.state), "%s", s->kept.dir);
    buf_init(&s->out, 1 << 20);
    CHECK(manifest_parse("trine.yaml", "/", manifest, sizeof(manifest) - 1, &s->app.manifest,
                         &problems, &s->err) == 0);
    manifest_problems_release(&problems);
}

static void close_shop(struct shop *s)
{
    traffic_view_release(&s->view);
    buf_release(&s->out);
    manifest_free(s->app.manifest);
    fixture_release(&s->kept);
}

/* The router writes it, and 5 seconds pass. */
static struct lease stood(struct shop *s, const char *json)
{
    struct lease l = {0};

    CHECK(lease_acquire(s->kept.store, ROUTER_LEASE, "trine serve: traffic", &l, &s->err) == 0);
    CHECK(traffic_state_put(s->kept.store, &l, "", json, &s->err) == 0);
    clock_fake_step(&s->kept.time, 5000);
    return l;
}

static const char *text(struct shop *s, const char *route, const struct traffic_extra *x)
{
    buf_clear(&s->out);
    traffic_view_text(&s->app, &s->view, route, x, &s->out);
    return buf_str(&s->out);
}

static bool has(const char *text, const char *words)
{
    if (strstr(text, words))
        return true;
    printf("# \"%s\" is not in:\n# %s\n", words, text);
    return false;
}

static void a_store_without_a_router_says_what_to_start(void)
{
    struct shop s;

    open_shop(&s);
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(!s.view.json && !s.view.steered && s.view.holder[0] == '\0');
    CHECK(traffic_view_order(&s.view, "api", "one") == 0);
    CHECK(!traffic_view_leads(&s.view, "api", "one"));
    CHECK(traffic_view_print(&s.app, &s.view, NULL, &s.err) == -1 && s.err.kind == ERR_NO);
    CHECK(has(s.err.text, s.kept.dir) && has(s.err.text, "start one with: trine serve"));
    close_shop(&s);
}

static void a_route_shows_states_spans_and_orders_in_words(void)
{
    struct shop s;

    open_shop(&s);
    (void)stood(&s, TRAFFIC(ROUTE("api", MEMBER_UP "," MEMBER_DOWN)));
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(s.view.steered && traffic_view_order(&s.view, "api", "two") == 7);
    CHECK(traffic_view_leads(&s.view, "api", "two") && !traffic_view_leads(&s.view, "web", "one"));
    const char *all = text(&s, NULL, NULL);
    CHECK(has(all, "steered by trine serve (") && has(all, "), as of 5 s ago\n"));
    CHECK(has(all, "route api leads to api, listening on 127.0.0.1:8080; next in line: nobody\n"));
    CHECK(has(all, "up     3 min 25 s   90 %   12.3    3.5 s  up: here"));
    CHECK(has(all, "down         10 s    out    0.0        -"));
    CHECK(has(all, "override down for 59 min 55 s more, by anna: database move\n"));
    CHECK(has(all, "vantage point paris does not vote: its clock is an hour off\n"));
    CHECK(!strstr(all, "vantage point here") && !strchr(all, '\x1b'));
    close_shop(&s);
}

static void an_order_whose_time_is_over_says_so(void)
{
    struct shop s;

    open_shop(&s);
    (void)stood(&s, TRAFFIC(ROUTE("api", MEMBER_DOWN)));
    clock_fake_step(&s.kept.time, 2 * 3600 * 1000);
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(has(text(&s, NULL, NULL), "override down, its time is over, by anna"));
    close_shop(&s);
}

static void the_price_is_shown_only_when_asked_for(void)
{
    struct traffic_extra x = {0};
    struct shop s;

    open_shop(&s);
    (void)stood(&s, TRAFFIC(ROUTE("api", MEMBER_UP)));
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(traffic_extra_read(&s.app, "api", 0, &x, &s.err) == 0);
    CHECK(has(text(&s, NULL, &x), "what its checking costs in a month"));
    CHECK(!strstr(buf_str(&s.out), "as seen from")); /* there is no agent */
    traffic_extra_release(&x);
    CHECK(!strstr(text(&s, NULL, NULL), "what its checking costs"));
    close_shop(&s);
}

static void nobody_steers_once_the_lease_is_released(void)
{
    struct shop s;

    open_shop(&s);
    struct lease l = stood(&s, TRAFFIC(ROUTE("api", MEMBER_UP)));
    CHECK(lease_release(s.kept.store, &l, &s.err) == 0);
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0 && !s.view.steered);
    CHECK(has(text(&s, NULL, NULL),
              "nobody steers: trine serve does not run; this is how it stood 5 s ago\n"));
    close_shop(&s);
}

static void a_router_with_another_manifest_is_told_apart(void)
{
    struct shop s;

    open_shop(&s);
    (void)stood(&s, TRAFFIC(ROUTE("api", MEMBER_UP)));
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(has(text(&s, "web", NULL), "route web is not steered: trine serve ran with another "
                                     "manifest than trine.yaml"));
    CHECK(!strstr(buf_str(&s.out), "route api"));
    CHECK(!strstr(text(&s, "api", NULL), "is not steered"));
    close_shop(&s);
}

static void what_is_no_json_in_the_store_is_an_error(void)
{
    struct shop s;

    open_shop(&s);
    (void)stood(&s, "{\"routes\":[");
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == -1 && has(s.err.text, "the store"));
    close_shop(&s);
}

static void members_of_other_types_are_shown_as_unknown(void)
{
    struct shop s;

    open_shop(&s);
    (void)stood(&s, TRAFFIC("{\"name\":\"api\",\"environments\":[{\"name\":\"one\",\"state\":5,"
                            "\"since\":\"yesterday\",\"share\":\"half\",\"order\":[]},7,null]},3"));
    CHECK(traffic_view_read(&s.app, &s.view, &s.err) == 0);
    CHECK(has(text(&s, NULL, NULL), "unknown"));
    close_shop(&s);
}

static void orders_are_named_as_on_the_command_line(void)
{
    char words[96];

    traffic_order_words("weight", 50, words);
    CHECK(strcmp(words, "weight 50") == 0);
    traffic_order_words("drain", 0, words);
    CHECK(strcmp(words, "drain") == 0);
    traffic_order_words("up", 0, words);
    CHECK(strcmp(words, "override up") == 0);
}

int main(void)
{
    a_store_without_a_router_says_what_to_start();
    a_route_shows_states_spans_and_orders_in_words();
    an_order_whose_time_is_over_says_so();
    the_price_is_shown_only_when_asked_for();
    nobody_steers_once_the_lease_is_released();
    a_router_with_another_manifest_is_told_apart();
    what_is_no_json_in_the_store_is_an_error();
    members_of_other_types_are_shown_as_unknown();
    orders_are_named_as_on_the_command_line();
    return DONE();
}
