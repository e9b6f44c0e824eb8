#include "app/agent_message.h"

#include "app/json_out.h"
#include "base/json.h"
#include "net/endpoint.h"
#include "net/http.h"

#include <string.h>

/* What an agent is to measure. No secret is in it: the server sees to that
 * (serve_assignment.c), and what cannot be said here cannot slip in. */

enum { HEADERS_MAX = 32, TEXT_MAX = 4096, HOUR_MS = 3600000 };
#define LONG_MS (INT64_C(366) * 24 * HOUR_MS)

/* --- Writing ------------------------------------------------------------------------------------
 */

static void write_headers(const struct target *t, struct json_out *o)
{
    out_key(o, "headers");
    out_open(o, '[');
    for (size_t i = 0; i < t->n_headers; i++) {
        out_open(o, '[');
        out_text(o, t->headers[i].name);
        out_text(o, t->headers[i].value);
        out_close(o, ']');
    }
    out_close(o, ']');
}

static void write_times(const struct target *t, struct json_out *o)
{
    out_int_of(o, "every_ms", t->every_ms);
    out_int_of(o, "fast_ms", t->fast_ms);
    out_int_of(o, "down_ms", t->down_ms);
    out_int_of(o, "timeout_ms", t->timeout_ms);
    out_int_of(o, "cold_timeout_ms", t->cold_timeout_ms);
    out_int_of(o, "slow_ms", t->slow_ms);
    out_int_of(o, "down_after", t->down_after);
    out_int_of(o, "up_after", t->up_after);
    out_int_of(o, "sleep_after_ms", t->sleep_after_ms);
    out_int_of(o, "cold_every_ms", t->cold_every_ms);
    out_int_of(o, "wake", t->wake);
}

void agent_target_write(const struct target *t, struct json_out *o)
{
    out_open(o, '{');
    out_int_of(o, "check", t->series);
    out_text_of(o, "environment", t->environment);
    out_text_of(o, "app", t->app);
    out_text_of(o, "instance", t->instance);
    out_text_of(o, "name", t->check);
    out_text_of(o, "kind", check_kind_name(t->kind));
    out_text_of(o, "url", t->url);
    out_int_of(o, "port", t->port);
    write_times(t, o);
    out_key(o, "keep_connection"), out_flag(o, t->keep_connection);
    out_int_of(o, "min_validity_ms", t->min_validity_ms);
    out_int_of(o, "expect_status", t->expect_status);
    out_text_of(o, "expect_body", t->expect_body);
    out_text_of(o, "expect_header", t->expect_header);
    out_text_of(o, "expect_json", t->expect_json);
    write_headers(t, o);
    out_close(o, '}');
}

/* --- Reading ------------------------------------------------------------------------------------
 */

struct reading { /* of one object; the first thing wrong in it is kept */
    const json_t *o;
    struct arena *arena;
    const char *wrong;
};

static const char *text(struct reading *in, const char *name)
{
    const json_t *v = json_object_get(in->o, name);

    if (json_is_string(v) && json_string_length(v) <= TEXT_MAX)
        return arena_strdup(in->arena, json_string_value(v));
    in->wrong = in->wrong ? in->wrong : name;
    return "";
}

static int64_t number(struct reading *in, const char *name, int64_t least, int64_t most)
{
    const json_t *v = json_object_get(in->o, name);

    if (json_is_integer(v) && json_integer_value(v) >= least && json_integer_value(v) <= most)
        return json_integer_value(v);
    in->wrong = in->wrong ? in->wrong : name;
    return least;
}

static bool kind_of(const char *word, enum check_kind *ret)
{
    static const enum check_kind kinds[] = {CHECK_HTTP, CHECK_TLS, CHECK_TCP};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(word, check_kind_name(kinds[i])) == 0) {
            *ret = kinds[i];
            return true;
        }
    return false;
}

static void read_headers(struct reading *in, struct target *t)
{
    const json_t *list = json_object_get(in->o, "headers");
    size_t n = json_array_size(list);
    struct http_header *h = arena_array(in->arena, n + 1, sizeof(*h));

    if (!json_is_array(list) || n > HEADERS_MAX) {
        in->wrong = in->wrong ? in->wrong : "headers";
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = json_string_value(json_array_get(row, 0));
        const char *value = json_string_value(json_array_get(row, 1));
        if (!name || !value || !http_header_fits(name, value)) {
            in->wrong = in->wrong ? in->wrong : "headers";
            return;
        }
        h[i].name = arena_strdup(in->arena, name);
        h[i].value = arena_strdup(in->arena, value);
    }
    t->headers = h;
    t->n_headers = n;
}

static void read_times(struct reading *in, struct target *t)
{
    t->every_ms = number(in, "every_ms", 100, LONG_MS);
    t->fast_ms = number(in, "fast_ms", 0, LONG_MS);
    t->down_ms = number(in, "down_ms", 0, LONG_MS);
    t->timeout_ms = number(in, "timeout_ms", 1, HOUR_MS);
    t->cold_timeout_ms = number(in, "cold_timeout_ms", 0, HOUR_MS);
    t->slow_ms = number(in, "slow_ms", 0, HOUR_MS);
    t->down_after = (int)number(in, "down_after", 1, 1000);
    t->up_after = (int)number(in, "up_after", 1, 1000);
    t->sleep_after_ms = number(in, "sleep_after_ms", 0, LONG_MS);
    t->cold_every_ms = number(in, "cold_every_ms", 0, LONG_MS);
    t->wake = (enum check_wake)number(in, "wake", WAKE_ALWAYS, WAKE_NEVER);
}

