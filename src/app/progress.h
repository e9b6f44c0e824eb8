#pragma once

#include "app/app.h"

/*
 * What a person sees while something long goes on, on standard error. On a terminal one line at the
 * bottom is drawn again and again (a bar, counts, what is happening), with finished things above
 * it; otherwise one plain line each finished thing. Nothing with -q. One thread.
 */
struct progress;

/* `total` 0: nobody knows how much it will be, so there is no bar. */
struct progress *progress_new(const struct app *a, const char *what, size_t total);
void progress_free(struct progress *p); /* takes the bar away; NULL is fine */

/* One more is done, well or not; the line stays on the screen: `word` ("live", "FAILED") in its
 * colour, what it is about, how long it took, and `more`. On a terminal a good one is cut to one
 * line; of a bad one nothing is cut. */
struct progress_item {
    bool good;
    const char *word, *name;
    double seconds; /* below 0 = not known */
    const char *more;
};
void progress_done(struct progress *p, const struct progress_item *item);
/* What is happening now; only in the bar, and at most ten times a second. */
void progress_now(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line that stays. */
void progress_line(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
