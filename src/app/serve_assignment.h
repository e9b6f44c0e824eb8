#pragma once

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

struct manifest;
struct redactor;
struct targets;

/*
 * What the agents are to measure, as they are told (agent_message.h): the http, tls and tcp checks
 * of the app and the environments that a route leads to. Pure. Never with a secret in it: a check
 * that sends a header with a value from a secret is left out and said, and so is one in whose
 * address or expectations the value of any known secret stands.
 */
struct assigned_check {
    int64_t series;
    const char *environment, *app, *instance, *check;
};
struct assignment { /* zeroed, assignment_make, assignment_release */
    struct arena arena;
    struct buf json;
    char version[33]; /* of all in it: equal for equal ones, also after a restart */
    struct assigned_check *checks;
    size_t n;
};
void assignment_make(const struct manifest *m, const struct redactor *r, const struct targets *ts,
                     struct assignment *ret);
const struct assigned_check *assignment_find(const struct assignment *a, int64_t series); /* NULL */
void assignment_release(struct assignment *a);
