#include "compare/paired.h"

#include "base/mem.h"
#include "compare/random.h"
#include "compare/stretch.h"

#include <stdlib.h>

/*
 * In one dimension the energy distance is twice the area between the two distribution functions,
 * squared (Szekely & Rizzo 2013, section 3), and a sketch's buckets are equally wide on the
 * logarithmic scale: a sum over rows. Taken within each stretch first, so that what both sides
 * share in it cancels; the sum over rows of the squared sum over stretches is then the quadratic
 * form of the signs, which makes a swap as cheap as 30 x 30 products.
 */

/* Rows of A's minus B's distribution function, per stretch, weighted by the samples that the pair
 * has in common (harmonic). [row * n + stretch] */
static double *difference_rows(const struct stretches *s)
{
    double *rows = mem_array(s->n_edges * s->n, sizeof *rows);
    for (size_t row = 0; row < s->n_edges; row++) {
        const double *below = s->below + row * 2 * s->n;
        for (size_t i = 0; i < s->n; i++) {
            double n_a = s->count[i], n_b = s->count[s->n + i];
            double share = n_a * n_b / (n_a + n_b);
            rows[row * s->n + i] = share * (below[i] / n_a - below[s->n + i] / n_b);
        }
    }
    return rows;
}

static double *products(const double *rows, size_t n_rows, size_t n)
{
    double *product = mem_array(n * n, sizeof *product);
    for (size_t row = 0; row < n_rows; row++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                product[i * n + j] += rows[row * n + i] * rows[row * n + j];
    return product;
}

/* sum over i, j of sign i * sign j * product i j; bit i of `swaps` is a minus. */
static double distance(const double *product, size_t n, uint64_t swaps)
{
    double sign[PAIRED_STRETCHES], sum = 0;
    for (size_t i = 0; i < n; i++)
        sign[i] = swaps >> i & 1 ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < n; j++)
            row += sign[j] * product[i * n + j];
        sum += sign[i] * row;
    }
    return sum;
}

static double share_as_large(const double *product, size_t n, unsigned resamples, uint64_t seed)
{
    double seen = distance(product, n, 0) * (1 - 1e-9);
    uint64_t hits = 0;
    if (seen <= 0)
        return 1;
    if (n <= PAIRED_EXACT) {
        uint64_t all = UINT64_C(1) << (n - 1);
        for (uint64_t swaps = 0; swaps < all; swaps++)
            hits += distance(product, n, swaps) >= seen;
        return (double)hits / (double)all;
    }
    struct random random;
    random_seed(&random, seed);
    for (unsigned i = 0; i < resamples; i++)
        hits += distance(product, n, random_bits(&random)) >= seen;
    return ((double)hits + 1) / ((double)resamples + 1);
}

double paired_shape(const struct paired_block *blocks, size_t n, unsigned resamples, uint64_t seed)
{
    struct stretches s;
    stretches_init(&s, blocks, n, false);
    double p = 1;
    if (s.n >= 2) {
        double *rows = difference_rows(&s);
        double *product = products(rows, s.n_edges, s.n);
        p = share_as_large(product, s.n, resamples ? resamples : PAIRED_RESAMPLES, seed);
        free(product);
        free(rows);
    }
    stretches_release(&s);
    return p;
}
