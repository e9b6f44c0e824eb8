#include "compare/paired.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static int by_p(const void *a, const void *b)
{
    double x = **(double *const *)a, y = **(double *const *)b;
    return (x > y) - (x < y);
}

void holm_adjust(double *p, size_t n)
{
    double **order = mem_array(n + 1, sizeof *order);
    size_t tests = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            order[tests++] = &p[i];
    if (tests > 0)
        qsort(order, tests, sizeof *order, by_p);
    double largest = 0; /* an adjusted p is never below that of a smaller one */
    for (size_t i = 0; i < tests; i++) {
        largest = fmax(largest, fmin(1, (double)(tests - i) * *order[i]));
        *order[i] = largest;
    }
    free(order);
}
