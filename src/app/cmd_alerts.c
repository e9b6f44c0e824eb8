#include "app/alert_send.h"
#include "app/app.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/loop.h"
#include "report/table.h"
#include "store/outbox.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* trine alerts: who is told, what was told, and whether it gets through. */

/* --- trine alerts test --------------------------------------------------------------------------
 */

struct trial {
    struct app *app;
    const struct manifest_alert *alert;
    size_t *left;
    bool arrived;
    char answer[512];
};

static void ended(struct trial *t, bool arrived, const char *answer)
{
    t->arrived = arrived;
    (void)snprintf(t->answer, sizeof(t->answer), "%s", answer);
}

static void answered(const struct alert_result *r, void *arg)
{
    struct trial *t = arg;

    ended(t, r->how == ALERT_ARRIVED, r->answer);
    if (--*t->left == 0)
        loop_stop(t->app->loop);
}

static void make_uid(char ret[64])
{
    uint8_t random[12];
    char hex[2 * sizeof(random) + 1];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        memset(random, 0, sizeof(random)); /* never so; then two tests look like one */
    hex_encode(random, sizeof(random), hex);
    (void)snprintf(ret, 64, "msg_test_%s", hex);
}

static void begin(struct trial *t, struct alert_sender *sender)
{
    struct app *a = t->app;
    struct alert_place place;
    struct err e = ERR_INIT;
    char uid[64];
    int64_t now = clock_wall_ms(&a->clock);

    if (alert_place_open(a, t->alert, &place, &e) < 0) {
        ended(t, false, e.text);
        return;
    }
    make_uid(uid);
    const struct alert_line line = {.key = uid,
                                    .event = "test",
                                    .environment = "",
                                    .title = "this is a test, nothing is wrong",
                                    .text = "Somebody asked for it with: trine alerts test",
                                    .link = "",
                                    .at_ms = now};
    const struct alert_content content = {.project = a->manifest->project,
                                          .alert = t->alert->name,
                                          .uid = uid,
                                          .form = ALERT_FORM_TEST,
                                          .lines = &line,
                                          .n = 1,
                                          .now_ms = now};
    ++*t->left;
    alert_send(sender, &place, &content, answered, t);
    alert_place_release(&place);
}

static int print_trials(const struct app *a, const struct trial *t, size_t n, struct err *e)
{
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(1 << 20);

    if (a->o.json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(all, json_pack("{s:s, s:s, s:b, s:s}", "name", t[i].alert->name,
                                                 "kind", alert_kind_name(t[i].alert->kind),
                                                 "arrived", t[i].arrived, "answer", t[i].answer));
        return app_print_json(a, json_pack("{s:o}", "alerts", all), e);
    }
    struct table *table = table_new();
    table_column(table, "NAME", TABLE_LEFT, false);
    table_column(table, "KIND", TABLE_LEFT, false);
    table_column(table, "TEST", TABLE_LEFT, false);
    table_column(table, "THE OTHER SIDE SAID", TABLE_LEFT, true);
    for (size_t i = 0; i < n; i++) {
        table_row(table);
        table_cell(table, TONE_PLAIN, "%s", t[i].alert->name);
        table_cell(table, TONE_PLAIN, "%s", alert_kind_name(t[i].alert->kind));
        table_cell(table, t[i].arrived ? TONE_GOOD : TONE_BAD, "%s",
                   t[i].arrived ? "arrived" : "FAILED");
        table_cell(table, TONE_PLAIN, "%s", t[i].answer);
    }
    table_print(table, &look, &b);
    table_free(table);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

/* All at once: each is sent within half a minute, or has failed. */
static int run_trials(struct app *a, struct trial *t, size_t n, struct err *e)
{
    struct alert_sender *sender = alert_sender_new(a);
    size_t left = 0, failed = 0;

    for (size_t i = 0; i < n; i++) {
        t[i].left = &left;
        begin(&t[i], sender);
    }
    if (left > 0)
        (void)loop_run(a->loop);
    alert_sender_free(sender);
    for (size_t i = 0; i < n; i++)
        failed += !t[i].arrived;
    return print_trials(a, t, n, e) < 0 ? -1 : failed > 0;
}

static int test(struct app *a, const char *name, struct err *e)
{
    const struct manifest *m = a->manifest;
    struct trial *trials = mem_array(m->n_alerts + 1, sizeof(*trials));
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < m->n_alerts; i++)
        if (!name || strcmp(m->alerts[i].name, name) == 0)
            trials[n++] = (struct trial){.app = a, .alert = &m->alerts[i]};
    if (n == 0) {
        rc = name ? err_set(e, ERR_USAGE, "%s: there is no alert \"%.63s\"", m->file, name)
                  : err_set(e, ERR_USAGE, "%s: there is nobody to tell; write alerts into it",
                            m->file);
    } else if (a->o.dry_run) {
        app_say(a, "would send a test message to %zu alerts", n);
        rc = 0;
    } else {
        rc = app_open_net(a, e) < 0 ? -1 : run_trials(a, trials, n, e);
    }
    free(trials);
    return rc;
}

/* --- trine alerts -------------------------------------------------------------------------------
 */

enum { LAST_SHOWN = 10 };

struct listing {
    struct app *app;
    struct table *table; /* or: */
    json_t *json;
    int rc;
    struct err *e;
};

static const struct manifest_alert *find(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_alerts; i++)
        if (strcmp(m->alerts[i].name, name) == 0)
            return &m->alerts[i];
    return NULL;
}

static json_t *moment(int64_t ms)
{
    char text[32];

    clock_format_utc(ms, text);
    return ms ? json_string(text) : json_null();
}

