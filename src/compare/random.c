#include "compare/random.h"

#include <assert.h>
#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void random_seed(struct random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->state[i] = splitmix64(&seed);
}

static uint64_t rotate(uint64_t v, int bits)
{
    return (v << bits) | (v >> (64 - bits));
}

uint64_t random_bits(struct random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

double random_uniform(struct random *r)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

/* The product's high half; the bias of at most n / 2^32 is far below anything seen here. */
size_t random_below(struct random *r, size_t n)
{
    assert(n > 0 && n <= UINT32_MAX);
    return (size_t)(((random_bits(r) >> 32) * n) >> 32);
}

/* Polar method (Marsaglia & Bray 1964); the second value is not kept, so that there is no state. */
double random_normal(struct random *r)
{
    double x, y, square;
    do {
        x = 2 * random_uniform(r) - 1;
        y = 2 * random_uniform(r) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square <= 0);
    return x * sqrt(-2 * log(square) / square);
}

double random_exponential(struct random *r)
{
    return -log(1 - random_uniform(r));
}
