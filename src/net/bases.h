#pragma once

#include "base/err.h"

#include <stddef.h>

/*
 * Where each platform's API is reached. Every platform has its public base built in; a bases file
 * (trine --bases FILE, TRINE_BASES) overrides any of them, for a proxy, a recorder or a rehearsal:
 *
 *     {"bases": {"netlify": "http://127.0.0.1:8001/api/v1", ...}, "clock_rate": 100}
 *
 * The simulator's file also says where it is told to fail: "control": "http://127.0.0.1:8000".
 *
 * clock_rate says how many seconds pass at those platforms in one of ours (default 1): rate
 * windows, Retry-After and polling intervals are divided by it. Unknown keys are ignored.
 */
struct bases;

int bases_load(const char *path, struct bases **ret, struct err *e);
/* The same for text that is here already; `name` stands for it in errors. */
int bases_read(const char *name, const char *text, size_t len, struct bases **ret, struct err *e);
struct bases *bases_empty(void);
void bases_free(struct bases *b); /* NULL is fine */

/* The override for a platform, or `otherwise`. Borrowed; without trailing slash. */
const char *bases_get(const struct bases *b, const char *platform, const char *otherwise);
/* The simulator's control API, without trailing slash; NULL: these are real platforms. Borrowed. */
const char *bases_control(const struct bases *b);
double bases_clock_rate(const struct bases *b); /* 1 .. 100000 */
