#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Seeded random numbers for resampling and simulation: xoshiro256** (Blackman & Vigna 2021,
 * "Scrambled linear pseudorandom number generators"), filled from the seed by splitmix64. The same
 * seed gives the same numbers on every machine. Never for secrets.
 */
struct random {
    uint64_t state[4];
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_bits(struct random *r);
double random_uniform(struct random *r);         /* [0, 1) */
size_t random_below(struct random *r, size_t n); /* 0 .. n - 1, n > 0 */
double random_normal(struct random *r);          /* mean 0, deviation 1 */
double random_exponential(struct random *r);     /* mean 1 */
