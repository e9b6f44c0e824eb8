#include "app/incident_book.h"

#include "app/app.h"
#include "app/store_worker.h"
#include "base/buf.h"
#include "base/mem.h"
#include "manifest/parse.h"
#include "net/loop.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A book with a whole app around it, but nobody who measures: the test says what happens. */
struct world {
    char dir[64];
    struct app app;
    struct matrix matrix;
    struct watch *watch;
    struct incident_book *book;
    struct timer *step;
    char told[4096], platforms[256]; /* "incident 1 opened|down|title;" */
    int changes, spins;
    int64_t start_ms;
    bool (*reached)(struct world *w);
    const char *wanted;
};

static void changed(const struct incident *i, void *arg)
{
    struct world *w = arg;

    (void)i;
    w->changes++;
}

static void alert(const struct alert_matter *m, void *arg)
{
    struct world *w = arg;
    size_t len = strlen(w->told);

    snprintf(w->told + len, sizeof(w->told) - len, "%s|%s|%s;", m->key, alert_event_name(m->event),
             m->title);
}

static void platform(const char *name, bool in_trouble, void *arg)
{
    struct world *w = arg;
    size_t len = strlen(w->platforms);

    snprintf(w->platforms + len, sizeof(w->platforms) - len, "%c%s;", in_trouble ? '+' : '-', name);
}

static void look(void *arg)
{
    struct world *w = arg;

    if (w->reached(w) || ++w->spins > 4000)
        loop_stop(w->app.loop);
    else
        timer_start(w->step, 5);
}

/* False: it did not come in twenty seconds. */
static bool run_until(struct world *w, bool (*reached)(struct world *w))
{
    w->reached = reached;
    w->spins = 0;
    timer_start(w->step, 0);
    loop_run(w->app.loop);
    return reached(w);
}

static bool is_written(struct world *w)
{
    return !incident_book_pending(w->book);
}

static bool is_told(struct world *w)
{
    return strstr(w->told, w->wanted) != NULL;
}

static bool comes(struct world *w, const char *told)
{
    w->wanted = told;
    bool came = run_until(w, is_told);
    if (!came)
        printf("# wanted %s, got %s\n", told, w->told);
    return came;
}

static int times(const struct world *w, const char *told)
{
    int n = 0;

    for (const char *at = w->told; (at = strstr(at, told)); at++)
        n++;
    return n;
}

static void read_manifest(struct world *w)
{
    static const char text[] =
        "project: test\n"
        "apps:\n"
        "  api: { kind: service, path: ., port: 80 }\n"
        "  web: { kind: static, path: . }\n"
        "environments:\n"
        "  uat:\n    branch: a\n"
        "    static: { platform: netlify, token: $T }\n"
        "    service: { platform: koyeb, token: $T, region: was, plan: free,"
        " repository: github.com/a/b, dockerfile: Dockerfile }\n"
        "  beta:\n    branch: b\n"
        "    static: { platform: vercel, token: $T, team: t }\n"
        "    service: { platform: render, token: $T, region: oregon, plan: free,"
        " repository: github.com/a/b, dockerfile: Dockerfile }\n"
        "checks: { health: { app: api, path: /health } }\n"
        "traffic:\n"
        "  main: { app: api, weights: { uat: 90, beta: 10 }, listen: \"127.0.0.1:1\" }\n";
    struct manifest_problems p = {0};
    struct err e = ERR_INIT;

    if (manifest_parse("test.yaml", w->dir, text, strlen(text), &w->app.manifest, &p, &e) < 0) {
        fprintf(stderr, "# %s\n", p.n ? p.lines[0] : e.text);
        abort();
    }
    manifest_problems_release(&p);
    if (matrix_build(w->app.manifest, &(struct matrix_filter){0}, &w->matrix, &e) < 0)
        abort();
}

static void open_book(struct world *w)
{
    const struct incident_book_options o = {.app = &w->app,
                                            .watch = w->watch,
                                            .matrix = &w->matrix,
                                            .link = "http://127.0.0.1:1/",
                                            .changed = changed,
                                            .alert = alert,
                                            .platform = platform,
                                            .arg = w};
    struct err e = ERR_INIT;

    w->book = incident_book_new(&o);
    CHECK(incident_book_start(w->book, &e) == 0);
}

static void close_book(struct world *w)
{
    incident_book_stop(w->book);
    CHECK(run_until(w, is_written));
    incident_book_free(w->book);
}

