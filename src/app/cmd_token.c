#include "app/app.h"

#include "base/buf.h"
#include "report/table.h"
#include "store/access.h"

#include <jansson.h>
#include <string.h>

/* trine token: who may use the API of trine serve. */

static int read_scope(const struct app *a, enum access_scope *ret, struct err *e)
{
    const char *scope = a->o.scope ? a->o.scope : "read";

    for (int i = ACCESS_READ; i <= ACCESS_AGENT; i++)
        if (strcmp(scope, access_scope_name((enum access_scope)i)) == 0) {
            *ret = (enum access_scope)i;
            return 0;
        }
    return err_set(e, ERR_USAGE, "--scope %.40s: there are read, operate and agent", scope);
}

static int create(struct app *a, struct err *e)
{
    enum access_scope scope = ACCESS_READ;
    struct buf b = BUF_INIT(256);
    char token[80];

    if (read_scope(a, &scope, e) < 0 ||
        access_create(a->store, a->o.arguments[1], scope, token, e) < 0)
        return -1;
    app_say(a, "a token of scope %s; this is the only time it is shown", access_scope_name(scope));
    int rc = 0;
    if (a->o.json) {
        rc = app_print_json(a,
                            json_pack("{s:s, s:s, s:s}", "name", a->o.arguments[1], "scope",
                                      access_scope_name(scope), "token", token),
                            e);
    } else {
        buf_addf(&b, "%s\n", token);
        rc = app_print(a, &b, e);
    }
    buf_release(&b);
    return rc;
}

static json_t *moment(int64_t ms)
{
    char text[32];

    clock_format_utc(ms, text);
    return ms ? json_string(text) : json_null();
}

static void as_json(const struct access_token *t, void *arg)
{
    json_array_append_new(arg, json_pack("{s:s, s:s, s:o, s:o}", "name", t->name, "scope",
                                         access_scope_name(t->scope), "created_at",
                                         moment(t->created_ms), "used_at", moment(t->used_ms)));
}

static void as_row(const struct access_token *t, void *arg)
{
    char created[32], used[32] = "never";

    clock_format_utc(t->created_ms, created);
    if (t->used_ms)
        clock_format_utc(t->used_ms, used);
    table_row(arg);
    table_cell(arg, TONE_PLAIN, "%s", t->name);
    table_cell(arg, TONE_PLAIN, "%s", access_scope_name(t->scope));
    table_cell(arg, TONE_PLAIN, "%s", created);
    table_cell(arg, TONE_PLAIN, "%s", used);
}

static int list(struct app *a, struct err *e)
{
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(1 << 20);

    if (a->o.json) {
        json_t *tokens = json_array();
        if (access_list(a->store, as_json, tokens, e) < 0) {
            json_decref(tokens);
            return -1;
        }
        return app_print_json(a, json_pack("{s:o}", "tokens", tokens), e);
    }
    struct table *t = table_new();
    table_column(t, "NAME", TABLE_LEFT, false);
    table_column(t, "SCOPE", TABLE_LEFT, false);
    table_column(t, "CREATED", TABLE_LEFT, false);
    table_column(t, "LAST USED", TABLE_LEFT, false);
    int rc = access_list(a->store, as_row, t, e);
    if (rc == 0) {
        table_print(t, &look, &b);
        rc = app_print(a, &b, e);
    }
    table_free(t);
    buf_release(&b);
    return rc;
}

int cmd_token(struct app *a, struct err *e)
{
    const char *verb = a->o.arguments[0];
    bool named = strcmp(verb, "create") == 0 || strcmp(verb, "revoke") == 0;

    if (!named && strcmp(verb, "list") != 0)
        return err_set(e, ERR_USAGE, "trine token %.40s: there are create, list and revoke", verb);
    if (named != (a->o.n_arguments == 2))
        return err_set(
            e, ERR_USAGE,
            named ? "trine token %s needs the token's NAME" : "trine token %s takes no NAME", verb);
    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    if (strcmp(verb, "create") == 0)
        return create(a, e);
    if (strcmp(verb, "list") == 0)
        return list(a, e);
    return access_revoke(a->store, a->o.arguments[1], e);
}
