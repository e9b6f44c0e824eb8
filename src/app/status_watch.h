#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a platform's public status page (provider/status_page.h) while an incident is about that
 * platform, and says what is there: at once, every three minutes for the first hour, every quarter
 * of an hour for the rest of a day, then no more. Nobody's page is read while all is well. The page
 * that does not answer in its own format is tried as its Atom feed. Addresses may be overridden by
 * a bases file (net/bases.h) as "status-netlify"; beside a simulator only pages that are.
 *
 * Life cycle: status_watch_new, status_watch_want as incidents come and go, status_watch_free,
 * which drops what is under way. One thread, the loop's.
 */
struct app;
struct status_watch;

struct status_watch_options {
    struct app *app; /* with net open */
    /* What the page says now, a line each; the same is said again each time. `evidence` is JSON.
     * Valid during the call. */
    void (*said)(const char *platform, const char *text, const char *evidence, void *arg);
    void *arg;
    int64_t every_ms; /* 0 = three minutes; for tests */
};
struct status_watch *status_watch_new(const struct status_watch_options *o);
/* A platform of which no page is known is fine, and so is saying the same twice. */
void status_watch_want(struct status_watch *w, const char *platform, bool wanted);
void status_watch_free(struct status_watch *w); /* NULL is fine */
