#include "deploy/backoff.h"

uint64_t backoff_random(uint64_t *state)
{
    uint64_t x = *state ? *state : 0x9e3779b97f4a7c15u;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1du;
}

int64_t backoff_ms(unsigned tries, uint64_t *random_state)
{
    int64_t most = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < tries && most < BACKOFF_LONGEST_MS; i++)
        most *= 2;
    if (most > BACKOFF_LONGEST_MS)
        most = BACKOFF_LONGEST_MS;
    int64_t least = BACKOFF_FIRST_MS / 4;
    return least + (int64_t)(backoff_random(random_state) % (uint64_t)(most - least + 1));
}
