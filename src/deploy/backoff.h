#pragma once

#include <stdint.h>

/*
 * Waiting times between tries of one request: exponential with full jitter (M. Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that 45 deployments that
 * failed together do not come back together. Pure; the random state is the caller's.
 */
enum { BACKOFF_FIRST_MS = 400, BACKOFF_LONGEST_MS = 30000 };

/* Wait before try number `tries` + 1 (tries >= 1), in milliseconds: uniform in
 * [first/4, min(longest, first * 2^(tries-1))]. */
int64_t backoff_ms(unsigned tries, uint64_t *random_state);

/* xorshift64* step (S. Vigna, 2016); seeds that are 0 are replaced. */
uint64_t backoff_random(uint64_t *state);
