#include "app/app.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "report/table.h"
#include "store/store.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* trine releases: what was deployed when, and how long it took from the commit to live (B2). */

struct release_view {
    struct app *app;
    struct table *table;
    json_t *json;
    struct err err;
    int rc;
    struct release of; /* while its details are listed */
    json_t *details;
};

static bool chosen(const struct app *a, const char *environment)
{
    for (size_t i = 0; i < a->o.n_environments; i++)
        if (strcmp(a->o.environments[i], environment) == 0)
            return true;
    return a->o.n_environments == 0;
}

static void span(int64_t from, int64_t until, char ret[32])
{
    ret[0] = '\0';
    if (from > 0 && until >= from)
        text_format_span(until - from, ret);
}

static void add_deployment(const struct deployment_row *r, void *arg)
{
    struct release_view *v = arg;
    char took[32];

    span(r->started_at, r->live_at, took);
    if (v->details) {
        json_array_append_new(v->details,
                              json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "app", r->app, "instance",
                                        r->instance, "state", deployment_state_name(r->state),
                                        "url", r->url, "started_at", (json_int_t)r->started_at,
                                        "live_at", (json_int_t)r->live_at));
        return;
    }
    table_row(v->table);
    table_cell(v->table, TONE_DIM, "%s", "");
    table_cell(v->table, TONE_DIM, "%s", "");
    table_cell(v->table, TONE_DIM, "%s", deployment_state_name(r->state));
    table_cell(v->table, TONE_DIM, "%.12s", r->commit);
    table_cell(v->table, TONE_DIM, "%s", "");
    table_cell(v->table, TONE_DIM, "%s", took);
    table_cell(v->table, TONE_DIM, "%s", "");
    table_cell(v->table, TONE_DIM, "%s%s%s", r->app, r->instance[0] ? "/" : "", r->instance);
}

static void add_details(struct release_view *v, const struct release *r)
{
    if (v->rc == 0 && deployment_of_release(v->app->store, r->environment, r->number,
                                            add_deployment, v, &v->err) < 0)
        v->rc = -1;
}

static void add_json(struct release_view *v, const struct release *r)
{
    v->details = json_array();
    add_details(v, r);
    json_array_append_new(v->json,
                          json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "environment",
                                    r->environment, "number", (json_int_t)r->number, "state",
                                    release_state_name(r->state), "commit", r->commit, "message",
                                    r->message, "committed_at", (json_int_t)r->committed_at,
                                    "created_at", (json_int_t)r->created_at, "finished_at",
                                    (json_int_t)r->finished_at, "deployments", v->details));
    v->details = NULL;
}

static void add_release(const struct release *r, void *arg)
{
    struct release_view *v = arg;
    char at[32], took[32], from_commit[32];

    if (!chosen(v->app, r->environment))
        return;
    if (v->json) {
        add_json(v, r);
        return;
    }
    clock_format_utc(r->created_at, at);
    span(r->created_at, r->finished_at, took);
    span(r->state == RELEASE_LIVE ? r->committed_at : 0, r->finished_at, from_commit);
    table_row(v->table);
    table_cell(v->table, TONE_PLAIN, "%s", r->environment);
    table_cell(v->table, TONE_PLAIN, "%lld", (long long)r->number);
    table_cell(v->table,
               r->state == RELEASE_LIVE     ? TONE_GOOD
               : r->state == RELEASE_FAILED ? TONE_BAD
                                            : TONE_WARN,
               "%s", release_state_name(r->state));
    table_cell(v->table, TONE_PLAIN, "%.12s", r->commit);
    table_cell(v->table, TONE_PLAIN, "%s", at);
    table_cell(v->table, TONE_PLAIN, "%s", took);
    table_cell(v->table, TONE_PLAIN, "%s", from_commit);
    table_cell(v->table, TONE_PLAIN, "%s", r->message);
    if (v->app->o.verbose)
        add_details(v, r);
}

static struct table *columns(void)
{
    struct table *t = table_new();

    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    table_column(t, "RELEASE", TABLE_RIGHT, false);
    table_column(t, "STATE", TABLE_LEFT, false);
    table_column(t, "COMMIT", TABLE_LEFT, false);
    table_column(t, "STARTED", TABLE_LEFT, false);
    table_column(t, "TOOK", TABLE_RIGHT, false);
    table_column(t, "COMMIT TO LIVE", TABLE_RIGHT, false);
    table_column(t, "MESSAGE", TABLE_LEFT, true);
    return t;
}

static int print_table(struct app *a, struct release_view *v, struct err *e)
{
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    struct table_look look = {.width = a->width, .colour = a->colour};

    if (table_rows(v->table) == 0) {
        app_say(a, "no release yet; the first comes with: trine deploy");
        return 0;
    }
    table_print(v->table, &look, &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

int cmd_releases(struct app *a, struct err *e)
{
    struct release_view v = {.app = a};
    const char *only = a->o.n_environments == 1 ? a->o.environments[0] : NULL;

    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    for (size_t i = 0; i < a->o.n_environments; i++)
        if (!manifest_environment_find(a->manifest, a->o.environments[i]))
            return err_set(e, ERR_USAGE, "-e %.60s: the manifest has no such environment",
                           a->o.environments[i]);
    if (a->o.json)
        v.json = json_array();
    else
        v.table = columns();
    int rc = release_list(a->store, only, (int)a->o.count, add_release, &v, e);
    if (rc == 0 && v.rc < 0) {
        *e = v.err;
        rc = -1;
    }
    if (a->o.json && rc == 0)
        rc = app_print_json(a, json_pack("{s:O}", "releases", v.json), e);
    else if (rc == 0)
        rc = print_table(a, &v, e);
    json_decref(v.json);
    table_free(v.table);
    return rc;
}
