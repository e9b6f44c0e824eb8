#include "app/alerter.h"

#include "app/app.h"
#include "base/buf.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "store/outbox.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* An alerter with a whole app around it, and what it tells: a server on the same loop. */
struct world {
    char dir[64];
    struct app app;
    struct http_server *server;
    struct alerter *alerter;
    int status;            /* what the server answers; 0 = nothing, ever */
    int got, sent, failed; /* requests; told callbacks */
    int stop_at;           /* the loop stops when `got` + `sent` + `failed` is that much */
    char bodies[8192], answer[256];
    struct timer *deadline;
    bool late;
};

static void count(struct world *w)
{
    if (w->got + w->sent + w->failed >= w->stop_at)
        loop_stop(w->app.loop);
}

static void received(struct http_exchange *x, void *arg)
{
    struct world *w = arg;
    size_t len;
    const char *body = http_exchange_body(x, &len);
    size_t have = strlen(w->bodies);

    snprintf(w->bodies + have, sizeof(w->bodies) - have, "%.*s\n", (int)len, body);
    w->got++;
    if (w->status)
        http_exchange_answer(x, w->status, "text/plain", "word", 4);
    count(w);
}

static void told(const struct alert_told *t, void *arg)
{
    struct world *w = arg;

    w->sent += t->how == TOLD_SENT;
    w->failed += t->how == TOLD_FAILED;
    snprintf(w->answer, sizeof(w->answer), "%s/%s/%lld/%s", t->alert, t->key,
             (long long)t->incident, t->answer);
    count(w);
}

static void too_late(void *arg)
{
    struct world *w = arg;

    w->late = true;
    loop_stop(w->app.loop);
}

/* Until so many requests and outcomes have come in all. */
static bool wait_for(struct world *w, int n)
{
    w->stop_at = n;
    w->late = false;
    if (w->got + w->sent + w->failed >= n)
        return true;
    timer_start(w->deadline, 20000);
    loop_run(w->app.loop);
    timer_stop(w->deadline);
    if (w->late)
        printf("# %d requests, %d sent, %d failed\n", w->got, w->sent, w->failed);
    return !w->late;
}

/* Until nothing is being written or sent. */
static void settle(struct world *w)
{
    for (int i = 0; i < 2000 && alerter_pending(w->alerter) > 0; i++) {
        uv_run(loop_uv(w->app.loop), UV_RUN_NOWAIT);
        usleep(5000);
    }
    CHECK(alerter_pending(w->alerter) == 0);
}

static void read_manifest(struct world *w, const char *alerts)
{
    struct manifest_problems p = {0};
    struct buf b = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    struct manifest *before = w->app.manifest;

    buf_addf(&b,
             "project: test\napps: { web: { kind: static, path: . } }\n"
             "environments:\n"
             "  uat: { branch: a, static: { platform: netlify, token: $T } }\n"
             "  beta: { branch: b, static: { platform: netlify, token: $T } }\n"
             "alerts:\n%s",
             alerts);
    if (manifest_parse("test.yaml", w->dir, buf_str(&b), b.len, &w->app.manifest, &p, &e) < 0)
        printf("# %s\n", p.n ? p.lines[0] : e.text);
    CHECK(w->app.manifest != before);
    manifest_problems_release(&p);
    manifest_free(before);
    buf_release(&b);
}

static void begin_alerter(struct world *w)
{
    const struct alerter_options o = {.told = told, .arg = w};

    w->alerter = alerter_new(&w->app, &o);
}

static void begin(struct world *w, const char *alerts)
{
    const struct http_server_options server = {.address = "127.0.0.1"};
    struct options o = {.quiet = true};
    struct err e = ERR_INIT;
    char url[64];

    *w = (struct world){.status = 200};
    snprintf(w->dir, sizeof(w->dir), "/tmp/trine-alerter-XXXXXX");
    if (!mkdtemp(w->dir))
        abort();
    app_init(&w->app, NULL, &o);
    snprintf(w->app.state, sizeof(w->app.state), "%s", w->dir);
    CHECK(app_open_secrets(&w->app, &e) == 0 && app_open_net(&w->app, &e) == 0);
    w->server = http_server_new(w->app.loop, &server, received, w, &e);
    w->deadline = timer_new(w->app.loop, too_late, w);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/canary-4711", http_server_port(w->server));
    setenv("ALERT_URL", url, 1);
    read_manifest(w, alerts);
    begin_alerter(w);
}

