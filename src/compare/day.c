#include "compare/day.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define DAY_SECONDS 86400.0
#define RHYTHM 0.2      /* up and down over the day */
#define SLOW_A_DAY 10.0 /* shared slow stretches */
#define SLOW_SECONDS 180.0
#define FAILURE 0.002    /* of single requests */
#define BURSTS_A_DAY 0.5 /* of one environment's failures */
#define BURST_SECONDS 150.0
#define BURST_FAILURE 0.5 /* share of the requests in a burst */

const struct day_model day_default = {
    .hours = 24,
    .tick_s = 30,
    .block_s = 300,
    .noise = 0.1,
    .noise_minutes = 10,
    .slower = 1,
};

/* Comes at random, `a_day` times a day, and lasts. */
struct event {
    double left_s; /* until it ends; 0 = it is not on */
    double size;
};

static void step_event(struct event *e, double a_day, double lasts_s, double tick_s,
                       struct random *random)
{
    e->left_s = fmax(0, e->left_s - tick_s);
    if (random_uniform(random) >= a_day * tick_s / DAY_SECONDS)
        return;
    e->left_s = lasts_s * random_exponential(random);
    e->size = 2 + 2 * random_uniform(random);
}

struct environment {
    double level; /* logarithm of its own slowness */
    struct event burst;
    double slower;
};

/* What both see at one moment: a factor. */
static double shared_slowness(const struct event *slow, double at_s, double phase)
{
    double rhythm = 1 + RHYTHM * sin(2 * M_PI * (at_s / DAY_SECONDS + phase));
    return rhythm * (slow->left_s > 0 ? slow->size : 1);
}

static void request(const struct day_model *m, struct environment *v, double shared,
                    struct random *random, struct paired_side *side, struct sketch *times)
{
    double stays = exp(-m->tick_s / (60 * m->noise_minutes));
    v->level = stays * v->level + m->noise * sqrt(1 - stays * stays) * random_normal(random);
    step_event(&v->burst, BURSTS_A_DAY, BURST_SECONDS, m->tick_s, random);
    if (random_uniform(random) < (v->burst.left_s > 0 ? BURST_FAILURE : FAILURE)) {
        side->bad++;
        return;
    }
    side->good++;
    double us = 1000 * DAY_MEDIAN_MS * shared * v->slower;
    sketch_add(times, (int64_t)(us * exp(v->level + DAY_SIGMA * random_normal(random))));
}

void day_simulate(const struct day_model *m, struct random *random, struct day *ret)
{
    size_t ticks = (size_t)(m->hours * 3600 / m->tick_s);
    size_t a_block = (size_t)(m->block_s / m->tick_s);
    ret->n_blocks = (ticks + a_block - 1) / a_block;
    ret->blocks = mem_array(ret->n_blocks + 1, sizeof *ret->blocks);
    ret->times = mem_array(2 * ret->n_blocks + 1, sizeof *ret->times);
    struct environment a = {.level = m->noise * random_normal(random), .slower = 1};
    struct environment b = {.level = m->noise * random_normal(random), .slower = m->slower};
    struct event slow = {0};
    double phase = random_uniform(random);
    for (size_t tick = 0; tick < ticks; tick++) {
        size_t i = tick / a_block;
        struct paired_block *block = &ret->blocks[i];
        block->a.times = &ret->times[2 * i];
        block->b.times = &ret->times[2 * i + 1];
        step_event(&slow, SLOW_A_DAY, SLOW_SECONDS, m->tick_s, random);
        double shared = shared_slowness(&slow, (double)tick * m->tick_s, phase);
        request(m, &a, shared, random, &block->a, &ret->times[2 * i]);
        request(m, &b, shared, random, &block->b, &ret->times[2 * i + 1]);
    }
}

void day_release(struct day *d)
{
    for (size_t i = 0; i < 2 * d->n_blocks; i++)
        sketch_release(&d->times[i]);
    free(d->times);
    free(d->blocks);
    *d = (struct day){0};
}
