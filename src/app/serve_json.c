#include "app/serve.h"

#include "app/json_out.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum sample_outcome o)
{
    switch (o) {
    case SAMPLE_OK:
        return "ok";
    case SAMPLE_SLOW:
        return "slow";
    case SAMPLE_FAILED:
        return "failed";
    case SAMPLE_INCONCLUSIVE:
        return "inconclusive";
    case SAMPLE_MISSED:
        return "missed";
    }
    return "";
}

/* Of two, the one that needs the eye; unknown only when nothing is known at all. */
enum health_state worse(enum health_state a, enum health_state b)
{
    static const int rank[] = {[HEALTH_UNKNOWN] = 0,
                               [HEALTH_UP] = 1,
                               [HEALTH_INCONCLUSIVE] = 2,
                               [HEALTH_SUSPECT] = 3,
                               [HEALTH_DOWN] = 4};
    return rank[a] > rank[b] ? a : b;
}

void json_sample(struct json_out *o, const struct sample *v)
{
    out_open(o, '[');
    out_int(o, v->series);
    out_int(o, v->at_ms);
    out_text(o, outcome_name(v->outcome));
    out_text(o, v->class_ == SAMPLE_COLD ? "cold" : "warm");
    out_flag(o, v->extra);
    if (v->status > 0)
        out_int(o, v->status);
    else
        out_null(o);
    out_us(o, v->late_us);
    out_us(o, v->lookup_us);
    out_us(o, v->connect_us);
    out_us(o, v->tls_us);
    out_us(o, v->first_byte_us);
    out_us(o, v->total_us);
    out_close(o, ']');
}

static void put_state(struct json_out *o, const struct watch *w, const struct watch_check *c)
{
    out_text_of(o, "state", health_state_name(health_shown(&c->health)));
    out_time_of(o, "since", c->health.since_ms);
    out_text_of(o, "reason", c->reason);
    out_key(o, "asleep");
    enum awake awake = c->sleeps ? watch_awake(w, c) : AWAKE_YES;
    if (awake == AWAKE_UNKNOWN)
        out_null(o);
    else
        out_flag(o, awake == AWAKE_NO);
}

void json_check(struct json_out *o, const struct watch *w, const struct watch_check *c)
{
    out_open(o, '{');
    out_int_of(o, "id", c->series);
    out_text_of(o, "environment", c->environment);
    out_text_of(o, "app", c->app);
    out_text_of(o, "instance", c->instance);
    out_text_of(o, "check", c->check);
    out_text_of(o, "kind", check_kind_name(c->kind));
    out_int_of(o, "every_ms", c->every_ms);
    out_int_of(o, "timeout_ms", c->timeout_ms);
    out_key(o, "slow_ms");
    if (c->slow_ms > 0)
        out_int(o, c->slow_ms);
    else
        out_null(o);
    put_state(o, w, c);
    out_text_of(o, "detail", c->detail);
    out_time_of(o, "valid_until", c->valid_until_ms);
    out_key(o, "last");
    if (c->measured)
        json_sample(o, &c->last);
    else
        out_null(o);
    out_close(o, '}');
}

void json_check_change(struct json_out *o, const struct watch *w, const struct watch_check *c)
{
    out_open(o, '{');
    out_int_of(o, "id", c->series);
    put_state(o, w, c);
    out_close(o, '}');
}

void json_outage(struct json_out *o, const struct watch_outage *i)
{
    const struct outage *v = &i->outage;

    out_open(o, '{');
    out_int_of(o, "id", v->id);
    out_text_of(o, "kind", outage_kind_name(v->kind));
    out_key(o, "check");
    if (v->kind == OUTAGE_DOWN)
        out_int(o, v->series);
    else
        out_null(o);
    out_text_of(o, "environment", i->environment);
    out_text_of(o, "app", i->app);
    out_text_of(o, "instance", i->instance);
    out_text_of(o, "name", i->check);
    out_time_of(o, "from", v->from_ms);
    out_time_of(o, "until", v->until_ms);
    out_time_of(o, "noticed_at", v->noticed_ms);
    out_time_of(o, "acknowledged_at", v->acknowledged_ms);
    out_text_of(o, "reason", v->reason ? v->reason : "");
    out_close(o, '}');
}

/* The worst state of the checks of one deployment; false when it has none. */
static bool health_of(const struct serve *s, const struct live_row *r, enum health_state *ret)
{
    size_t n;
    const struct watch_check *const *checks = watch_checks(s->watch, &n);
    bool any = false;

    *ret = HEALTH_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        const struct watch_check *c = checks[i];
        if (!c->present || strcmp(c->environment, r->environment) != 0 ||
            strcmp(c->app, r->app) != 0 || strcmp(c->instance, r->instance) != 0)
            continue;
        any = true;
        *ret = worse(*ret, health_shown(&c->health));
    }
    return any;
}

void json_deployment(struct json_out *o, const struct serve *s, const struct live_row *r)
{
    enum health_state health;

    out_open(o, '{');
    out_text_of(o, "environment", r->environment);
    out_text_of(o, "app", r->app);
    out_text_of(o, "instance", r->instance);
    out_text_of(o, "platform", r->platform);
    out_text_of(o, "state", r->state);
    out_text_of(o, "commit", r->commit[0] ? r->commit : NULL);
    out_key(o, "release");
    if (r->release > 0)
        out_int(o, r->release);
    else
        out_null(o);
    out_text_of(o, "url", r->url[0] ? r->url : NULL);
    out_time_of(o, "live_at", r->live_at);
    out_key(o, "live_ms");
    if (r->live_at > 0 && r->committed_at > 0)
        out_int(o, r->live_at - r->committed_at);
    else
        out_null(o);
    out_text_of(o, "error", r->error[0] ? r->error : NULL);
    out_text_of(o, "health", health_of(s, r, &health) ? health_state_name(health) : NULL);
    out_close(o, '}');
}

void serve_redact(const struct serve *s, struct buf *json)
{
    redact_buf(s->app->redactor, json);
}
