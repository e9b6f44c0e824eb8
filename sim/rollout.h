#pragma once

#include "sim.h"

/*
 * How a simulated deployment gets on: through the phases of a plan, each for so long in simulated
 * time. A platform names its plans in a table; each of its deployments (a record in the account's
 * table "deployments", with the member "status") follows one of them.
 *
 * rollout_start .. rollout_advance as often as the core says. The times are kept in the record, so
 * a simulator that was stopped goes on where it was.
 */
struct rollout_phase {
    const char *status; /* the platform's word */
    int64_t ms;         /* simulated; 0 = stays here */
};

struct rollout_plan {
    const char *name; /* NULL ends a table */
    struct rollout_phase phases[8];
};

/* One deployment that has just reached a status. */
struct rollout {
    struct sim *sim;
    const struct sim_platform *platform;
    json_t *account; /* the platform's state for one account */
    json_t *record;
    const char *status;
    int64_t at_ms; /* when it reached it; may be before now */
};
typedef void rollout_entered_fn(const struct rollout *o);

struct rollout_rules {
    const struct rollout_plan *plans;
    rollout_entered_fn *entered; /* called for each status, the first included; may start others */
};

/* Puts a record on the first phase of a plan. A record under way changes over to the new plan. */
void rollout_start(const struct rollout_rules *rules, struct rollout o, const char *plan);

/* Says that the plan's last phase is to be another status: how a test asks for a failed build.
 * Before rollout_start;
 * NULL and "" are ignored. */
void rollout_set_outcome(json_t *record, const char *status);

/* Moves every deployment of every account on. */
void rollout_advance(const struct rollout_rules *rules, struct sim *s, const struct sim_platform *p,
                     int64_t now_ms);

/* True while the record has phases before it. */
bool rollout_moving(const json_t *record);
