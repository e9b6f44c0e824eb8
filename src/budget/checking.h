#pragma once

#include "manifest/manifest.h"
#include "provider/allowance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What checking costs, and how often it may be done for that. Pure: intervals in, a month's
 * requests, bytes, commands and awake hours out, each as a share of the platform's free allowance
 * (provider/allowance.h, overridden by the manifest's `limits`). A request to a service that sleeps
 * after so long keeps it awake for that long; hours in which it is awake anyway (users' traffic,
 * keep_awake) cost nothing more.
 */
enum { MONTH_HOURS = 730 };

/* Checks that let a service fall asleep run on for a tenth of its sleep time after the last request
 * of somebody else: so they make each of its waking times at most a tenth longer. */
enum { CHECKING_TAIL = 10 };

struct checking { /* of one service in one environment */
    const char *platform;
    int64_t every_ms;       /* requests of checking; 0 = none */
    int64_t request_bytes;  /* both ways, headers included; 0 = 800 */
    int64_t sleep_after_ms; /* 0 = never sleeps */
    double awake_anyway;    /* share of the month, 0..1 */
    bool stops_when_asleep; /* checks pause while nobody else keeps it awake */
    double commands;        /* of a store, a request */
};

struct checking_price {
    double requests, bytes, commands, awake_hours; /* a month; awake_hours: beyond awake_anyway */
    struct allowance_share worst; /* the allowance of which it takes the largest share */
};
void checking_price(const struct allowances *a, const struct checking *c,
                    struct checking_price *ret);

/* The shortest interval, not under least_ms, whose price stays within `budget` (0.1 = a tenth of
 * each allowance), and whether checks must stop while it is idle. 0: none fits. */
int64_t checking_pace(const struct allowances *a, const struct checking *c, double budget,
                      int64_t least_ms, bool *ret_stops_when_asleep);
