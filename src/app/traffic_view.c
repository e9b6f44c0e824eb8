#include "app/traffic_view.h"

#include "app/app.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "report/table.h"
#include "store/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Reading -------------------------------------------------------------------------------------
 */

int traffic_view_read(struct app *a, struct traffic_view *ret, struct err *e)
{
    struct lease lease = {0};
    char *text = NULL;

    if (lease_read(a->store, ROUTER_LEASE, &lease, &ret->steered, e) < 0 ||
        traffic_state_get(a->store, "", &text, &ret->updated_ms, e) < 0)
        return -1;
    (void)text_copy(ret->holder, sizeof(ret->holder), lease.holder);
    ret->holder[strcspn(ret->holder, ":")] = '\0'; /* behind it is what it does */
    if (*text)
        ret->json = json_read(text, strlen(text), "the store: where traffic stands", e);
    bool readable = !*text || ret->json;
    free(text);
    return readable ? 0 : -1;
}

void traffic_view_release(struct traffic_view *v)
{
    json_decref(v->json);
    *v = (struct traffic_view){0};
}

static const json_t *named(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_str(item, "name", ""), name) == 0)
            return item;
    }
    return NULL;
}

static const json_t *member_of(const struct traffic_view *v, const char *route,
                               const char *environment)
{
    return named(json_at(named(json_at(v->json, "routes"), route), "environments"), environment);
}

int64_t traffic_view_order(const struct traffic_view *v, const char *route, const char *environment)
{
    return json_int(member_of(v, route, environment), "order.id", 0);
}

bool traffic_view_leads(const struct traffic_view *v, const char *route, const char *environment)
{
    return member_of(v, route, environment) != NULL;
}

/* --- Printing ------------------------------------------------------------------------------------
 */

static enum table_tone tone_of(const char *state)
{
    if (strcmp(state, "up") == 0)
        return TONE_GOOD;
    if (strcmp(state, "down") == 0)
        return TONE_BAD;
    return strcmp(state, "asleep") == 0 || strcmp(state, "unknown") == 0 ? TONE_DIM : TONE_WARN;
}

static void share_cell(struct table *t, const json_t *m)
{
    double share = json_num(m, "share", 0);

    if (json_flag(m, "out", false))
        table_cell(t, TONE_DIM, "out");
    else if (json_flag(m, "backup", false) && share == 0)
        table_cell(t, TONE_DIM, "backup");
    else
        table_cell(t, TONE_STRONG, "%.0f %%", 100 * share);
}

void traffic_order_words(const char *kind, int weight, char ret[96])
{
    if (strcmp(kind, "weight") == 0)
        (void)snprintf(ret, 96, "weight %d", weight);
    else
        (void)snprintf(ret, 96, "%s%.20s",
                       strcmp(kind, "up") == 0 || strcmp(kind, "down") == 0 ? "override " : "",
                       kind);
}

/* "drain for 59 min more, by anna: database move" */
static void order_cell(struct table *t, const json_t *m, int64_t now_ms)
{
    const char *until = json_str(m, "order.until", ""), *why = json_str(m, "order.why", "");
    int64_t until_ms = 0;
    char words[96], left[32];
    struct buf b = BUF_INIT(4096);

    if (!json_is_object(json_at(m, "order")))
        return;
    traffic_order_words(json_str(m, "order.kind", ""), (int)json_int(m, "order.weight", 0), words);
    buf_adds(&b, words);
    if (*until && clock_parse_utc(until, &until_ms) == 0) {
        text_format_span(until_ms - now_ms, left);
        buf_addf(&b, until_ms > now_ms ? " for %s more" : ", its time is over", left);
    }
    buf_addf(&b, ", by %s%s%s", json_str(m, "order.who", "?"), *why ? ": " : "", why);
    table_cell(t, TONE_WARN, "%s", buf_str(&b));
    buf_release(&b);
}

static void since_cell(struct table *t, const json_t *m, int64_t now_ms)
{
    const char *since = json_str(m, "since", "");
    int64_t since_ms = 0;
    char span[32] = "";

    if (*since && clock_parse_utc(since, &since_ms) == 0)
        text_format_span(now_ms - since_ms, span);
    table_cell(t, TONE_PLAIN, "%s", span);
}

static void member_row(struct table *t, const json_t *m, int64_t now_ms)
{
    const char *state = json_str(m, "state", "unknown");
    int64_t pace_ms = json_int(m, "pace_ms", 0);
    char every[32] = "-";

    if (pace_ms > 0)
        checking_every(pace_ms, every);
    table_row(t);
    table_cell(t, TONE_STRONG, "%s", json_str(m, "name", ""));
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "platform", ""));
    table_cell(t, tone_of(state), "%s", state);
    since_cell(t, m, now_ms);
    share_cell(t, m);
    table_cell(t, TONE_PLAIN, "%.1f", json_num(m, "live.per_second", 0));
    table_cell(t, pace_ms > 0 ? TONE_PLAIN : TONE_DIM, "%s", every);
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "quorum.text", ""));
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "reason", ""));
    order_cell(t, m, now_ms);
}