static const char *last_title(const struct outbox_message *m)
{
    return m->n ? m->matters[m->n - 1].title : "";
}

static void message_json(const struct outbox_message *m, void *arg)
{
    json_array_append_new(arg,
                          json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:s, s:s, s:I}", "id", m->uid,
                                    "state", outbox_state_name(m->state), "attempts", m->attempts,
                                    "made_at", moment(m->made_ms), "next_at",
                                    moment(m->state == OUTBOX_WAITING ? m->next_ms : 0), "ended_at",
                                    moment(m->ended_ms), "title", last_title(m), "answer",
                                    m->answer, "matters", (json_int_t)m->n + (json_int_t)m->more));
}

static void add_json(struct listing *g, const char *name, const struct outbox_standing *v)
{
    const struct manifest_alert *alert = find(g->app->manifest, name);
    json_t *messages = json_array();

    if (outbox_list(g->app->store, name, LAST_SHOWN, message_json, messages, g->e) < 0)
        g->rc = -1;
    json_array_append_new(
        g->json, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "name", name, "kind",
                           alert ? json_string(alert_kind_name(alert->kind)) : json_null(),
                           "waiting", (json_int_t)v->waiting, "sent", (json_int_t)v->sent, "failed",
                           (json_int_t)v->failed, "unknown", (json_int_t)v->unknown, "last_sent_at",
                           moment(v->last_sent_ms), "messages", messages));
}

static void answer_of(const struct outbox_message *m, void *arg)
{
    struct buf *b = arg;

    buf_addf(b, "%s: %s%s%s", outbox_state_name(m->state), last_title(m), *m->answer ? ": " : "",
             m->answer);
}

static void add_row(struct listing *g, const char *name, const struct outbox_standing *v)
{
    const struct manifest_alert *alert = find(g->app->manifest, name);
    struct buf last = BUF_INIT(4096);
    char at[32] = "never";

    if (v->last_sent_ms)
        clock_format_utc(v->last_sent_ms, at);
    if (outbox_list(g->app->store, name, 1, answer_of, &last, g->e) < 0)
        g->rc = -1;
    table_row(g->table);
    table_cell(g->table, TONE_PLAIN, "%s", name);
    table_cell(g->table, TONE_PLAIN, "%s",
               alert ? alert_kind_name(alert->kind) : "not in the manifest");
    table_cell(g->table, TONE_PLAIN, "%lld", (long long)v->sent);
    table_cell(g->table, TONE_PLAIN, "%s", at);
    table_cell(g->table, v->trying ? TONE_WARN : TONE_PLAIN, "%lld", (long long)v->waiting);
    table_cell(g->table, v->failed ? TONE_BAD : TONE_PLAIN, "%lld", (long long)v->failed);
    table_cell(g->table, v->unknown ? TONE_WARN : TONE_PLAIN, "%lld", (long long)v->unknown);
    table_cell(g->table, TONE_PLAIN, "%s", buf_str(&last));
    buf_release(&last);
}

static void add(struct listing *g, const char *name)
{
    struct outbox_standing v;

    if (g->rc < 0)
        return;
    if (outbox_stand(g->app->store, name, &v, g->e) < 0)
        g->rc = -1;
    else if (g->json)
        add_json(g, name, &v);
    else
        add_row(g, name, &v);
}

/* What is kept of alerts that are no longer in the manifest comes last. */
static void add_other(const char *name, void *arg)
{
    struct listing *g = arg;

    if (!find(g->app->manifest, name))
        add(g, name);
}

static void add_all(struct listing *g)
{
    const struct manifest *m = g->app->manifest;

    for (size_t i = 0; i < m->n_alerts; i++)
        add(g, m->alerts[i].name);
    if (g->rc == 0 && outbox_names(g->app->store, add_other, g, g->e) < 0)
        g->rc = -1;
}

static int list_table(struct listing *g)
{
    static const char *const columns[] = {"NAME",    "KIND",   "SENT",    "LAST SENT",
                                          "WAITING", "FAILED", "UNKNOWN", "LAST"};
    const struct app *a = g->app;
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(1 << 20);

    g->table = table_new();
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        table_column(g->table, columns[i], i == 2 || (i >= 4 && i <= 6) ? TABLE_RIGHT : TABLE_LEFT,
                     i == 7);
    add_all(g);
    if (g->rc == 0) {
        table_print(g->table, &look, &b);
        g->rc = app_print(a, &b, g->e);
    }
    table_free(g->table);
    buf_release(&b);
    return g->rc;
}

static int list(struct app *a, struct err *e)
{
    struct listing g = {.app = a, .e = e};

    if (app_open_store(a, e) < 0)
        return -1;
    if (!a->o.json)
        return list_table(&g);
    g.json = json_array();
    add_all(&g);
    if (g.rc == 0)
        return app_print_json(a, json_pack("{s:o}", "alerts", g.json), e);
    json_decref(g.json);
    return -1;
}

int cmd_alerts(struct app *a, struct err *e)
{
    const char *verb = a->o.n_arguments ? a->o.arguments[0] : "list";
    bool testing = strcmp(verb, "test") == 0;

    if (!testing && strcmp(verb, "list") != 0)
        return err_set(e, ERR_USAGE, "trine alerts %.40s: there are list and test", verb);
    if (!testing && a->o.n_arguments > 1)
        return err_set(e, ERR_USAGE, "trine alerts list takes no NAME");
    if (app_open_manifest(a, e) < 0 || app_open_secrets(a, e) < 0)
        return -1;
    return testing ? test(a, a->o.n_arguments > 1 ? a->o.arguments[1] : NULL, e) : list(a, e);
}
