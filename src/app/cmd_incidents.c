#include "app/app.h"

#include "app/incident_json.h"
#include "app/window.h"
#include "base/buf.h"
#include "base/text.h"
#include "report/table.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* trine incidents: what went wrong and when; and one of them with its timeline and evidence. Both
 * are made from the same JSON that the API gives. */

enum { ANSWER_MAX = 64 << 20 };
static const int64_t default_window_ms = INT64_C(7) * 86400 * 1000;

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

/* Of two members that are times; an open end is now. */
static void lasted(const struct app *a, const json_t *o, char ret[32])
{
    int64_t from = 0, until = clock_wall_ms(&a->clock);

    ret[0] = '\0';
    if (text_of(o, "until")[0])
        (void)clock_parse_utc(text_of(o, "until"), &until);
    if (clock_parse_utc(text_of(o, "from"), &from) == 0 && until >= from)
        text_format_span(until - from, ret);
}

static void state_cell(struct table *t, const json_t *o)
{
    if (text_of(o, "until")[0])
        table_cell(t, TONE_GOOD, "over");
    else if (text_of(o, "acknowledged_at")[0])
        table_cell(t, TONE_WARN, "open, seen");
    else
        table_cell(t, TONE_BAD, "open");
}

static int print_table(struct app *a, struct table *t, struct buf *b, struct err *e)
{
    const struct table_look look = {.width = a->width, .colour = a->colour};

    table_print(t, &look, b);
    table_free(t);
    return app_print(a, b, e);
}

/* --- The list -----------------------------------------------------------------------------------
 */

static bool chosen(const struct app *a, const json_t *o)
{
    const char *environment = text_of(o, "environment");

    for (size_t i = 0; i < a->o.n_environments; i++)
        if (strcmp(a->o.environments[i], environment) == 0)
            return true;
    return a->o.n_environments == 0 || environment[0] == '\0'; /* that one is about several */
}

static void keep_chosen(const struct app *a, json_t *all)
{
    for (size_t i = json_array_size(all); i > 0; i--)
        if (!chosen(a, json_array_get(all, i - 1)))
            (void)json_array_remove(all, i - 1);
    if (a->o.count > 0)
        while (json_array_size(all) > (size_t)a->o.count)
            (void)json_array_remove(all, json_array_size(all) - 1);
}

static int print_list(struct app *a, const json_t *all, struct err *e)
{
    struct table *t = table_new();
    struct buf b = BUF_INIT(ANSWER_MAX);
    const json_t *o;
    size_t i;
    char span[32];

    table_column(t, "ID", TABLE_RIGHT, false);
    table_column(t, "SINCE", TABLE_LEFT, false);
    table_column(t, "LASTED", TABLE_RIGHT, false);
    table_column(t, "STATE", TABLE_LEFT, false);
    table_column(t, "CHECKS", TABLE_RIGHT, false);
    table_column(t, "WHAT", TABLE_LEFT, true);
    json_array_foreach(all, i, o)
    {
        lasted(a, o, span);
        table_row(t);
        table_cell(t, TONE_STRONG, "%lld", (long long)json_integer_value(json_object_get(o, "id")));
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "from"));
        table_cell(t, TONE_PLAIN, "%s", span);
        state_cell(t, o);
        table_cell(t, TONE_PLAIN, "%lld",
                   (long long)json_integer_value(json_object_get(o, "checks")));
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "title"));
    }
    int rc = print_table(a, t, &b, e);
    buf_release(&b);
    return rc;
}

/* --- One ----------------------------------------------------------------------------------------
 */

static void add_head(struct app *a, const json_t *o, struct buf *b)
{
    const struct table_look look = {.width = a->width, .colour = a->colour};
    char span[32];

    lasted(a, o, span);
    table_tone(b, &look, TONE_STRONG, text_of(o, "title"));
    buf_addf(b, "\nincident %lld, from %s to %s (%s)\n\n",
             (long long)json_integer_value(json_object_get(o, "id")), text_of(o, "from"),
             text_of(o, "until")[0] ? text_of(o, "until") : "now, it is open", span);
}

