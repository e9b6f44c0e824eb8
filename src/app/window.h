#pragma once

#include "app/app.h"

struct comparison;

/*
 * The comparison of a time window from what the store has: --from and --until read, the stored
 * samples of the chosen environments fed through. Shared by compare and report. *ret is freed with
 * comparison_free. ERR_NO when the window holds no sample.
 */
int window_comparison(struct app *a, struct comparison **ret, struct err *e);
