#pragma once

#include "manifest/manifest.h"

/*
 * Collects the problems of one file while it is read, in whatever order they are found, and hands
 * them out in file order. problem_list_init .. problem_list_finish. Bounded: a hostile file cannot
 * make it grow, what comes after the bound is only counted. One thread.
 */
struct problem {
    struct place place;
    size_t found; /* keeps the order of problems at one place */
    const char *line;
};
struct problem_list {
    struct arena arena;
    const char *file;
    struct problem *items;
    size_t n, more;
};

enum { PROBLEMS_KEPT = 200, PROBLEMS_COLLECTED = 2000 };

void problem_list_init(struct problem_list *l, const char *file); /* borrows file */

/* True when more problems would only be counted: callers may skip costly words such as "did you
 * mean". */
bool problem_list_full(const struct problem_list *l);

/* `key` is the dotted path or "". A place of line 0 is the file as a whole. */
void problem_add(struct problem_list *l, struct place at, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Sorts, keeps the first PROBLEMS_KEPT in *ret and releases the list. 0 when there were none;
 * otherwise -1 and *e counts them. *ret is overwritten. */
int problem_list_finish(struct problem_list *l, struct manifest_problems *ret, struct err *e);