static void add_timeline(struct app *a, const json_t *lines, struct buf *b)
{
    const struct table_look look = {.width = a->width, .colour = a->colour};
    struct table *t = table_new();
    const json_t *o;
    size_t i;

    table_column(t, "TIME", TABLE_LEFT, false);
    table_column(t, "EVENT", TABLE_LEFT, false);
    table_column(t, "TEXT", TABLE_LEFT, true);
    if (a->o.verbose)
        table_column(t, "EVIDENCE", TABLE_LEFT, true);
    json_array_foreach(lines, i, o)
    {
        table_row(t);
        table_cell(t, TONE_DIM, "%s", text_of(o, "at"));
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "kind"));
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "text"));
        if (a->o.verbose && json_is_object(json_object_get(o, "evidence"))) {
            char *evidence = json_dumps(json_object_get(o, "evidence"), JSON_COMPACT);
            table_cell(t, TONE_DIM, "%s", evidence ? evidence : "");
            free(evidence);
        }
    }
    table_print(t, &look, b);
    table_free(t);
}

static int print_one(struct app *a, const json_t *one, struct err *e)
{
    struct table *t;
    struct buf b = BUF_INIT(ANSWER_MAX);
    const json_t *o, *outages = json_object_get(one, "outages");
    size_t i;
    char span[32];
    int rc;

    add_head(a, one, &b);
    add_timeline(a, json_object_get(one, "timeline"), &b);
    if (json_array_size(outages) == 0) {
        rc = app_print(a, &b, e);
        buf_release(&b);
        return rc;
    }
    t = table_new();
    table_column(t, "CHECK", TABLE_LEFT, false);
    table_column(t, "FROM", TABLE_LEFT, false);
    table_column(t, "LASTED", TABLE_RIGHT, false);
    table_column(t, "STATE", TABLE_LEFT, false);
    table_column(t, "REASON", TABLE_LEFT, true);
    json_array_foreach(outages, i, o)
    {
        bool instance = text_of(o, "instance")[0] != '\0';
        lasted(a, o, span);
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s %s%s%s %s", text_of(o, "environment"), text_of(o, "app"),
                   instance ? "/" : "", text_of(o, "instance"), text_of(o, "name"));
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "from"));
        table_cell(t, TONE_PLAIN, "%s", span);
        state_cell(t, o);
        table_cell(t, TONE_PLAIN, "%s", text_of(o, "reason"));
    }
    buf_addc(&b, '\n');
    rc = print_table(a, t, &b, e);
    buf_release(&b);
    return rc;
}

/* --- The command --------------------------------------------------------------------------------
 */

static int read_id(const char *text, int64_t *ret, struct err *e)
{
    char *end = NULL;
    long long id = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || id <= 0 || id == LLONG_MAX)
        return err_set(e, ERR_USAGE,
                       "%.40s is no number of an incident; trine incidents shows them", text);
    *ret = id;
    return 0;
}

static int show_one(struct app *a, int64_t id, struct buf *b, struct err *e)
{
    if (incident_json_one(a->store, id, b, e) < 0)
        return -1;
    json_t *one = json_loadb(b->data, b->len, 0, NULL);
    if (!one)
        return err_set(e, ERR_STORE, "incident %lld: the store holds no valid JSON", (long long)id);
    if (a->o.json)
        return app_print_json(a, one, e);
    int rc = print_one(a, one, e);
    json_decref(one);
    return rc;
}

static int show_list(struct app *a, struct buf *b, struct err *e)
{
    int64_t from, until;

    if (window_times(a, default_window_ms, &from, &until, e) < 0 ||
        incident_json_list(a->store, from, until, b, e) < 0)
        return -1;
    json_t *all = json_loadb(b->data, b->len, 0, NULL);
    if (!all)
        return err_set(e, ERR_STORE, "the store holds no valid JSON of incidents");
    json_t *list = json_object_get(all, "incidents");
    keep_chosen(a, list);
    if (a->o.json)
        return app_print_json(a, all, e);
    int rc = 0;
    if (json_array_size(list) > 0)
        rc = print_list(a, list, e);
    else
        app_say(a, "no incident in this window; --from 30d looks further back");
    json_decref(all);
    return rc;
}

int cmd_incidents(struct app *a, struct err *e)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    int64_t id = 0;

    if (a->o.n_arguments > 0 && read_id(a->o.arguments[0], &id, e) < 0)
        return -1;
    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    int rc = id != 0 ? show_one(a, id, &b, e) : show_list(a, &b, e);
    buf_release(&b);
    return rc;
}
