#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Writes JSON straight into a buffer, for answers that are made often: commas and escapes are
 * seen to here, the nesting is the caller's. A member is a key and then one value.
 *
 *     struct json_out o = {.b = &b};
 *     out_open(&o, '{');
 *     out_key(&o, "n"), out_int(&o, 3);
 *     out_close(&o, '}');
 *
 * Texts that are not UTF-8 lose the bytes that are not. One thread.
 */
struct json_out {
    struct buf *b;
    bool comma; /* something stands before, on this level */
};

void out_open(struct json_out *o, char bracket);  /* '{' or '[' */
void out_close(struct json_out *o, char bracket); /* '}' or ']' */
void out_key(struct json_out *o, const char *name);
void out_text(struct json_out *o, const char *s); /* NULL: null */
void out_int(struct json_out *o, int64_t v);
void out_flag(struct json_out *o, bool v);
void out_null(struct json_out *o);
/* With at most so many decimals, no zeros at the end; not finite: null. */
void out_number(struct json_out *o, double v, int decimals);
/* Microseconds as milliseconds; negative (did not happen): null. */
void out_us(struct json_out *o, int64_t us);
/* "2026-11-22T15:04:05Z"; 0: null. */
void out_time(struct json_out *o, int64_t wall_ms);
void out_raw(struct json_out *o, const char *json, size_t len); /* JSON that is one value */

/* A member in one line. */
void out_text_of(struct json_out *o, const char *name, const char *s);
void out_int_of(struct json_out *o, const char *name, int64_t v);
void out_time_of(struct json_out *o, const char *name, int64_t wall_ms);
