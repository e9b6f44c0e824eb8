#include "compare/paired.h"

#include "statistics/reference.h"
#include "test.h"

#include <math.h>

static void families_are_corrected_as_r_does_it(void)
{
    for (size_t i = 0; i < sizeof holm_reference / sizeof *holm_reference; i++) {
        double p[HOLM_N];
        memcpy(p, holm_reference[i].p, sizeof p);
        holm_adjust(p, HOLM_N);
        for (int k = 0; k < HOLM_N; k++)
            CHECK(fabs(p[k] - holm_reference[i].adjusted[k]) < 1e-12);
    }
}

static void what_is_not_known_is_no_test(void)
{
    double p[] = {0.02, (double)NAN, 0.01};
    holm_adjust(p, 3);
    CHECK(p[0] == 0.02 && isnan(p[1]) && p[2] == 0.02);
    holm_adjust(p, 0);
    double none[] = {(double)NAN};
    holm_adjust(none, 1);
    CHECK(isnan(none[0]));
}

int main(void)
{
    families_are_corrected_as_r_does_it();
    what_is_not_known_is_no_test();
    return DONE();
}
