#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Faults and slowness as data. faults.c holds the rules that were set (a JSON array, see
 * docs of --faults in main.c's usage) and says which one hits a request; latency.c draws delays for
 * the deployed sites. Both are deterministic for a seed and an order of requests. One thread.
 */
struct faults;
struct latency;

enum fault_kind {
    FAULT_NONE,
    FAULT_STATUS,         /* the platform's own error of that status */
    FAULT_CLOSE_BEFORE,   /* connection closed, request not executed */
    FAULT_CLOSE_AFTER,    /* executed, the answer is lost */
    FAULT_STALL,          /* executed, no byte ever comes */
    FAULT_GARBAGE,        /* executed, the answer's body is nonsense */
    FAULT_TRUNCATE,       /* half of the body, then the connection closes */
    FAULT_ENDLESS,        /* a body without end */
    FAULT_SLOW_BODY,      /* `number` bytes a second */
    FAULT_EXPIRED,        /* as if the credential were no longer valid */
    FAULT_UNKNOWN_STATUS, /* state words replaced by `word` */
    FAULT_FORBID_ORIGIN,  /* deployed services: CORS does not allow origins like the glob `word` */
};

struct fault_choice {
    enum fault_kind kind;
    int64_t delay_ms; /* real; before the request is looked at */
    int64_t
        number; /* status; bytes a second; stall: real ms until the connection closes, 0 = never */
    int64_t retry_after_s; /* with a status; simulated seconds, -1 = not given */
    char word[128];
};

/* What a request looks like to the rules. path and full_path: behind the base and as sent. */
struct fault_view {
    const char *platform, *method, *path, *full_path, *host;
    bool short_lived;
};

struct faults *faults_new(void);
void faults_free(struct faults *f); /* NULL is fine */

/* Replaces all rules; ERR_USAGE names the rule and the member that is wrong, and nothing changes.
 */
int faults_set(struct faults *f, const json_t *rules, struct err *e);
const json_t *faults_rules(const struct faults *f); /* as they were set; borrowed */
void faults_choose(struct faults *f, const struct fault_view *v, struct fault_choice *ret);

struct latency *latency_new(void);
void latency_free(struct latency *l); /* NULL is fine */
/* {"hosts": [{"host": glob, "median_ms", "p95_ms", "error_rate", "cold_ms"}], "seed"} */
int latency_set(struct latency *l, const json_t *profile, struct err *e);

struct latency_draw {
    int64_t delay_ms; /* real */
    int64_t cold_ms;  /* -1 = the profile says nothing */
    bool error;       /* answer 503 */
};
void latency_draw(struct latency *l, const char *host, struct latency_draw *ret);