static bool any_down(const json_t *route)
{
    size_t i;
    json_t *m;

    json_array_foreach(json_at(route, "environments"), i, m)
    {
        if (strcmp(json_str(m, "state", ""), "down") == 0)
            return true;
    }
    return false;
}

static void dns_line(const json_t *route, struct buf *out)
{
    const json_t *d = json_at(route, "dns");
    const char *why = json_str(d, "why", ""), *environment = json_str(d, "environment", "");
    double tail = json_num(d, "tail_per_second", -1);

    if (!json_is_object(d))
        return;
    buf_addf(out, "in the DNS %s has %s%s%s%s", json_str(d, "host", ""),
             *json_str(d, "answer", "") ? json_str(d, "answer", "") : "an answer not read yet",
             *environment ? " (" : "", environment, *environment ? ")" : "");
    if (tail >= 0)
        buf_addf(out, "; %.1f requests a second still come by the old answer", tail);
    buf_addf(out, "%s%s\n", *why ? "; " : "", why);
}

static struct table *member_table(const json_t *route, int64_t now_ms)
{
    struct table *t = table_new();
    size_t i;
    json_t *m;

    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    table_column(t, "PLATFORM", TABLE_LEFT, false);
    table_column(t, "STATE", TABLE_LEFT, false);
    table_column(t, "FOR", TABLE_RIGHT, false);
    table_column(t, "SHARE", TABLE_RIGHT, false);
    table_column(t, "REQ/S", TABLE_RIGHT, false);
    table_column(t, "CHECKED", TABLE_RIGHT, false);
    table_column(t, "OBSERVERS", TABLE_LEFT, true);
    table_column(t, "WHY", TABLE_LEFT, true);
    table_column(t, "ORDER", TABLE_LEFT, true);
    json_array_foreach(json_at(route, "environments"), i, m) member_row(t, m, now_ms);
    return t;
}

static void route_lines(const json_t *route, int64_t now_ms, const struct table_look *look,
                        struct buf *out)
{
    const char *listen = json_str(route, "listen", ""), *standby = json_str(route, "standby", "");
    struct table *t = member_table(route, now_ms);

    buf_adds(out, "route ");
    table_tone(out, look, TONE_STRONG, json_str(route, "name", ""));
    buf_addf(out, " leads to %s%s%s; next in line: %s\n", json_str(route, "app", ""),
             *listen ? ", listening on " : "", listen, *standby ? standby : "nobody");
    if (json_flag(route, "failing_open", false)) {
        table_tone(out, look, TONE_WARN, "fails open");
        buf_addf(out, ": %s\n", json_str(route, "open_why", ""));
    }
    dns_line(route, out);
    table_print(t, look, out);
    table_free(t);
    buf_addc(out, '\n');
}

/* From the manifest as it is now: the same that trine plan shows. */
static void checking_lines(const struct checking_rows *rows, const char *route,
                           const struct table_look *look, struct buf *out)
{
    struct table *t = checking_table(rows, route);

    if (table_rows(t) > 0) {
        buf_adds(out, "what its checking costs in a month, and of which free allowance:\n");
        table_print(t, look, out);
        buf_addc(out, '\n');
    }
    table_free(t);
}

static void head_lines(const struct traffic_view *v, int64_t now_ms, struct buf *out)
{
    const char *state = json_str(v->json, "proxy.state", "off");
    const char *why = json_str(v->json, "proxy.why", "");
    char age[32];

    text_format_span(now_ms - v->updated_ms, age);
    if (v->steered)
        buf_addf(out, "steered by trine serve (%s), as of %s ago\n", v->holder, age);
    else
        buf_addf(out, "nobody steers: trine serve does not run; this is how it stood %s ago\n",
                 age);
    buf_addf(out, "HAProxy: %s%s%s\n\n", state, *why ? ": " : "", why);
}

static void vantage_lines(const json_t *all, struct buf *out)
{
    size_t i;
    json_t *v;

    json_array_foreach(all, i, v)
    {
        if (!json_flag(v, "valid", true))
            buf_addf(out, "vantage point %s does not vote: %s\n", json_str(v, "name", ""),
                     json_str(v, "why", ""));
    }
}

/* Routes of the manifest that whoever steers does not know. `out` NULL: only their number. */
static size_t missing_lines(const struct app *a, const struct traffic_view *v, const char *route,
                            struct buf *out)
{
    const json_t *routes = json_at(v->json, "routes");
    size_t n = 0;

    for (size_t i = 0; i < a->manifest->n_routes; i++) {
        const char *name = a->manifest->routes[i].name;
        if ((route && strcmp(name, route) != 0) || named(routes, name))
            continue;
        n++;
        if (out)
            buf_addf(out,
                     "route %s is not steered: trine serve ran with another manifest than %s; "
                     "start it with this one, or send it SIGHUP when the file has changed\n\n",
                     name, a->manifest->file);
    }
    return n;
}