static void finish(struct world *w)
{
    alerter_free(w->alerter);
    timer_free(w->deadline);
    http_server_free(w->server);
    app_close(&w->app);
    DIR *dir = opendir(w->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(w->dir);
}

static void tell(struct world *w, enum alert_event event, const char *environment, const char *key)
{
    const struct alert_matter m = {.event = event,
                                   .key = key,
                                   .incident = 12,
                                   .environment = environment,
                                   .title = key,
                                   .text = "",
                                   .link = "",
                                   .at_ms = 1795392095000};
    alerter_tell(w->alerter, &m);
}

static const char ops[] = "  ops: { kind: slack, url: $ALERT_URL, repeat: 1s }\n";

static void a_matter_is_sent_once_also_after_a_restart(void)
{
    struct world w;

    begin(&w, ops);
    tell(&w, ON_DOWN, "uat", "incident 12 opened");
    CHECK(wait_for(&w, 2) && w.got == 1 && w.sent == 1);
    CHECK(strcmp(w.answer, "ops/incident 12 opened/12/200 word") == 0);
    tell(&w, ON_DOWN, "uat", "incident 12 opened");
    settle(&w);
    alerter_stop(w.alerter);
    settle(&w);
    alerter_free(w.alerter);
    begin_alerter(&w);
    tell(&w, ON_DOWN, "uat", "incident 12 opened");
    tell(&w, ON_UP, "uat", "incident 12 resolved");
    CHECK(wait_for(&w, 4) && w.got == 2 && w.sent == 2);
    settle(&w);
    CHECK(w.got == 2);
    finish(&w);
}

static void only_what_an_alert_asks_for_is_told(void)
{
    struct world w;

    begin(&w, "  ops: { kind: slack, url: $ALERT_URL, events: [up], environments: [beta] }\n");
    tell(&w, ON_DOWN, "beta", "a");
    tell(&w, ON_UP, "uat", "b");
    CHECK(alerter_pending(w.alerter) == 1); /* the look at the start */
    tell(&w, ON_UP, "beta", "c");
    CHECK(wait_for(&w, 2));
    tell(&w, ON_UP, "", "of no environment");
    CHECK(wait_for(&w, 4) && w.sent == 2);
    CHECK(strstr(w.bodies, "beta up: c") && strstr(w.bodies, "of no environment"));
    finish(&w);
}

static void a_refused_message_is_given_up_and_the_next_goes_on(void)
{
    struct world w;

    begin(&w, ops);
    w.status = 400;
    tell(&w, ON_DOWN, "uat", "a");
    CHECK(wait_for(&w, 2) && w.failed == 1 && strstr(w.answer, "400 word"));
    w.status = 204;
    tell(&w, ON_UP, "uat", "b");
    CHECK(wait_for(&w, 4) && w.sent == 1);
    finish(&w);
}

static void standing_of(const struct world *w, struct outbox_standing *ret)
{
    struct store *s;
    struct err e = ERR_INIT;

    CHECK(store_open(w->dir, &clock_system, NULL, &s, &e) == 0);
    CHECK(outbox_stand(s, "ops", ret, &e) == 0);
    store_close(s);
}

static void an_error_leaves_it_waiting(void)
{
    struct world w;
    struct outbox_standing v;

    begin(&w, ops);
    w.status = 500;
    tell(&w, ON_DOWN, "uat", "a");
    CHECK(wait_for(&w, 1));
    settle(&w);
    standing_of(&w, &v);
    CHECK(v.waiting == 1 && v.trying == 1 && w.failed == 0);
    finish(&w);
}

static void what_is_written_down_holds_no_secret(void)
{
    struct world w;

    begin(&w, ops);
    char *url = getenv("ALERT_URL");
    tell(&w, ON_DOWN, "uat", url);
    CHECK(wait_for(&w, 2) && !strstr(w.bodies, "canary") && !strstr(w.answer, "canary"));
    finish(&w);
}

static void it_may_end_while_it_writes_or_sends(void)
{
    struct world w;
    struct outbox_standing v;

    begin(&w, ops); /* the first look is in the store's worker */
    tell(&w, ON_DOWN, "uat", "a");
    finish(&w);

    begin(&w, ops);
    w.status = 0;
    tell(&w, ON_DOWN, "uat", "a");
    CHECK(wait_for(&w, 1));
    alerter_free(w.alerter);
    w.alerter = NULL;
    standing_of(&w, &v);
    CHECK(v.waiting == 1 && v.sent == 0);
    finish(&w);

    alerter_tell(NULL, NULL);
    alerter_refresh(NULL);
    alerter_stop(NULL);
    alerter_free(NULL);
    CHECK(alerter_pending(NULL) == 0);
}

static void what_was_taken_but_not_sent_before_the_end_waits(void)
{
    struct world w;
    struct outbox_standing v;

    begin(&w, ops);
    settle(&w);
    tell(&w, ON_DOWN, "uat", "a");
    alerter_stop(w.alerter);
    settle(&w);
    standing_of(&w, &v);
    CHECK(v.waiting == 1 && w.got == 0);
    finish(&w);
}

static void another_manifest_takes_effect_at_once(void)
{
    struct world w;

    begin(&w, "  ops: { kind: slack, url: $ALERT_MISSING }\n");
    tell(&w, ON_DOWN, "uat", "a"); /* nowhere to send it: it waits */
    settle(&w);
    CHECK(w.got == 0);
    read_manifest(&w, ops);
    alerter_refresh(w.alerter);
    CHECK(wait_for(&w, 2) && w.sent == 1);
    w.status = 0; /* while it sends: the old one ends by itself */
    tell(&w, ON_UP, "uat", "b");
    CHECK(wait_for(&w, 3));
    read_manifest(&w, "  other: { kind: slack, url: $ALERT_URL }\n");
    alerter_refresh(w.alerter);
    w.status = 200;
    tell(&w, ON_DOWN, "uat", "c");
    CHECK(wait_for(&w, 5) && strncmp(w.answer, "other/c", 7) == 0);
    finish(&w);
}

static void a_store_that_cannot_be_written_is_tried_until_it_can(void)
{
    struct world w;
    char blocked[128];

    begin(&w, "  ops: { kind: slack, url: $ALERT_MISSING }\n");
    alerter_stop(w.alerter);
    settle(&w);
    alerter_free(w.alerter);
    snprintf(blocked, sizeof(blocked), "%s/state", w.dir);
    FILE *f = fopen(blocked, "w"); /* a file where the folder should be */
    fclose(f);
    snprintf(w.app.state, sizeof(w.app.state), "%s", blocked);
    read_manifest(&w, ops);
    begin_alerter(&w);
    tell(&w, ON_DOWN, "uat", "a");
    settle(&w);
    CHECK(w.got == 0 && unlink(blocked) == 0);
    CHECK(wait_for(&w, 2) && w.sent == 1);
    finish(&w);
    char path[160];
    static const char *const files[] = {"trine.db", "trine.db-wal", "trine.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", blocked, files[i]);
        unlink(path);
    }
    rmdir(blocked);
    rmdir(w.dir);
}

int main(void)
{
    a_matter_is_sent_once_also_after_a_restart();
    only_what_an_alert_asks_for_is_told();
    a_refused_message_is_given_up_and_the_next_goes_on();
    an_error_leaves_it_waiting();
    what_is_written_down_holds_no_secret();
    it_may_end_while_it_writes_or_sends();
    what_was_taken_but_not_sent_before_the_end_waits();
    another_manifest_takes_effect_at_once();
    a_store_that_cannot_be_written_is_tried_until_it_can();
    return DONE();
}
