#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Small text helpers; none keeps state. */

/* Copies with truncation, always terminates (n > 0). Returns false when it was cut. */
bool text_copy(char *ret, size_t n, const char *s);

/* "500ms" "15s" "10m" "2h" "7d" -> milliseconds. A bare number is refused: units are not guessed.
 */
int text_duration_ms(const char *s, int64_t *ret, struct err *e);
/* "25MiB" "10GB" "512kB" "100B" -> bytes (GB = 10^9, GiB = 2^30). */
int text_bytes(const char *s, int64_t *ret, struct err *e);
/* "99.9%" -> 0.999 */
int text_percent(const char *s, double *ret, struct err *e);
/* Shortest exact writing of the three above: 90000 -> "90s". ret holds 32 bytes. */
void text_format_duration(int64_t ms, char ret[32]);
void text_format_bytes(int64_t bytes, char ret[32]);
/* How long something lasts, for people, cut to two units: "0.4 s", "41 s", "3 min 20 s", "2 h",
 * "5 d 3 h". A negative one is 0. */
void text_format_span(int64_t ms, char ret[32]);

/* Whole-string decimal integer within [min, max]; -1 otherwise. */
int text_int(const char *s, int64_t min, int64_t max, int64_t *ret);

/* Shell pattern with * and ?; the whole string must match. */
bool text_glob(const char *pattern, const char *s);

/* Optimal-string-alignment edit distance, bounded: returns limit + 1 as soon as it is larger. */
unsigned text_distance(const char *a, const char *b, unsigned limit);
/* The nearest of `n` candidates within a third of the word's length, or NULL. */
const char *text_did_you_mean(const char *word, const char *const *candidates, size_t n);

/* Strict UTF-8 (no surrogates, no overlong forms). *ret_at (may be NULL) is the bad byte's offset.
 */
bool text_is_utf8(const void *data, size_t len, size_t *ret_at);

/* Columns that a terminal uses for s: code points, combining marks as 0, East Asian wide as 2. */
size_t text_columns(const char *s);

/* Percent-encodes for a URL: keeps RFC 3986 unreserved characters, and '/' when keep_slash. */
void text_percent_encode(struct buf *b, const char *s, bool keep_slash);

/* Writes with &, <, >, ", ' escaped, for HTML and XML text and attributes. */
void text_html(struct buf *b, const char *s);
