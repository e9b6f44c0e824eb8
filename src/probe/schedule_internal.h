#pragma once

#include "probe/agenda.h"
#include "probe/classify.h"
#include "probe/schedule.h"
#include "probe/slots.h"

/*
 * The schedule's parts, shared by its files: schedule.c (life, turns), schedule_tick.c (what
 * becomes of a slot), schedule_run.c (one probe from its beginning to its result) and
 * schedule_pace.c (probes beside the clock). Only inside probe/.
 */

enum agenda_rank { RANK_DEADLINE, RANK_ASK, RANK_TICK, RANK_FAST, RANK_PACE, RANK_UPLINK };

/* An app instance in an environment: what sleeps and wakes as one. */
struct service {
    struct instant last; /* the last request to it */
    bool last_known;
    struct instant others; /* the last that was no paced probe: users', a slot's, a person's */
    bool others_known;
    bool kept_awake;    /* once it is awake: a check's slots come more often than it falls asleep */
    struct run *waking; /* a cold probe under way */
    enum awake told;    /* by its platform */
    int64_t told_us, asked_us;
    int64_t cold_us; /* the last cold start that was begun; INT64_MIN / 2 = never */
};

struct probe_pace {
    int64_t every_us;  /* 0: none */
    int64_t until_us;  /* INT64_MAX: no end */
    bool lets_sleep;   /* stops while nobody else asks */
    int64_t looked_us; /* when a probe last began, or live traffic was last answered */
    bool wake;         /* the next one is to wake it */
    struct agenda_entry entry;
};

struct probe { /* one target */
    struct schedule *schedule;
    const struct target *target;
    struct service *service;
    struct run *runs;   /* in the order of their slots; the first is told first */
    unsigned under_way; /* of the clock's slots */
    int64_t newest_us;  /* when the newest probe that moved the health began */
    struct health health;
    char *why;                /* the reason of the first bad sample; NULL while up */
    struct agenda_entry fast; /* the next extra probe */
    struct probe_pace pace;
    int64_t usual_us;  /* what good answers take; 0 = nobody knows */
    int64_t served_us; /* the last slot that was served */
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
    bool paced;
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
struct probe *probe_of(const struct schedule *s, int64_t series); /* NULL: none */
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
    int64_t within_us; /* 0 = as long as the check allows */
    enum sample_class class_;
    bool extra;
    bool paced; /* such a request keeps nobody's service awake on purpose */
};
void probe_start(struct probe *p, const struct probe_begin *how);
void probe_extra(void *arg); /* of a struct probe: an extra one now, unless one is under way */
/* Drops all probes of p without a result. */
void probe_drop(struct probe *p);
/* on_purpose: because it is known to be down. */
void probe_tell_missed(struct probe *p, int64_t at_ms, int64_t covers_ms, const char *reason,
                       bool on_purpose);

/* schedule_pace.c */
void pace_due(void *arg); /* of a struct probe */
/* took_us: from its real start */
void pace_note_usual(struct probe *p, const struct sample *v, int64_t took_us);
void pace_inherit(struct probe *p, const struct probe *was);
