#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* What is being deployed, as git knows it. */
struct commit {
    char id[65];          /* full object name, lower-case hex */
    char subject[256];    /* first line of the message */
    char branch[128];     /* "" when detached */
    int64_t committed_at; /* wall ms; 0 = unknown */
    bool dirty;           /* tracked files differ from the commit */
};

/*
 * Asks git (run as a program) about the folder's checkout. Runs the loop meanwhile, so only for the
 * start of a command. ERR_MANIFEST when git is missing or the folder is no checkout: name the
 * commit with --commit then.
 */
int commit_read(struct loop *loop, const char *dir, struct commit *ret, struct err *e);

/* From the command line: 7 to 64 hex digits. */
int commit_parse(const char *id, struct commit *ret, struct err *e);