static int read_target(const json_t *o, struct arena *a, struct target *ret, struct err *e)
{
    struct reading in = {.o = o, .arena = a};
    struct target t = {.token = "", .origin = "", .query = ""};
    struct endpoint where;

    t.series = number(&in, "check", 1, INT32_MAX);
    t.environment = text(&in, "environment");
    t.app = text(&in, "app");
    t.instance = text(&in, "instance");
    t.check = text(&in, "name");
    t.url = text(&in, "url");
    t.port = (int)number(&in, "port", 0, 65535);
    read_times(&in, &t);
    t.keep_connection = json_is_true(json_object_get(o, "keep_connection"));
    t.min_validity_ms = number(&in, "min_validity_ms", 0, LONG_MS * 10);
    t.expect_status = (int)number(&in, "expect_status", 0, 999);
    t.expect_body = text(&in, "expect_body");
    t.expect_header = text(&in, "expect_header");
    t.expect_json = text(&in, "expect_json");
    read_headers(&in, &t);
    if (!kind_of(text(&in, "kind"), &t.kind) && !in.wrong)
        in.wrong = "kind";
    if (!in.wrong && !endpoint_read(t.url, (uint16_t)t.port, &where))
        in.wrong = "url";
    if (in.wrong)
        return err_set(e, ERR_REMOTE, "its %s is missing or makes no sense", in.wrong);
    *ret = t;
    return 0;
}

static int read_targets(const json_t *list, struct agent_assignment *ret, struct err *e)
{
    if (!json_is_array(list) || json_array_size(list) > AGENT_CHECKS_MAX)
        return err_set(e, ERR_REMOTE, "checks: a list of at most %d was expected",
                       AGENT_CHECKS_MAX);
    ret->n = json_array_size(list);
    ret->targets = arena_array(&ret->arena, ret->n + 1, sizeof(*ret->targets));
    for (size_t i = 0; i < ret->n; i++)
        if (read_target(json_array_get(list, i), &ret->arena, &ret->targets[i], e) < 0)
            return err_wrap(e, "check %zu", i + 1);
    return 0;
}

static int read_controls(const json_t *list, struct agent_assignment *ret, struct err *e)
{
    struct endpoint where;

    if (!json_is_array(list) || json_array_size(list) > AGENT_CONTROLS_MAX)
        return err_set(e, ERR_REMOTE, "controls: a list of at most %d was expected",
                       AGENT_CONTROLS_MAX);
    ret->n_controls = json_array_size(list);
    ret->controls = arena_array(&ret->arena, ret->n_controls + 1, sizeof(char *));
    for (size_t i = 0; i < ret->n_controls; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        if (!url || !endpoint_read(url, 0, &where))
            return err_set(e, ERR_REMOTE, "controls: number %zu is no address", i + 1);
        ret->controls[i] = arena_strdup(&ret->arena, url);
    }
    return 0;
}

static void read_left_out(const json_t *list, struct agent_assignment *ret)
{
    size_t n = json_array_size(list) < TEXT_MAX ? json_array_size(list) : TEXT_MAX;

    ret->left_out = arena_array(&ret->arena, n + 1, sizeof(*ret->left_out));
    for (size_t i = 0; i < n; i++) {
        struct reading in = {.o = json_array_get(list, i), .arena = &ret->arena};
        ret->left_out[ret->n_left_out++] =
            (struct agent_omission){.environment = text(&in, "environment"),
                                    .app = text(&in, "app"),
                                    .instance = text(&in, "instance"),
                                    .check = text(&in, "name"),
                                    .why = text(&in, "why")};
    }
}

int agent_assignment_read(const char *data, size_t len, struct agent_assignment *ret, struct err *e)
{
    struct agent_assignment a = {0};
    json_t *root = json_read(data, len, "the assignment", e);
    struct reading in = {.o = root, .arena = &a.arena};

    if (!root)
        return -1;
    a.version = text(&in, "version");
    if (in.wrong || !agent_name_ok(a.version))
        err_set(e, ERR_REMOTE, "the assignment has no version; is this address a trine serve?");
    else if (read_targets(json_object_get(root, "checks"), &a, e) < 0 ||
             read_controls(json_object_get(root, "controls"), &a, e) < 0)
        (void)err_wrap(e, "the assignment");
    else
        read_left_out(json_object_get(root, "left_out"), &a);
    json_decref(root);
    if (e->kind != ERR_NONE) {
        arena_release(&a.arena);
        return -1;
    }
    *ret = a;
    return 0;
}

void agent_assignment_release(struct agent_assignment *a)
{
    arena_release(&a->arena);
    *a = (struct agent_assignment){0};
}
