#pragma once

#include "provider/allowance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What checking costs, and how often it may be done for that. Pure: intervals in, a month's
 * requests, bytes, commands and awake hours out, and the share that they take of the platform's
 * free allowance (provider/allowance.h, overridden by the manifest's `limits`).
 *
 * A request to a service that sleeps after so long keeps it awake for that long; hours in which it
 * is awake anyway (keep_awake, other checks, users) cost nothing more. A service that never sleeps
 * runs the whole month whoever asks. Where nobody can know (how long users keep it awake) the price
 * is the most that it can be.
 */

/* Checks that let a service fall asleep run on for a twentieth of its sleep time after the last
 * request of somebody else: each of its waking times gets at most a twentieth longer, and so do its
 * hours of the month. */
enum { CHECKING_TAIL = 20 };

enum {
    CHECKING_BYTES = 600,      /* what a platform sends for a short answer, with its headers */
    CHECKING_TUNED_MS = 200,   /* the interval of "HAProxy tuned hard", for comparison */
    CHECKING_CONFIRM_MS = 500, /* between the looks that confirm a first failure */
    CHECKING_ANSWER_MS = 500,  /* what the last of these may take */
};

struct checking { /* by one check, of one service in one environment */
    const char *platform;
    unsigned hosts;         /* bits of enum hosting: what kind of thing is asked; 0 = not said */
    unsigned service;       /* checks of the same one keep it awake together */
    int64_t every_ms;       /* 0 = never */
    int64_t request_bytes;  /* sent by the platform for one; 0 = CHECKING_BYTES, < 0 = none */
    int64_t sleep_after_ms; /* 0 = never sleeps */
    double awake_anyway;    /* share of the month, 0..1, in which it is known to be awake */
    bool stops_when_asleep; /* checks pause while nobody else keeps it awake */
    bool paid;              /* not on the free plan: only the manifest's own limits count */
    bool no_request;        /* meets the platform's edge alone: neither counted nor waking */
    double commands;        /* of a cache, a look */
};

struct checking_price {
    double requests, bytes, commands, awake_hours; /* a month; awake_hours: beyond awake_anyway */
    struct allowance_share worst; /* the allowance of which it takes the largest share */
};
void checking_price(const struct allowances *a, const struct checking *c,
                    struct checking_price *ret);
/* All of them on one platform (of the first); n > 0. */
void checking_price_all(const struct allowances *a, const struct checking *list, size_t n,
                        struct checking_price *ret);
/* The same looks at CHECKING_TUNED_MS, day and night. */
void checking_price_tuned(const struct allowances *a, const struct checking *c,
                          struct checking_price *ret);

/* The longest interval at which a failure is found within detect_ms: the first look that meets it
 * comes an interval later at most, down_after - 1 more confirm it. At least CHECKING_CONFIRM_MS. */
int64_t checking_interval(int64_t detect_ms, int down_after);

/* The shortest interval, not under least_ms, whose price stays within `budget` (0.1 = a tenth of
 * each allowance), and whether checks must stop while nobody else keeps the service awake. 0: none
 * of up to a day fits. every_ms and stops_when_asleep of c do not count. */
int64_t checking_pace(const struct allowances *a, const struct checking *c, double budget,
                      int64_t least_ms, bool *ret_stops_when_asleep);
