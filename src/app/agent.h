#pragma once

#include "app/agent_message.h"
#include "app/app.h"
#include "base/buf.h"
#include "net/http.h"
#include "probe/schedule.h"

/*
 * The parts of `trine agent`, shared by its files; nobody else includes it. cmd_agent.c: the
 * command line and the life; agent_probe.c: what it measures; agent_link.c: what it tells the
 * server, and what the server answers. One thread, the loop's.
 */
struct agent_spool;
struct timer;

/* One assignment with its schedule. The last one runs, earlier ones end what they began. */
struct agent_round {
    struct agent_round *next;
    struct agent *agent;
    struct schedule *schedule;
    struct agent_assignment assignment;
    char (*reasons)[AGENT_REASON_MAX + 1]; /* of each target: why it is not well */
    bool over;
};

enum agent_topic { TOPIC_LINK, TOPIC_TOKEN, TOPIC_CLOCK, TOPIC_BUFFER, AGENT_TOPICS };

struct agent {
    struct app *app;
    const char *server, *name, *token; /* server: without a slash at its end */
    const char *const *controls;       /* of its own; none: the server's */
    size_t n_controls;
    char boot[33];
    struct agent_spool *spool;
    char *assignment_path;
    struct timer *turn, *seal;
    struct err *end; /* why it must end; filled by whoever stops the loop */
    bool failed;

    /* Measuring */
    struct agent_round *rounds; /* newest first */
    int64_t anchor_us;
    struct sample samples[AGENT_SAMPLES_MAX]; /* not in a batch yet */
    size_t n_samples;
    int64_t sequence;     /* of the last batch */
    int64_t wall_at_zero; /* wall clock at the monotonic one's zero, to see it stepped */
    bool blind;

    /* Talking */
    struct http_request request; /* under way */
    struct buf body;
    bool asking, urgent;
    bool worked;   /* the server took our token in this run */
    bool told;     /* the present assignment came from the server in this run */
    bool stale;    /* the server has a newer assignment */
    int failures;  /* in a row */
    uint64_t sent; /* number of the batch under way in the spool; 0 = none */
    int64_t next_ms, refused;
    int64_t said_ms[AGENT_TOPICS]; /* monotonic; 0 = never, or it is over */
};

/* One line on stderr, at most once a minute a topic. */
void agent_say(struct agent *g, enum agent_topic topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void agent_stop(struct agent *g); /* from a callback */

/* agent_probe.c */
/* Takes over the assignment; the old one's probes end by themselves. */
void agent_probe_begin(struct agent *g, struct agent_assignment *a);
void agent_probe_order(struct agent *g, const struct agent_order *o);
/* The votes of now, in the arena. */
size_t agent_probe_votes(const struct agent *g, struct arena *a, struct agent_vote **ret);
bool agent_probe_doubts(const struct agent *g); /* something is suspect */
void agent_probe_seal(struct agent *g);         /* samples become a batch in the spool */
void agent_probe_end(struct agent *g);

/* agent_link.c */
void agent_link_turn(void *agent);      /* a timer_fn: asks or reports, unless that is under way */
void agent_link_hurry(struct agent *g); /* something has changed: report soon */
