#include "app/plan_view.h"

#include "app/checking_view.h"
#include "app/json_out.h"
#include "base/buf.h"
#include "base/text.h"
#include "report/table.h"

#include <jansson.h>

static json_t *checking_tree(const struct checking_rows *checking)
{
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    struct json_out o = {.b = &b};

    checking_json(checking, NULL, &o);
    json_t *tree = json_loadb(b.data, b.len, 0, NULL);
    buf_release(&b);
    return tree;
}

static json_t *as_json(const struct job *j, const struct checking_rows *checking)
{
    json_t *list = json_array();

    for (size_t i = 0; i < j->matrix.n; i++) {
        const struct plan_item *it = &j->items[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "environment",
                                              it->cell->env->name, "app", it->cell->app->name,
                                              "instance", it->cell->instance, "platform",
                                              it->cell->binding ? it->cell->binding->platform : "",
                                              "project", it->cell->name, "action",
                                              plan_action_name(it->action), "why", it->why));
    }
    json_t *plan = json_pack(
        "{s:s, s:o, s:{s:I, s:I, s:I, s:I}}", "commit", j->commit.id, "deployments", list, "counts",
        "create", (json_int_t)j->counts.of[PLAN_CREATE], "change",
        (json_int_t)j->counts.of[PLAN_CHANGE], "nothing", (json_int_t)j->counts.of[PLAN_NOTHING],
        "cannot", (json_int_t)j->counts.of[PLAN_CANNOT]);
    if (checking)
        json_object_set_new(plan, "checking", checking_tree(checking));
    return plan;
}

static enum table_tone tone(enum plan_action action)
{
    switch (action) {
    case PLAN_CREATE:
        return TONE_GOOD;
    case PLAN_CHANGE:
        return TONE_WARN;
    case PLAN_NOTHING:
        return TONE_DIM;
    case PLAN_CANNOT:
        return TONE_BAD;
    }
    return TONE_PLAIN;
}

static struct table *as_table(const struct job *j, bool brief)
{
    struct table *t = table_new();

    table_column(t, "ACTION", TABLE_LEFT, false);
    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    table_column(t, "APP", TABLE_LEFT, false);
    table_column(t, "PLATFORM", TABLE_LEFT, false);
    table_column(t, "SIZE", TABLE_RIGHT, false);
    table_column(t, "WHY", TABLE_LEFT, true);
    for (size_t i = 0; i < j->matrix.n; i++) {
        const struct plan_item *it = &j->items[i];
        char size[32] = "";
        if (brief && it->action == PLAN_NOTHING)
            continue;
        if (j->bundle_of[i])
            text_format_bytes((int64_t)j->bundle_of[i]->bytes, size);
        table_row(t);
        table_cell(t, tone(it->action), "%s", plan_action_name(it->action));
        table_cell(t, TONE_PLAIN, "%s", it->cell->env->name);
        table_cell(t, TONE_PLAIN, "%s%s%s", it->cell->app->name, it->cell->instance[0] ? "/" : "",
                   it->cell->instance);
        table_cell(t, TONE_PLAIN, "%s", it->cell->binding ? it->cell->binding->platform : "");
        table_cell(t, TONE_PLAIN, "%s", size);
        table_cell(t, TONE_PLAIN, "%s", it->why);
    }
    return t;
}

void plan_say(const struct job *j)
{
    app_say(j->app, "%zu to create, %zu to change, %zu unchanged%s", j->counts.of[PLAN_CREATE],
            j->counts.of[PLAN_CHANGE], j->counts.of[PLAN_NOTHING],
            j->counts.of[PLAN_CANNOT] ? ", and some that cannot be deployed" : "");
}

/* Drops the table. Nothing when it has no row. */
static int print_table(const struct job *j, struct table *t, struct err *e)
{
    struct table_look look = {.width = j->app->width, .colour = j->app->colour};
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    int rc = 0;

    if (table_rows(t) > 0) {
        table_print(t, &look, &b);
        rc = app_print(j->app, &b, e);
    }
    buf_release(&b);
    table_free(t);
    return rc;
}

int plan_print(const struct job *j, bool brief, const struct checking_rows *checking, struct err *e)
{
    if (j->app->o.json)
        return app_print_json(j->app, as_json(j, checking), e);
    if (print_table(j, as_table(j, brief), e) < 0)
        return -1;
    plan_say(j);
    return checking ? print_table(j, checking_table(checking, NULL), e) : 0;
}
