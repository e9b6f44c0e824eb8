#include "app/serve_assignment.h"

#include "app/agent_message.h"
#include "app/json_out.h"
#include "app/targets.h"
#include "base/hash.h"
#include "base/redact.h"
#include "manifest/manifest.h"

#include <stdio.h>
#include <string.h>

enum { JSON_MAX = 8 << 20 };

/* --- Which ones ---------------------------------------------------------------------------------
 */

static const struct manifest_route *route_to(const struct manifest *m, const char *environment,
                                             const char *app)
{
    for (size_t i = 0; i < m->n_routes; i++)
        for (size_t k = 0; strcmp(m->routes[i].app, app) == 0 && k < m->routes[i].n_failover; k++)
            if (strcmp(m->routes[i].failover[k], environment) == 0)
                return &m->routes[i];
    return NULL;
}

static const struct manifest_check *check_of(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, name) == 0)
            return &m->checks[i];
    return NULL;
}

static bool is_for_agents(enum check_kind kind)
{
    return kind == CHECK_HTTP || kind == CHECK_TLS || kind == CHECK_TCP;
}

static bool holds_secret(const struct redactor *r, const char *text, const char **ret_name)
{
    return text && *text && r && redact_find(r, text, strlen(text), ret_name);
}

/* Why an agent cannot be told of it, or NULL. The first half sees what the manifest says, whether
 * or not the secret has a value now; the second what is really there. */
static const char *why_not(const struct manifest *m, const struct redactor *r,
                           const struct target *t, struct arena *a)
{
    const struct manifest_check *k = check_of(m, t->check);
    const char *const texts[] = {t->url, t->expect_body, t->expect_header, t->expect_json};
    const char *name = "";

    for (size_t i = 0; k && i < k->n_headers; i++)
        if (strchr(k->headers[i].value, '$'))
            return arena_printf(a, "its header %s comes from a secret, and agents are told none",
                                k->headers[i].name);
    for (size_t i = 0; i < t->n_headers; i++)
        if (holds_secret(r, t->headers[i].value, &name))
            return arena_printf(a, "its header %s holds the secret %s, and agents are told none",
                                t->headers[i].name, name);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (holds_secret(r, texts[i], &name))
            return arena_printf(a, "it holds the secret %s, and agents are told none", name);
    return NULL;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

struct making {
    const struct manifest *m;
    const struct redactor *redactor;
    struct assignment *to;
    struct buf left_out;
    struct json_out checks, omissions;
};

static void leave_out(struct making *w, const struct target_omission *v)
{
    struct json_out *o = &w->omissions;

    out_open(o, '{');
    out_text_of(o, "environment", v->environment);
    out_text_of(o, "app", v->app);
    out_text_of(o, "instance", v->instance);
    out_text_of(o, "name", v->check);
    out_text_of(o, "why", v->why);
    out_close(o, '}');
}

static void leave_target_out(struct making *w, const struct target *t, const char *why)
{
    leave_out(w, &(struct target_omission){.environment = t->environment,
                                           .app = t->app,
                                           .instance = t->instance,
                                           .check = t->check,
                                           .why = why});
}

/* The route's own thresholds for the check that decides it. */
static struct target as_voted(const struct manifest_route *route, const struct target *t)
{
    struct target v = *t;

    if (strcmp(route->check, t->check) == 0) {
        v.down_after = route->down_after;
        v.up_after = route->up_after;
    }
    return v;
}

static void add_target(struct making *w, const struct target *t)
{
    const struct manifest_route *route = route_to(w->m, t->environment, t->app);
    struct arena *a = &w->to->arena;

    if (!route || !is_for_agents(t->kind))
        return;
    const char *why = why_not(w->m, w->redactor, t, a);
    if (!why && w->to->n == AGENT_CHECKS_MAX)
        why = arena_printf(a, "an agent takes %d checks at most", AGENT_CHECKS_MAX);
    if (why) {
        leave_target_out(w, t, why);
        return;
    }
    const struct target v = as_voted(route, t);
    agent_target_write(&v, &w->checks);
    w->to->checks[w->to->n++] =
        (struct assigned_check){.series = t->series,
                                .environment = arena_strdup(a, t->environment),
                                .app = arena_strdup(a, t->app),
                                .instance = arena_strdup(a, t->instance),
                                .check = arena_strdup(a, t->check)};
}

static void add_omissions(struct making *w, const struct targets *ts)
{
    for (size_t i = 0; i < ts->n_left_out; i++) {
        const struct target_omission *v = &ts->left_out[i];
        const struct manifest_check *k = check_of(w->m, v->check);
        if (k && is_for_agents(k->kind) && route_to(w->m, v->environment, v->app))
            leave_out(w, v);
    }
}

static void write_controls(const struct making *w, struct json_out *o)
{
    const struct manifest_probe *p = &w->m->probe;
    const char *name = "";

    out_key(o, "controls");
    out_open(o, '[');
    for (size_t i = 0; i < p->n_control && i < AGENT_CONTROLS_MAX; i++)
        if (!holds_secret(w->redactor, p->control[i], &name))
            out_text(o, p->control[i]);
    out_close(o, ']');
}

void assignment_make(const struct manifest *m, const struct redactor *r, const struct targets *ts,
                     struct assignment *ret)
{
    struct buf rest = BUF_INIT(JSON_MAX);
    struct json_out o = {.b = &rest}, whole = {.b = &ret->json};
    struct making w = {.m = m, .redactor = r, .to = ret, .left_out = BUF_INIT(JSON_MAX)};
    uint8_t digest[SHA256_LEN];

    *ret = (struct assignment){.json = BUF_INIT(JSON_MAX)};
    ret->checks = arena_array(&ret->arena, AGENT_CHECKS_MAX, sizeof(*ret->checks));
    w.omissions.b = &w.left_out;
    w.checks.b = &rest;
    out_open(&w.omissions, '[');
    out_open(&o, '{');
    write_controls(&w, &o);
    out_key(&o, "checks");
    out_open(&o, '[');
    for (size_t i = 0; i < ts->n; i++)
        add_target(&w, &ts->items[i]);
    out_close(&o, ']');
    add_omissions(&w, ts);
    out_close(&w.omissions, ']');
    out_key(&o, "left_out");
    out_raw(&o, buf_str(&w.left_out), w.left_out.len);
    sha256(buf_str(&rest), rest.len, digest);
    hex_encode(digest, sizeof(digest) / 2, ret->version);
    /* The version goes in front of what it is of. */
    out_open(&whole, '{');
    out_text_of(&whole, "version", ret->version);
    buf_addc(&ret->json, ',');
    buf_add(&ret->json, buf_str(&rest) + 1, rest.len - 1);
    buf_addc(&ret->json, '}');
    buf_release(&w.left_out);
    buf_release(&rest);
}

const struct assigned_check *assignment_find(const struct assignment *a, int64_t series)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->checks[i].series == series)
            return &a->checks[i];
    return NULL;
}

void assignment_release(struct assignment *a)
{
    arena_release(&a->arena);
    buf_release(&a->json);
    *a = (struct assignment){0};
}
