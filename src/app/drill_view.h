#pragma once

#include "base/arena.h"
#include "base/sketch.h"
#include "store/traffic.h"

struct app;
struct json_out;

/*
 * Drills as people and programs see them: the shapes of docs/api.md (*Drills*), the table of one
 * drill and of many, and how fast it recovers over all that ended by themselves.
 */
struct drill_book {
    struct arena arena;
    struct drill_record *rows; /* newest first */
    size_t n;
};
/* `route` NULL: all. Fill a zeroed one; drill_book_release frees it. */
int drill_book_read(struct store *s, const char *route, int64_t from_ms, int64_t until_ms,
                    struct drill_book *ret, struct err *e);
void drill_book_release(struct drill_book *b);

void drill_json(struct json_out *o, const struct drill_record *d);
void drill_recovery_json(struct json_out *o, const struct drill_book *b); /* the array */

int drill_view_one(const struct app *a, const struct drill_record *d, const struct sketch *times,
                   struct err *e);
int drill_view_book(const struct app *a, const struct drill_book *b, struct err *e);
