#include "app/traffic_view.h"

#include "app/app.h"
#include "app/checking_view.h"
#include "app/vantage_view.h"
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

    json_array_foreach(list, i,
                       item) if (strcmp(json_str(item, "name", ""), name) == 0) return item;
    return NULL;
}

int64_t traffic_view_order(const struct traffic_view *v, const char *route, const char *environment)
{
    const json_t *r = named(json_at(v->json, "routes"), route);
    const json_t *m = named(json_at(r, "environments"), environment);

    return json_int(m, "order.id", 0);
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

static const char *order_words(const json_t *m, char ret[160])
{
    const char *kind = json_str(m, "order.kind", ""), *until = json_str(m, "order.until", "");
    const char *why = json_str(m, "order.why", "");

    if (!*kind)
        return "";
    (void)snprintf(ret, 160, "%s%s%.20s by %.30s%s%.60s", kind, *until ? " until " : "", until,
                   json_str(m, "order.who", "?"), *why ? ": " : "", why);
    return ret;
}

static void member_row(struct table *t, const json_t *m)
{
    const char *state = json_str(m, "state", "unknown");
    double pace = json_num(m, "pace_ms", 0);
    char text[160];

    table_row(t);
    table_cell(t, TONE_STRONG, "%s", json_str(m, "name", ""));
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "platform", ""));
    table_cell(t, tone_of(state), "%s", state);
    share_cell(t, m);
    table_cell(t, TONE_PLAIN, "%.1f", json_num(m, "live.per_second", 0));
    if (pace > 0)
        table_cell(t, TONE_PLAIN, "%.1f s", pace / 1000);
    else
        table_cell(t, TONE_DIM, "-");
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "quorum.text", ""));
    table_cell(t, TONE_PLAIN, "%s", json_str(m, "reason", ""));
    table_cell(t, TONE_WARN, "%s", order_words(m, text));
}

static bool any_down(const json_t *route)
{
    size_t i;
    json_t *m;

    json_array_foreach(json_at(route, "environments"), i,
                       m) if (strcmp(json_str(m, "state", ""), "down") == 0) return true;
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

static void route_lines(const json_t *route, const struct table_look *look, struct buf *out)
{
    const char *listen = json_str(route, "listen", ""), *standby = json_str(route, "standby", "");
    struct table *t = table_new();
    size_t i;
    json_t *m;

    buf_adds(out, "route ");
    table_tone(out, look, TONE_STRONG, json_str(route, "name", ""));
    buf_addf(out, " leads to %s%s%s; next in line: %s\n", json_str(route, "app", ""),
             *listen ? ", listening on " : "", listen, *standby ? standby : "nobody");
    if (json_flag(route, "failing_open", false)) {
        table_tone(out, look, TONE_WARN, "fails open");
        buf_addf(out, ": %s\n", json_str(route, "open_why", ""));
    }
    dns_line(route, out);
    table_column(t, "Environment", TABLE_LEFT, false);
    table_column(t, "Platform", TABLE_LEFT, false);
    table_column(t, "State", TABLE_LEFT, false);
    table_column(t, "Share", TABLE_RIGHT, false);
    table_column(t, "Req/s", TABLE_RIGHT, false);
    table_column(t, "Checked", TABLE_RIGHT, false);
    table_column(t, "Observers", TABLE_LEFT, true);
    table_column(t, "Why", TABLE_LEFT, true);
    table_column(t, "Order", TABLE_LEFT, true);
    json_array_foreach(json_at(route, "environments"), i, m) member_row(t, m);
    table_print(t, look, out);
    table_free(t);
    buf_addc(out, '\n');
}

/* From the manifest as it is now: the same that trine plan shows. */
static void checking_lines(const struct checking_rows *rows, const char *route,
                           const struct table_look *look, struct buf *out)
{
    struct table *t = checking_table(rows, route);

    buf_adds(out, "what its checking costs in a month, and of which free allowance:\n");
    table_print(t, look, out);
    table_free(t);
    buf_addc(out, '\n');
}

static void head_lines(const struct app *a, const struct traffic_view *v, struct buf *out)
{
    const char *state = json_str(v->json, "proxy.state", "off");
    const char *why = json_str(v->json, "proxy.why", "");
    char age[32];

    text_format_duration((clock_wall_ms(&a->clock) - v->updated_ms) / 1000 * 1000, age);
    if (v->steered)
        buf_addf(out, "steered by %s, as of %s ago\n", v->holder, age);
    else
        buf_addf(out, "nobody steers: trine serve does not run; as of %s ago\n", age);
    buf_addf(out, "HAProxy: %s%s%s\n\n", state, *why ? ": " : "", why);
}

static void vantage_lines(const json_t *all, struct buf *out)
{
    size_t i;
    json_t *v;

    json_array_foreach(all, i, v) if (!json_flag(v, "valid", true))
        buf_addf(out, "vantage point %s does not vote: %s\n", json_str(v, "name", ""),
                 json_str(v, "why", ""));
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

struct extra { /* of trine traffic status */
    struct checking_rows checking;
    struct vantage_rows seen;
};

static int as_text(struct app *a, const struct traffic_view *v, const char *route,
                   const struct extra *x, struct err *e)
{
    const struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(1 << 20);
    size_t i;
    json_t *r;

    head_lines(a, v, &b);
    json_array_foreach(json_at(v->json, "routes"), i, r)
    {
        const char *name = json_str(r, "name", "");
        if (route && strcmp(name, route) != 0)
            continue;
        route_lines(r, &look, &b);
        if (x)
            checking_lines(&x->checking, name, &look, &b);
    }
    if (x)
        seen_lines(&x->seen, &look, &b);
    vantage_lines(json_at(v->json, "vantages"), &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

static int print(struct app *a, const struct traffic_view *v, const char *route,
                 const struct extra *x, struct err *e)
{
    bool down = false;
    size_t i;
    json_t *r;
    int rc;

    json_array_foreach(json_at(v->json, "routes"), i, r) down |= any_down(r);
    if (a->o.json) {
        json_t *whole = json_copy(v->json);
        if (x)
            json_object_set_new(whole, "seen_from", vantage_json(&x->seen));
        rc = app_print_json(a, whole, e);
    } else {
        rc = as_text(a, v, route, x, e);
    }
    return rc < 0 ? -1 : down || !v->steered;
}

static int need_json(const struct app *a, const struct traffic_view *v, struct err *e)
{
    if (v->json)
        return 0;
    return err_set(e, ERR_NO,
                   "nothing is known of traffic yet: no trine serve has run with this state folder "
                   "(%s)",
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

int traffic_view_print_all(struct app *a, const struct traffic_view *v, const char *route,
                           int64_t from_ms, struct err *e)
{
    const struct vantage_window w = {.own = a->manifest->probe.vantage,
                                     .app = app_of(a->manifest, route),
                                     .from_ms = from_ms,
                                     .until_ms = INT64_MAX};
    struct extra x = {0};
    struct matrix matrix = {0};
    int rc = need_json(a, v, e);

    if (rc == 0)
        rc = app_matrix(a, &matrix, e);
    if (rc == 0) {
        checking_rows(a->manifest, &matrix, &x.checking);
        rc = vantage_rows_read(a->store, &w, &x.seen, e);
    }
    if (rc == 0)
        rc = print(a, v, route, &x, e);
    checking_rows_release(&x.checking);
    vantage_rows_release(&x.seen);
    matrix_release(&matrix);
    return rc;
}
