#pragma once

#include "compare/paired.h"
#include "compare/random.h"

/*
 * Two simulated environments that are probed in the same ticks: data with a known truth, on which
 * the comparison itself is tested (self_test.h). What real hosts do and statistics stumble over is
 * in it:
 * - times are log-normal (median DAY_MEDIAN_MS, sigma DAY_SIGMA), with a daily rhythm of a fifth up
 *   and down that both share;
 * - slow minutes that both share (the network between, our own uplink): ten a day, three minutes
 *   long on average, two to four times slower;
 * - noise of each environment alone, alike from tick to tick (autoregressive): that is what makes
 *   single samples, and single minutes, poor witnesses;
 * - failures: one in 500 alone, and bursts of a few minutes in which half of the requests fail.
 */
#define DAY_MEDIAN_MS 120.0
#define DAY_SIGMA 0.5

struct day_model {
    double hours;         /* length of the window */
    double tick_s;        /* one request a tick to each environment; 30 */
    double block_s;       /* length of a block; 300 */
    double noise;         /* deviation of an environment's own level, a share of the time; 0.1 */
    double noise_minutes; /* how long a level lasts: its correlation is 1/e after this; 10 */
    double slower;        /* B's times are this much those of A; 1 = alike */
};
extern const struct day_model day_default; /* a day of an environment against itself */

struct day {
    struct paired_block *blocks;
    size_t n_blocks;
    struct sketch *times; /* behind them */
};

void day_simulate(const struct day_model *m, struct random *random, struct day *ret);
void day_release(struct day *d);