static void begin(struct world *w)
{
    struct options o = {.quiet = true};
    struct err e = ERR_INIT;

    memset(w, 0, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/trine-incidents-XXXXXX");
    if (!mkdtemp(w->dir))
        abort();
    app_init(&w->app, NULL, &o);
    snprintf(w->app.state, sizeof(w->app.state), "%s", w->dir);
    read_manifest(w);
    if (app_open_secrets(&w->app, &e) < 0 || app_open_net(&w->app, &e) < 0 ||
        store_open(w->dir, &w->app.clock, NULL, &w->app.store, &e) < 0)
        abort();
    w->start_ms = clock_wall_ms(&w->app.clock) - 30000;
    w->step = timer_new(w->app.loop, look, w);
    w->watch = watch_new(&(struct watch_options){.app = &w->app, .matrix = &w->matrix});
    open_book(w);
}

static void finish(struct world *w)
{
    close_book(w);
    watch_free(w->watch);
    timer_free(w->step);
    matrix_release(&w->matrix);
    app_close(&w->app);
    DIR *dir = opendir(w->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(w->dir);
}

/* --- What happens -------------------------------------------------------------------------------
 */

static struct watch_outage down(struct world *w, int64_t series, const char *environment,
                                const char *app, const char *check)
{
    struct watch_outage v = {.outage = {.series = series,
                                        .from_ms = w->start_ms,
                                        .noticed_ms = w->start_ms,
                                        .reason = "refused"},
                             .environment = environment,
                             .app = app,
                             .instance = "",
                             .check = check};
    struct err e = ERR_INIT;

    CHECK(outage_open(w->app.store, &v.outage, &v.outage.id, &e) == 0);
    incident_book_outage(w->book, &v);
    return v;
}

static void up(struct world *w, struct watch_outage *v)
{
    struct err e = ERR_INIT;

    v->outage.until_ms = w->start_ms + 20000;
    CHECK(outage_close(w->app.store, v->outage.id, v->outage.until_ms, &e) == 0);
    incident_book_outage(w->book, v);
}

static struct traffic_change change_of(struct world *w, const char *environment, bool out,
                                       int64_t after_ms)
{
    return (struct traffic_change){.route = "main",
                                   .environment = environment,
                                   .from = out ? "suspect" : "down",
                                   .event = out ? "down" : "held",
                                   .to = out ? "down" : "up",
                                   .action = out ? "wake-standby,take-out" : "bring-back",
                                   .reason = out ? "it is down" : "it was well for its hold time",
                                   .evidence = "{\"valid\":1}",
                                   .seen_us = (w->start_ms + after_ms) * 1000,
                                   .decided_us = (w->start_ms + after_ms) * 1000 + 7};
}

/* As the router does: told, and in its log. */
static void traffic(struct world *w, const struct traffic_change *c)
{
    struct lease l;
    struct err e = ERR_INIT;
    int64_t id;

    incident_book_change(w->book, c);
    CHECK(lease_acquire(w->app.store, ROUTER_LEASE, "test", &l, &e) == 0);
    CHECK(traffic_change_add(w->app.store, &l, c, &id, &e) == 0);
    CHECK(lease_release(w->app.store, &l, &e) == 0);
}

struct kept {
    int n, open;
    char titles[512], lines[2048];
};

static void note(const struct incident *i, void *arg)
{
    struct kept *k = arg;
    size_t len = strlen(k->titles);

    snprintf(k->titles + len, sizeof(k->titles) - len, "%s;", i->title);
    k->n++;
    k->open += i->until_ms == 0;
}

static void note_line(const struct incident_event *v, void *arg)
{
    struct kept *k = arg;
    size_t len = strlen(k->lines);

    snprintf(k->lines + len, sizeof(k->lines) - len, "%s;", v->kind);
}

static struct kept stored(struct world *w, int64_t id)
{
    struct kept k = {0};
    struct err e = ERR_INIT;

    CHECK(run_until(w, is_written));
    CHECK(incident_list(w->app.store, 0, 0, INT64_MAX, 0, note, &k, &e) == 0);
    CHECK(incident_timeline(w->app.store, id, note_line, &k, &e) == 0);
    return k;
}

/* --- Tests --------------------------------------------------------------------------------------
 */

static void the_first_alert_names_the_cause_and_the_end_is_told_too(void)
{
    struct world w;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    struct watch_outage two = down(&w, 2, "uat", "web", "home");
    CHECK(comes(&w, "incident 1 opened|down|2 checks of 2 apps fail in uat;"));
    CHECK(times(&w, "opened") == 1);
    up(&w, &one);
    CHECK(stored(&w, 1).open == 1 && times(&w, "resolved") == 0);
    up(&w, &two);
    CHECK(comes(&w, "incident 1 resolved|up|over: 2 checks of 2 apps fail in uat;"));
    struct kept k = stored(&w, 1);
    CHECK(k.n == 1 && k.open == 0);
    CHECK(strcmp(k.lines, "opened;joined;recovered;recovered;resolved;") == 0);
    CHECK(w.changes >= 2);
    finish(&w);
}

static void what_is_over_before_the_first_alert_is_told_in_order(void)
{
    struct world w;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    up(&w, &one);
    CHECK(comes(&w, "incident 1 resolved|up|over: api health fails in uat;"));
    CHECK(strncmp(w.told, "incident 1 opened|down|", 23) == 0);
    finish(&w);
}

static void a_failover_joins_the_outage_and_holds_the_incident_open(void)
{
    struct world w;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    struct traffic_change out = change_of(&w, "uat", true, 1000),
                          back = change_of(&w, "uat", false, 25000);
    traffic(&w, &out);
    CHECK(comes(&w, "incident 1 change "));
    CHECK(strstr(w.told, "|failover|main: traffic leaves uat;"));
    up(&w, &one);
    CHECK(stored(&w, 1).open == 1);
    traffic(&w, &back);
    CHECK(comes(&w, "main: traffic returns to uat;"));
    CHECK(comes(&w, "incident 1 resolved|up|"));
    CHECK(strcmp(stored(&w, 1).lines, "opened;failover;recovered;failover;resolved;") == 0);
    back.applied_us = 1; /* that it was applied is no news */
    incident_book_change(w.book, &back);
    CHECK(stored(&w, 1).n == 1);
    finish(&w);
}

static void a_drain_by_order_is_no_incident(void)
{
    struct world w;
    begin(&w);
    struct traffic_change order = change_of(&w, "uat", true, 0);
    order.event = "drain";
    order.to = "draining";
    traffic(&w, &order);
    CHECK(stored(&w, 1).n == 0 && w.told[0] == '\0');
    finish(&w);
}

static void two_unrelated_ones_are_two(void)
{
    struct world w;
    begin(&w);
    (void)down(&w, 1, "uat", "api", "health");
    (void)down(&w, 2, "beta", "api", "health");
    struct traffic_change out = change_of(&w, "beta", true, 1000);
    traffic(&w, &out);
    struct kept k = stored(&w, 2);
    CHECK(k.n == 2 && strcmp(k.lines, "opened;failover;") == 0);
    CHECK(strstr(w.platforms, "+koyeb;") && strstr(w.platforms, "+render;"));
    finish(&w);
}

static void after_a_restart_the_same_incident_goes_on(void)
{
    struct world w;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    struct traffic_change out = change_of(&w, "uat", true, 1000),
                          back = change_of(&w, "uat", false, 25000);
    traffic(&w, &out);
    CHECK(comes(&w, "incident 1 opened|down|"));
    close_book(&w);
    w.told[0] = w.platforms[0] = '\0';
    open_book(&w);
    /* The same keys again: who sends them knows that they were told. */
    CHECK(comes(&w, "incident 1 opened|down|api health fails in uat;"));
    CHECK(comes(&w, "|failover|main: traffic leaves uat;"));
    CHECK(strcmp(w.platforms, "+koyeb;") == 0);
    incident_book_outage(w.book, &one);
    CHECK(strcmp(stored(&w, 1).lines, "opened;failover;") == 0);
    up(&w, &one);
    traffic(&w, &back);
    CHECK(comes(&w, "incident 1 resolved|up|"));
    struct kept k = stored(&w, 1);
    CHECK(k.n == 1 && strcmp(k.lines, "opened;failover;recovered;failover;resolved;") == 0);
    CHECK(strstr(w.platforms, "-koyeb;"));
    finish(&w);
}

static void what_ended_while_nobody_looked_is_resolved_by_the_start(void)
{
    struct world w;
    struct err e = ERR_INIT;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    struct traffic_change out = change_of(&w, "uat", true, 1000),
                          back = change_of(&w, "uat", false, 25000);
    traffic(&w, &out);
    CHECK(stored(&w, 1).open == 1);
    close_book(&w);
    struct lease l;
    int64_t id;
    CHECK(outage_close(w.app.store, one.outage.id, w.start_ms + 20000, &e) == 0);
    CHECK(lease_acquire(w.app.store, ROUTER_LEASE, "test", &l, &e) == 0);
    CHECK(traffic_change_add(w.app.store, &l, &back, &id, &e) == 0);
    w.told[0] = '\0';
    open_book(&w);
    CHECK(comes(&w, "incident 1 resolved|up|"));
    CHECK(times(&w, "resolved") == 1 && times(&w, "opened") == 1);
    CHECK(stored(&w, 1).open == 0);
    finish(&w);
}

static void what_returns_soon_reopens_and_is_told_anew(void)
{
    struct world w;
    begin(&w);
    struct watch_outage one = down(&w, 1, "uat", "api", "health");
    up(&w, &one);
    CHECK(comes(&w, "incident 1 resolved|up|"));
    w.start_ms += 25000;
    one = down(&w, 1, "uat", "api", "health");
    CHECK(comes(&w, "incident 1 opened 1|down|api health fails in uat;"));
    up(&w, &one);
    CHECK(comes(&w, "incident 1 resolved 1|up|"));
    CHECK(strcmp(stored(&w, 1).lines, "opened;recovered;resolved;reopened;recovered;resolved;") ==
          0);
    finish(&w);
}

static void our_own_blindness_is_one_notice(void)
{
    struct world w;
    struct err e = ERR_INIT;
    begin(&w);
    struct watch_outage blind = {.outage = {.kind = OUTAGE_BLIND,
                                            .from_ms = w.start_ms,
                                            .noticed_ms = w.start_ms,
                                            .reason = "no control target answers"},
                                 .environment = "",
                                 .app = "",
                                 .instance = "",
                                 .check = ""};
    CHECK(outage_open(w.app.store, &blind.outage, &blind.outage.id, &e) == 0);
    incident_book_outage(w.book, &blind);
    (void)down(&w, 1, "uat", "api", "health");
    CHECK(comes(&w, "incident 1 opened|notice|this prober is blind: no control target answers;"));
    up(&w, &blind);
    CHECK(comes(&w, "incident 1 resolved|notice|"));
    CHECK(stored(&w, 1).n == 2);
    finish(&w);
}

static bool drill_is_told(struct world *w)
{
    return strstr(w->told, "|drill|") != NULL;
}

static void a_drill_over_its_bound_is_told_once(void)
{
    struct world w;
    struct err e = ERR_INIT;
    begin(&w);
    struct drill_record d = {.route = "main",
                             .environment = "uat",
                             .fault = "stop",
                             .outcome = DRILL_RUNNING,
                             .from_ms = w.start_ms,
                             .fault_ms = 5000,
                             .text = ""};
    CHECK(drill_begin(w.app.store, &d, &d.id, &e) == 0);
    d.outcome = DRILL_FAILED;
    d.until_ms = w.start_ms + 9000;
    d.text = "recovered after 7s, the bound is 5s";
    CHECK(drill_end(w.app.store, &d, &e) == 0);
    CHECK(run_until(&w, drill_is_told));
    CHECK(strstr(w.told, "incident 1 opened|drill|drill of main in uat: stop: recovered after 7s"));
    close_book(&w);
    w.told[0] = '\0';
    open_book(&w);
    (void)down(&w, 1, "beta", "api", "health"); /* time for the book to look again */
    CHECK(comes(&w, "incident 2 opened|down|"));
    CHECK(times(&w, "|drill|") <= 1 && stored(&w, 1).n == 2);
    finish(&w);
}

static void what_a_status_page_says_is_in_the_timeline_once(void)
{
    struct world w;
    begin(&w);
    (void)down(&w, 1, "uat", "api", "health");
    for (int i = 0; i < 3; i++)
        incident_book_status(w.book, "koyeb", "Koyeb's status page: Builds fail", "{\"a\":1}");
    incident_book_status(w.book, "netlify", "of another platform", "");
    incident_book_status(w.book, "koyeb", "Koyeb's status page: Builds fail (identified)", "");
    CHECK(strcmp(stored(&w, 1).lines, "opened;status;status;") == 0);
    finish(&w);
}

int main(void)
{
    the_first_alert_names_the_cause_and_the_end_is_told_too();
    what_is_over_before_the_first_alert_is_told_in_order();
    a_failover_joins_the_outage_and_holds_the_incident_open();
    a_drain_by_order_is_no_incident();
    two_unrelated_ones_are_two();
    after_a_restart_the_same_incident_goes_on();
    what_ended_while_nobody_looked_is_resolved_by_the_start();
    what_returns_soon_reopens_and_is_told_anew();
    our_own_blindness_is_one_notice();
    a_drill_over_its_bound_is_told_once();
    what_a_status_page_says_is_in_the_timeline_once();
    return DONE();
}
