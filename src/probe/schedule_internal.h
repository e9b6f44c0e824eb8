#pragma once

#include "probe/agenda.h"
#include "probe/classify.h"
#include "probe/schedule.h"
#include "probe/slots.h"

/*
 * The schedule's parts, shared by its files: schedule.c (life, turns), schedule_tick.c (what
 * becomes of a slot) and schedule_run.c (one probe from its beginning to its result). Only inside
 * probe/.
 */

enum agenda_rank { RANK_DEADLINE, RANK_ASK, RANK_TICK, RANK_FAST, RANK_UPLINK };

/* An app instance in an environment: what sleeps and wakes as one. */
struct service {
    struct instant last; /* the last request to it */
    bool last_known;
    struct run *waking; /* a cold probe under way */
    enum awake told;    /* by its platform */
    int64_t told_us, asked_us;
    int64_t cold_us; /* the last cold start that was begun; INT64_MIN / 2 = never */
};

struct probe { /* one target */
    struct schedule *schedule;
    const struct target *target;
    struct service *service;
    struct run *runs; /* in the order of their slots; the first is told first */
    unsigned under_way;
    struct health health;
    char *why;                /* the reason of the first bad sample; NULL while up */
    struct agenda_entry fast; /* the next extra probe */
    int64_t served_us;        /* the last slot that was served */
};

struct group {
    struct schedule *schedule;
    struct probe *probes; /* a slice of schedule->probes */
    size_t n;
    struct slots slots;
    struct agenda_entry tick;
    struct agenda_entry ask; /* its platforms, before the tick */
};

enum run_state { RUN_UNDER_WAY, RUN_WAITS_FOR_UPLINK, RUN_DONE };
struct run { /* one probe, from its beginning until its result was told */
    struct run *next;
    struct probe *probe;
    enum run_state state;
    struct check *check;
    struct agenda_entry deadline;
    int64_t intended_us, began_us;
    struct sample sample;
    struct verdict verdict;
    char detail[128];
    int64_t valid_until_ms;
};

struct schedule {
    const struct clock *clock;
    struct check_tools tools;
    struct schedule_options options;
    struct probe *probes;
    size_t n_probes;
    struct probe **by_series;
    struct service *services;
    struct group *groups;
    size_t n_groups;
    struct run *spare; /* runs to be used again */

    struct agenda agenda;
    struct agenda_entry control; /* the uplink's turn */
    struct uplink *uplink;       /* NULL without controls */
    struct alarm *alarm;         /* NULL without a loop */
    int64_t armed_us;            /* what the alarm is set to; INT64_MAX = it is not */
    bool turning, started, stopped, ended;

    size_t under_way, waiting;
    uint64_t sent, missed, extra;
    struct sketch lateness;
    int64_t second_us; /* begin of the stretch in which per_second is counted */
    uint64_t second_sent;
    double per_second;
};

/* schedule.c */
struct instant schedule_now(const struct schedule *s);
const struct check_ops *schedule_ops(const struct schedule *s, const struct target *t);
void schedule_arm(
    struct schedule *s); /* something may be due earlier than it was, or all is over */

/* schedule_tick.c */
enum { SCHEDULE_ASK_AHEAD_MS = 2000 };
/* Of a group: `arg`. */
void schedule_tick(void *arg);
void schedule_ask(void *arg);
void schedule_plan(struct group *g); /* its next tick, and the question before it */
/* What a probe that begins now would meet: what its platform said lately, else its idle time. */
enum sample_class probe_class(const struct probe *p, const struct instant *now);

/* schedule_run.c */
struct probe_begin {
    int64_t intended_us, at_ms;
    enum sample_class class_;
    bool extra;
};
void probe_start(struct probe *p, const struct probe_begin *how);
void probe_extra(void *arg); /* of a struct probe: an extra one now, unless one is under way */
/* Drops all probes of p without a result. */
void probe_drop(struct probe *p);
void probe_tell_missed(struct probe *p, int64_t at_ms, int64_t covers_ms, const char *reason);
