#include "rollout.h"

#include "rest.h"

#include <string.h>

static const struct rollout_plan *plan_find(const struct rollout_rules *rules, const char *name)
{
    for (const struct rollout_plan *p = rules->plans; p->name; p++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

/* The account's list of ids that have phases before them, so that old deployments cost nothing. */
static json_t *moving_list(json_t *account)
{
    json_t *list = json_object_get(account, "moving");
    if (!list) {
        list = json_array();
        json_object_set_new(account, "moving", list);
    }
    return list;
}

static void moving_add(json_t *account, const char *id)
{
    json_t *list = moving_list(account);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), id) == 0)
            return;
    }
    json_array_append_new(list, json_string(id));
}

static void enter(const struct rollout_rules *rules, const struct rollout *from,
                  const struct rollout_plan *plan, size_t phase)
{
    struct rollout o = *from;
    json_t *own = sim_member(o.record, "sim");
    bool last = plan->phases[phase].ms == 0;
    o.status = plan->phases[phase].status;
    if (last)
        o.status = json_str(own, "outcome", o.status);
    json_object_set_new(own, "plan", json_string(plan->name));
    json_object_set_new(own, "phase", json_integer((json_int_t)phase));
    json_object_set_new(own, "since", json_integer(o.at_ms));
    json_object_set_new(own, "moving", json_boolean(!last));
    json_object_set_new(o.record, "status", json_string(o.status));
    if (rules->entered)
        rules->entered(&o);
}

void rollout_start(const struct rollout_rules *rules, struct rollout o, const char *plan)
{
    const struct rollout_plan *p = plan_find(rules, plan);
    if (!p)
        return;
    if (json_object_get(json_object_get(o.record, "sim"), "plan"))
        json_object_del(json_object_get(o.record, "sim"), "outcome"); /* it was the old plan's */
    moving_add(o.account, json_str(o.record, "id", ""));
    enter(rules, &o, p, 0);
}

void rollout_set_outcome(json_t *record, const char *status)
{
    if (status && *status)
        json_object_set_new(sim_member(record, "sim"), "outcome", json_string(status));
}

bool rollout_moving(const json_t *record)
{
    return json_flag(record, "sim.moving", false);
}

/* Moves one record through all phases that are over by now. */
static void advance_record(const struct rollout_rules *rules, struct rollout *o, int64_t now_ms)
{
    while (rollout_moving(o->record)) {
        const struct rollout_plan *plan = plan_find(rules, json_str(o->record, "sim.plan", ""));
        size_t phase = (size_t)json_int(o->record, "sim.phase", 0);
        if (!plan || phase + 1 >= sizeof plan->phases / sizeof plan->phases[0])
            return;
        o->at_ms = json_int(o->record, "sim.since", 0) + plan->phases[phase].ms;
        if (o->at_ms > now_ms)
            return;
        enter(rules, o, plan, phase + 1);
    }
}

static bool advance_account(const struct rollout_rules *rules, struct rollout *o, int64_t now_ms)
{
    json_t *list = moving_list(o->account), *deployments = sim_member(o->account, "deployments");
    bool changed = false;
    /* Entering a status may start others, which are added behind. */
    for (size_t i = 0; i < json_array_size(list);) {
        o->record = json_object_get(deployments, json_string_value(json_array_get(list, i)));
        int64_t before = json_int(o->record, "sim.phase", -1);
        if (o->record)
            advance_record(rules, o, now_ms);
        changed |= before != json_int(o->record, "sim.phase", -1);
        if (o->record && rollout_moving(o->record))
            i++;
        else
            json_array_remove(list, i);
    }
    return changed;
}

void rollout_advance(const struct rollout_rules *rules, struct sim *s, const struct sim_platform *p,
                     int64_t now_ms)
{
    json_t *accounts = sim_member(sim_state(s, p), "accounts"), *account;
    const char *name;
    bool changed = false;
    json_object_foreach(accounts, name, account)
    {
        struct rollout o = {.sim = s, .platform = p, .account = account};
        changed |= advance_account(rules, &o, now_ms);
    }
    if (changed)
        sim_changed(s);
}
