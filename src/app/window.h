#pragma once

#include "app/app.h"

/* Rounds of the self-test on stored data: what they add to the rate's range is under 2 points. */
enum { WINDOW_SELF_TEST_ROUNDS = 200 };

struct comparison;

/* --from and --until, resolved; without --from the window is so long. */
int window_times(const struct app *a, int64_t span_ms, int64_t *ret_from, int64_t *ret_until,
                 struct err *e);

/*
 * The comparison of a time window from what the store has: --from and --until read, the stored
 * samples of the chosen environments fed through, and those of the window before it of the same
 * length. Up to 6 hours come from single samples, longer windows from history's cells. Shared by
 * compare, report and serve. *ret is freed with comparison_free. ERR_NO when the window holds no
 * sample.
 */
int window_comparison(struct app *a, struct comparison **ret, struct err *e);
/* The same with so many rounds of the self-test on each environment. */
int window_self_test(struct app *a, unsigned rounds, struct comparison **ret, struct err *e);
