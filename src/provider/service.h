#pragma once

#include "base/arena.h"
#include "provider/provider.h"

/*
 * What the translators of services and mobile builds (Koyeb, Render, Railway, Expo, exec) share:
 * small pieces without state, so that each of their files holds only what is particular to its
 * platform.
 */

/* --- Requests ------------------------------------------------------------------------ */

/* Begins a call: its tag (the step it belongs to), method and URL. */
void call_begin_http(struct call *c, int tag, const char *method, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void call_bearer(struct call *c, const char *token);
void call_json(struct call *c, json_t *body); /* steals the reference */
/* Marks a call that must not happen twice; see provider.h. */
void call_once(struct call *c, int unclear);

/* Percent-encoded for a query or a path segment; lives as long as the call. */
const char *call_encode(struct call *c, const char *text);

/* NULL for "" so that json_pack's "s*" leaves the member out. */
const char *or_null(const char *s);

/* --- Replies ------------------------------------------------------------------------- */

/* A JSON object or array; new reference. NULL: *e says which platform answered something else. */
json_t *reply_read(const struct http_reply *r, const char *title, struct err *e);

/* Text into *e (ERR_REMOTE) as provider_ops.refused must: code, retry and retry_after stay as the
 * runner set them. */
void refusal_say(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What to say of a 401 or 403: the platform's own words, and the manifest's keys to look at
 * ("`token` (...)"). */
void refusal_of_token(struct err *e, const char *message, const char *keys);

/* The same for a program that failed (a call without a method): the last line that it said. It is
 * not run again. */
void program_refused(const struct http_reply *r, const char *what, struct err *e);

/* The last line of `text` that is not blank, without its newline. False when there is none or it
 * does not fit. */
bool text_last_line(const char *text, char *ret, size_t n);

/* --- Status words -------------------------------------------------------------------- */

enum verdict { VERDICT_RUNNING, VERDICT_GOOD, VERDICT_BAD };
struct status_word {
    const char *word; /* NULL ends the table */
    enum verdict verdict;
};
/* A word that is not in the table is a state we do not know yet: never a success, never an end. */
enum verdict status_verdict(const struct status_word *table, const char *word);

/* Notes one status poll that found `word` in `d`. */
void status_seen(struct deployment *d, const char *word);

/* Waits before the next poll: `first_ms`, and half as much again after every ten polls, up to
 * `most_ms`. */
struct poll_pace {
    int64_t first_ms, most_ms;
};
/* next()'s answer: wait, then go on with `step`. */
enum turn poll_wait(struct deployment *d, int step, const struct poll_pace *pace,
                    int64_t *ret_wait_ms);

/* next()'s answer when `c` was built; a step that builds nothing is a damaged record. */
enum turn turn_send(const struct deployment *d, const struct call *c, const char *title,
                    struct err *e);

/* next()'s answer for a deployment that ended badly: its word and detail into *e. */
enum turn service_failed(const struct deployment *d, struct err *e);

/* --- What is wanted ------------------------------------------------------------------ */

/* True when both name the same commit; either may be shortened to 7 digits or more. */
bool commit_same(const char *a, const char *b);

/* "https://github.com/o/r.git", "git@github.com:o/r", "github.com/o/r" or "o/r" (then on GitHub).
 */
struct repository {
    char host[64];  /* "github.com" */
    char path[192]; /* "o/r" */
};
bool repository_read(const char *text, struct repository *ret);

/* The environment of the running app: the wanted variables, then PORT where a port is wanted and
 * the user did not set it, then TRINE_RELEASE (the marker by which a deployment of ours is known
 * again) and TRINE_COMMIT. Array from the arena; values borrowed from *w, except the port's. */
size_t service_variables(const struct want *w, struct arena *arena,
                         const struct want_variable **ret);

json_t *service_variables_list(const struct want *w); /* [{"key", "value"}]; new reference */
json_t *service_variables_map(const struct want *w);  /* {name: value}; new reference */

/* What no platform of this kind can do without: a source and, when it is code, a commit. */
int service_check(const struct want *w, const char *title, struct err *e);
