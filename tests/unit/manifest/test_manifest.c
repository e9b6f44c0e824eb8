#include "data.h"
#include "manifest/matrix.h"
#include "test.h"

/* The first team's manifest says what the requirements say. */

static void the_example_has_15_apps_in_3_environments(const struct manifest *m)
{
    struct matrix x;
    struct err e = ERR_INIT;
    CHECK(m->n_apps == 5);
    CHECK(m->n_environments == 4);
    CHECK(matrix_build(m, NULL, &x, &e) == 0);
    CHECK(x.n == 45);
    size_t frontends = 0;
    for (size_t i = 0; i < x.n; i++)
        frontends += x.cells[i].app->kind != APP_SERVICE;
    CHECK(frontends == 42);
    matrix_release(&x);
}

static void its_platforms_are_those_of_the_requirements(const struct manifest *m)
{
    static const struct {
        const char *environment, *branch, *static_, *service, *database, *cache, *storage, *channel;
    } rows[] = {
        {"uat", "develop", "cloudflare-pages", "koyeb", "neon", "upstash", "r2", "uat"},
        {"beta", "staging", "netlify", "render", "supabase", "render", "supabase", "beta"},
        {"preprod", "release", "vercel", "railway", "railway", "railway", "railway", "preprod"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct manifest_environment *env = manifest_environment_find(m, rows[i].environment);
        CHECK(env && !env->manual && strcmp(env->branch, rows[i].branch) == 0);
        CHECK(env && strcmp(env->static_.platform, rows[i].static_) == 0);
        CHECK(env && strcmp(env->service.platform, rows[i].service) == 0);
        CHECK(env && strcmp(env->database.platform, rows[i].database) == 0);
        CHECK(env && strcmp(env->cache.platform, rows[i].cache) == 0);
        CHECK(env && strcmp(env->storage.platform, rows[i].storage) == 0);
        CHECK(env && strcmp(env->mobile.channel, rows[i].channel) == 0);
        CHECK(env && env->database.n_extensions == 3);
    }
}

static void prod_is_by_hand_and_has_no_platform_yet(const struct manifest *m)
{
    const struct manifest_environment *prod = manifest_environment_find(m, "prod");
    CHECK(prod && prod->manual && strcmp(prod->branch, "main") == 0);
    CHECK(prod && *manifest_hosting(prod, APP_STATIC)->platform == '\0');
    CHECK(prod && *manifest_hosting(prod, APP_SERVICE)->platform == '\0');
    CHECK(prod && *prod->mobile.token == '\0'); /* never NULL */
}

static void its_targets_weights_and_budget_are_those_of_the_requirements(const struct manifest *m)
{
    CHECK(m->targets.avg_ms == 500 && m->targets.p95_ms == 1000);
    CHECK(m->targets.cold_start_ms == 15000 && m->targets.db_query_ms == 100);
    CHECK(m->targets.success > 0.989 && m->targets.success < 0.991);
    CHECK(m->targets.uptime > 0.9989 && m->targets.uptime < 0.9991);
    CHECK(m->n_routes == 1 && m->routes[0].n_weights == 2 && m->routes[0].n_backup == 1);
    CHECK(m->routes[0].weights[0].weight == 90 && m->routes[0].weights[1].weight == 10);
    CHECK(m->budget.monthly_cents == 1000 && strcmp(m->budget.currency, "USD") == 0);
    CHECK(m->budget.n_elsewhere == 3 && m->budget.elsewhere[2].cents == 9500);
    CHECK(m->rotation_after_ms == INT64_C(30) * 24 * 3600 * 1000);
    CHECK(m->n_limits == 11);
    CHECK(m->limits[0].limit.value == INT64_C(3000000000));
    CHECK(m->limits[0].alert.value == INT64_C(2500000000));
}

static void keep_awake_is_in_business_hours(const struct manifest *m)
{
    const struct manifest_keep_awake *k = m->keep_awake;
    CHECK(m->n_keep_awake == 1 && strcmp(k->environment, "beta") == 0);
    CHECK(k->every_ms == 600000);
    CHECK(k->hours.from == 9 * 60 && k->hours.to == 18 * 60);
    CHECK(k->weekdays == 31);
}

static void every_default_is_filled_in(void)
{
    struct manifest *m = parse_text("project: p\n"
                                    "apps: { api: { kind: service }, web: { kind: static } }\n"
                                    "environments:\n"
                                    "  one: { branch: a, service: { platform: render } }\n"
                                    "  two: { branch: b, service: { platform: koyeb } }\n"
                                    "traffic: { t: { weights: { two: 0, one: 1 } } }\n"
                                    "limits: { l: { platform: r2, metric: storage, limit: 9B } }\n"
                                    "schedules: { s: { run: cost, every: 1d } }\n");
    CHECK(m != NULL);
    if (!m)
        return;
    CHECK(strcmp(m->apps[0].health, "/health") == 0);
    CHECK(strcmp(m->apps[0].commit_field, "commit") == 0);
    CHECK(strcmp(m->apps[1].output, "dist") == 0 && strcmp(m->apps[1].path, ".") == 0);
    CHECK(m->apps[0].n_instances == 1 && *m->apps[0].instances[0] == '\0');
    CHECK(m->apps[0].build_timeout_ms == 1200000);
    CHECK(strcmp(m->routes[0].app, "api") == 0);         /* the only service */
    CHECK(strcmp(m->routes[0].failover[0], "one") == 0); /* carries traffic, so it comes first */
    CHECK(m->routes[0].n_failover == 2);
    CHECK(m->limits[0].alert.value == 7); /* 80 %, rounded down */
    CHECK(m->schedules[0].at == -1 && m->schedules[0].weekdays == WEEKDAYS_ALL);
    CHECK(strcmp(m->schedules[0].time_zone, "UTC") == 0);
    CHECK(m->score.speed + m->score.reliability + m->score.cost + m->score.limits == 100);
    manifest_free(m);
}

static void an_anchor_may_be_used_many_times(void)
{
    struct manifest *m =
        parse_text("project: p\n"
                   "apps: { api: { kind: service } }\n"
                   "environments:\n"
                   "  one: { branch: a, service: { platform: render }, secrets: &s [AA, BB] }\n"
                   "  two: { branch: b, secrets: *s }\n");
    CHECK(m && m->environments[1].n_secrets == 2);
    CHECK(m && strcmp(m->environments[1].secrets[1], "BB") == 0);
    manifest_free(m);
}

static void places_count_characters_from_one(void)
{
    CHECK(refused("project: p\napps: { a: { kind: static, path: \"\u00e9\u00e9\", zap: 1 } }\n"
                  "environments: { e: { branch: b } }\n",
                  "test.yaml:2:40: apps.a: an app has no key \"zap\""));
}

int main(void)
{
    struct manifest *m = load_example();
    CHECK(m != NULL);
    if (m) {
        the_example_has_15_apps_in_3_environments(m);
        its_platforms_are_those_of_the_requirements(m);
        prod_is_by_hand_and_has_no_platform_yet(m);
        its_targets_weights_and_budget_are_those_of_the_requirements(m);
        keep_awake_is_in_business_hours(m);
    }
    manifest_free(m);
    every_default_is_filled_in();
    an_anchor_may_be_used_many_times();
    places_count_characters_from_one();
    return DONE();
}
