#include "../unit/test.h"

#include "base/json.h"
#include "faults.h"
#include "form.h"
#include "netlify.h"
#include "sites.h"

#include <stdlib.h>

/* The simulator's pure parts: forms, rules that users write, faults, latencies. */

static void a_form_is_split_into_its_parts(void)
{
    static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"manifest\"\r\n\r\n{}"
                               "\r\n--b\r\nContent-Disposition: form-data; name=\"_headers\"; "
                               "filename=\"_headers\"\r\nContent-Type: x\r\n\r\n\r\n--b--\r\n";
    struct arena arena = ARENA_INIT;
    size_t n = 0;
    struct form_part *parts =
        form_parse(&arena, "multipart/form-data; boundary=b", body, strlen(body), &n);

    CHECK(parts && n == 2);
    CHECK(strcmp(form_text(&arena, parts, n, "manifest"), "{}") == 0);
    CHECK(strcmp(form_text(&arena, parts, n, "_headers"), "") == 0);
    CHECK(form_find(parts, n, "_headers")->filename != NULL);
    CHECK(form_text(&arena, parts, n, "absent") == NULL);
    arena_release(&arena);
}

static void a_cut_form_is_refused_at_every_length(void)
{
    static const char body[] =
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--";
    struct arena arena = ARENA_INIT;
    size_t n, refused = 0, whole = strlen(body);

    for (size_t len = 0; len < whole; len++)
        refused += form_parse(&arena, "multipart/form-data; boundary=b", body, len, &n) == NULL;
    CHECK(refused == whole);
    CHECK(form_parse(&arena, "multipart/form-data; boundary=b", body, whole, &n) != NULL);
    CHECK(form_parse(&arena, "application/json", body, whole, &n) == NULL);
    CHECK(form_parse(&arena, NULL, body, whole, &n) == NULL);
    arena_release(&arena);
}

static void redirects_are_matched_and_filled(void)
{
    struct arena arena = ARENA_INIT;
    struct captures found;
    struct redirect *rule =
        rules_redirects(&arena, "# comment\n/old /new 301\n/blog/:year/:slug /posts/:slug-:year\n"
                                "/api/* https://api.test/:splat 200!\nnonsense\n");

    CHECK(rule && rule->status == 301 && !rule->force);
    CHECK(rules_match(rule->from, "/old", &found) && !rules_match(rule->from, "/older", &found));
    rule = rule->next;
    CHECK(rules_match(rule->from, "/blog/2026/hello", &found));
    CHECK(strcmp(rules_fill(&arena, rule->to, &found), "/posts/hello-2026") == 0);
    CHECK(!rules_match(rule->from, "/blog/2026/", &found));
    rule = rule->next;
    CHECK(rule->status == 200 && rule->force && !rule->next);
    CHECK(rules_match(rule->from, "/api/a/b", &found));
    CHECK(strcmp(rules_fill(&arena, rule->to, &found), "https://api.test/a/b") == 0);
    CHECK(rules_match(rule->from, "/api", &found));
    arena_release(&arena);
}

static void headers_are_read_by_block(void)
{
    struct arena arena = ARENA_INIT;
    struct header_rule *rule = rules_headers(
        &arena, "  X-Lost: 1\n/*\n  X-A: b\n  Link: <a>; rel=x\n\n/css/*\r\n\tY: z\r\n");

    CHECK(rule && strcmp(rule->pattern, "/*") == 0);
    CHECK(strcmp(rule->lines[0], "X-A") == 0 && strcmp(rule->lines[3], "<a>; rel=x") == 0);
    CHECK(!rule->lines[4]);
    rule = rule->next;
    CHECK(rule && strcmp(rule->pattern, "/css/*") == 0 && strcmp(rule->lines[1], "z") == 0);
    arena_release(&arena);
}

static void a_generated_netlify_toml_becomes_rules(void)
{
    struct arena arena = ARENA_INIT;
    const char *redirects, *headers;

    netlify_toml_rules(&arena,
                       "[build]\n\n[[headers]]\nfor = \"/css/*\"\n\n  [headers.values]\n  A = "
                       "\"b, c\"\n\n[[redirects]]\nfrom = \"/old\"\nto = \"/new\"\nstatus = 302\n"
                       "force = true\n\n  [redirects.query]\n",
                       &redirects, &headers);
    CHECK(strcmp(redirects, "/old /new 302!\n") == 0);
    CHECK(strcmp(headers, "/css/*\n  A: b, c\n") == 0);
    arena_release(&arena);
}

static void routes_understand_javascript_patterns(void)
{
    struct arena arena = ARENA_INIT;
    json_t *list =
        json_pack("[{s:s, s:s}, {s:s}, {s:s, s:s}, {s:s}]", "src",
                  "^/(?:de|fr)/(?<page>[^/]+)/(\\d+)$", "dest", "/$page/$2", "handle", "filesystem",
                  "src", "/app/(.*?)", "dest", "/x", "src", "^/(?!api).*$");
    struct route *first = routes_parse(&arena, list), *route = first;
    struct captures found;

    CHECK(route_matches(route, "/de/about/12", &found));
    CHECK(strcmp(rules_fill(&arena, "/$page/$2", &found), "/about/12") == 0);
    CHECK(!route_matches(route, "/de/about/x", &found));
    route = route->next;
    CHECK(strcmp(route->phase, "filesystem") == 0 && route_matches(route, "/app/a/b", &found));
    route = route->next;
    CHECK(route && !route_matches(route, "/other", &found)); /* look-around never matches */
    routes_release(first);
    json_decref(list);
    arena_release(&arena);
}