static bool chosen(const json_t *route, const char *name)
{
    return !name || strcmp(json_str(route, "name", ""), name) == 0;
}

/* The same environments as seen from several places; nothing when there is no agent. */
static void seen_lines(const struct vantage_rows *rows, const struct table_look *look,
                       struct buf *out)
{
    struct table *t = rows->n ? vantage_table(rows) : NULL;

    if (!t)
        return;
    buf_adds(out, "as seen from each vantage point (--from: since when; in no other figure):\n");
    table_print(t, look, out);
    table_free(t);
    buf_addc(out, '\n');
}

void traffic_view_text(const struct app *a, const struct traffic_view *v, const char *route,
                       const struct traffic_extra *x, struct buf *out)
{
    const struct table_look look = {.width = a->width, .colour = a->colour};
    int64_t now_ms = clock_wall_ms(&a->clock);
    size_t i;
    json_t *r;

    head_lines(v, now_ms, out);
    (void)missing_lines(a, v, route, out);
    json_array_foreach(json_at(v->json, "routes"), i, r)
    {
        if (!chosen(r, route))
            continue;
        route_lines(r, now_ms, &look, out);
        if (x)
            checking_lines(&x->checking, json_str(r, "name", ""), &look, out);
    }
    if (x)
        seen_lines(&x->seen, &look, out);
    vantage_lines(json_at(v->json, "vantages"), out);
}

static int print_text(struct app *a, const struct traffic_view *v, const char *route,
                      const struct traffic_extra *x, struct err *e)
{
    struct buf b = BUF_INIT(1 << 20);

    traffic_view_text(a, v, route, x, &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

/* As the API has it, of these routes only. */
static int print_json(struct app *a, const struct traffic_view *v, const char *route,
                      const struct traffic_extra *x, struct err *e)
{
    json_t *all = json_deep_copy(v->json), *routes = json_object_get(all, "routes");

    for (size_t i = json_array_size(routes); i > 0; i--)
        if (!chosen(json_array_get(routes, i - 1), route))
            (void)json_array_remove(routes, i - 1);
    if (x)
        json_object_set_new(all, "seen_from", vantage_json(&x->seen));
    return app_print_json(a, all, e);
}

static int print(struct app *a, const struct traffic_view *v, const char *route,
                 const struct traffic_extra *x, struct err *e)
{
    bool down = false;
    size_t i;
    json_t *r;

    json_array_foreach(json_at(v->json, "routes"), i, r)
    {
        down |= chosen(r, route) && any_down(r);
    }
    int rc = a->o.json ? print_json(a, v, route, x, e) : print_text(a, v, route, x, e);
    return rc < 0 ? -1 : down || !v->steered || missing_lines(a, v, route, NULL) > 0;
}

static int need_json(const struct app *a, const struct traffic_view *v, struct err *e)
{
    if (v->json)
        return 0;
    return err_set(e, ERR_NO,
                   "nothing is known of traffic yet: no trine serve has run with the state folder "
                   "%s; start one with: trine serve",
                   a->state);
}

int traffic_view_print(struct app *a, const struct traffic_view *v, const char *route,
                       struct err *e)
{
    return need_json(a, v, e) < 0 ? -1 : print(a, v, route, NULL, e);
}

static const char *app_of(const struct manifest *m, const char *route)
{
    for (size_t i = 0; route && i < m->n_routes; i++)
        if (strcmp(m->routes[i].name, route) == 0)
            return m->routes[i].app;
    return NULL;
}

int traffic_extra_read(struct app *a, const char *route, int64_t from_ms, struct traffic_extra *ret,
                       struct err *e)
{
    const struct vantage_window w = {.own = a->manifest->probe.vantage,
                                     .app = app_of(a->manifest, route),
                                     .from_ms = from_ms,
                                     .until_ms = INT64_MAX};

    if (matrix_build(a->manifest, NULL, &ret->matrix, e) < 0)
        return -1;
    checking_rows(a->manifest, &ret->matrix, &ret->checking);
    return vantage_rows_read(a->store, &w, &ret->seen, e);
}

void traffic_extra_release(struct traffic_extra *x)
{
    checking_rows_release(&x->checking);
    vantage_rows_release(&x->seen);
    matrix_release(&x->matrix);
}

int traffic_view_print_all(struct app *a, const struct traffic_view *v, const char *route,
                           int64_t from_ms, struct err *e)
{
    struct traffic_extra x = {0};
    int rc = need_json(a, v, e);

    if (rc == 0)
        rc = traffic_extra_read(a, route, from_ms, &x, e);
    if (rc == 0)
        rc = print(a, v, route, &x, e);
    traffic_extra_release(&x);
    return rc;
}
