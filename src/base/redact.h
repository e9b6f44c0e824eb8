#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The set of every secret value this process knows, and the one place that takes them out of text.
 *
 * `app` owns one; every secret that is resolved is added before its first use, and every line that
 * leaves the process (log, error, store, report, JSON) passes redact_text first. Values shorter
 * than 4 bytes are not registered: they would blank out ordinary words; the manifest refuses them.
 * Also matched: the percent-encoded and the base64 form of each value. One thread.
 */
struct redactor;

struct redactor *redactor_new(void);
void redactor_free(struct redactor *r); /* wipes the values; NULL is fine */

/* `name` is shown in the value's place: "[CLOUDFLARE_API_TOKEN]". Copies both. */
void redactor_add(struct redactor *r, const char *name, const char *value);

/* Replaces in place within `size` bytes; the result is cut when it does not fit. r may be NULL. */
void redact_text(const struct redactor *r, char *text, size_t size);

/* The same for text that is built; costs little when there is nothing to take out. */
struct buf;
void redact_buf(const struct redactor *r, struct buf *b);

/* True when `data` holds a secret in plain form; *ret_name (may be NULL) then names it, borrowed.
 */
bool redact_find(const struct redactor *r, const void *data, size_t len, const char **ret_name);

/* The longest registered value in bytes (0 when none): how far chunks of a scanned file overlap. */
size_t redact_longest(const struct redactor *r);

/* Names the set of registered values: equal for equal sets, whatever their order, and telling
 * nothing about one that is not known whole. All zero when r is NULL or empty. */
void redact_fingerprint(const struct redactor *r, uint8_t ret[16]);