static int set_rules(struct faults *f, const char *text, struct err *e)
{
    json_t *rules = json_loads(text, 0, NULL);
    int rc = faults_set(f, rules, e);

    json_decref(rules);
    return rc;
}

static const struct fault_view request = {.platform = "netlify",
                                          .method = "POST",
                                          .path = "/sites/1/deploys",
                                          .full_path = "/api/v1/sites/1/deploys",
                                          .host = "127.0.0.1"};

static void a_rule_lets_some_through_and_ends_after_its_times(void)
{
    struct faults *f = faults_new();
    struct fault_choice c;
    struct err e = ERR_INIT;

    CHECK(set_rules(f,
                    "[{\"platform\":\"netlify\",\"path\":\"/sites/*/deploys\",\"after\":1,"
                    "\"times\":2,\"status\":503,\"retry_after\":9}]",
                    &e) == 0);
    faults_choose(f, &request, &c);
    CHECK(c.kind == FAULT_NONE);
    faults_choose(f, &request, &c);
    CHECK(c.kind == FAULT_STATUS && c.number == 503 && c.retry_after_s == 9);
    faults_choose(f, &request, &c);
    CHECK(c.kind == FAULT_STATUS);
    faults_choose(f, &request, &c);
    CHECK(c.kind == FAULT_NONE);
    faults_free(f);
}

static void a_rule_leaves_alone_the_paths_that_it_excepts(void)
{
    struct faults *f = faults_new();
    struct fault_view v = {
        .platform = "sites", .method = "GET", .path = "/health", .full_path = "/health"};
    struct fault_choice c;
    struct err e = ERR_INIT;

    CHECK(set_rules(f, "[{\"status\":503,\"except\":[\"/health\",\"/ready\"]}]", &e) == 0);
    faults_choose(f, &v, &c);
    CHECK(c.kind == FAULT_NONE);
    v.path = v.full_path = "/api/v1/products";
    faults_choose(f, &v, &c);
    CHECK(c.kind == FAULT_STATUS && c.number == 503);
    CHECK(set_rules(f, "[{\"status\":503,\"except\":[7]}]", &e) == -1);
    CHECK(strstr(e.text, "except: 0 is no path"));
    faults_free(f);
}

static void wrong_rules_are_refused_and_the_old_ones_stay(void)
{
    static const char *const wrong[] = {"{}",
                                        "[1]",
                                        "[{\"stal\":true}]",
                                        "[{\"status\":200}]",
                                        "[{\"close\":\"never\"}]",
                                        "[{\"probability\":2}]"};
    struct faults *f = faults_new();
    struct err e = ERR_INIT;

    CHECK(set_rules(f, "[{\"stall\":true}]", &e) == 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        e = ERR_INIT;
        CHECK(set_rules(f, wrong[i], &e) == -1 && e.kind == ERR_USAGE);
    }
    CHECK(json_array_size(faults_rules(f)) == 1);
    faults_free(f);
}

static void a_mix_draws_every_kind_about_as_often_as_asked(void)
{
    struct faults *f = faults_new();
    struct fault_choice c;
    struct err e = ERR_INIT;
    int hits = 0, kinds[FAULT_UNKNOWN_STATUS + 1] = {0};

    CHECK(set_rules(f, "[{\"platform\":\"*\",\"probability\":0.1,\"seed\":7,\"mix\":true}]", &e) ==
          0);
    for (int i = 0; i < 10000; i++) {
        faults_choose(f, &request, &c);
        hits += c.kind != FAULT_NONE || c.delay_ms > 0;
        kinds[c.kind]++;
    }
    CHECK(hits > 800 && hits < 1200);
    for (int kind = FAULT_STATUS; kind <= FAULT_UNKNOWN_STATUS; kind++)
        CHECK((kinds[kind] > 0) == (kind != FAULT_EXPIRED)); /* the token is a lasting one */
    faults_free(f);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void latencies_have_the_median_and_p95_that_were_asked_for(void)
{
    enum { N = 4000 };
    static int64_t ms[N];
    struct latency *l = latency_new();
    struct latency_draw draw;
    struct err e = ERR_INIT;
    json_t *profile = json_pack("{s:[{s:s, s:i, s:i, s:i}]}", "hosts", "host", "*.pages.localhost",
                                "median_ms", 400, "p95_ms", 900, "cold_ms", 1500);

    CHECK(latency_set(l, profile, &e) == 0);
    for (size_t i = 0; i < N; i++) {
        latency_draw(l, "a.pages.localhost", &draw);
        ms[i] = draw.delay_ms;
    }
    CHECK(draw.cold_ms == 1500 && !draw.error);
    qsort(ms, N, sizeof(*ms), by_size);
    CHECK(ms[N / 2] > 370 && ms[N / 2] < 430);
    CHECK(ms[N * 95 / 100] > 820 && ms[N * 95 / 100] < 980);
    latency_draw(l, "elsewhere", &draw);
    CHECK(draw.delay_ms == 0 && draw.cold_ms == -1);
    json_decref(profile);
    latency_free(l);
}

int main(void)
{
    a_form_is_split_into_its_parts();
    a_cut_form_is_refused_at_every_length();
    redirects_are_matched_and_filled();
    headers_are_read_by_block();
    a_generated_netlify_toml_becomes_rules();
    routes_understand_javascript_patterns();
    a_rule_lets_some_through_and_ends_after_its_times();
    a_rule_leaves_alone_the_paths_that_it_excepts();
    wrong_rules_are_refused_and_the_old_ones_stay();
    a_mix_draws_every_kind_about_as_often_as_asked();
    latencies_have_the_median_and_p95_that_were_asked_for();
    return DONE();
}
