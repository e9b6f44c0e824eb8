#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the platforms say of themselves: where their public status pages are (status_pages.json, a
 * dated data file in the binary, each row with its source), and what a page's answer comes to.
 * Pure: text in, lines out; who reads the pages is app/status_watch.h.
 *
 * Formats: Statuspage's public API, summary.json (JSON); Instatus' summary.json
 * (instatus.com/help/api/public-data); the summary of incident.io's pages, `api/v1/summary`, as
 * Neon documents it; and Atom (RFC 4287), the feed that most of them have beside it. An answer is
 * text from outside: bounded in size, depth and number, a document type in a feed is refused.
 */
enum status_format { STATUS_STATUSPAGE, STATUS_INSTATUS, STATUS_WIDGET, STATUS_ATOM };

struct status_page {  /* borrowed from the catalogue */
    const char *name; /* "Netlify" */
    const char *base; /* "https://www.netlifystatus.com" */
    enum status_format format;
    const char *path; /* of the answer in `format` */
    const char *feed; /* of an Atom feed; "" = none is known */
    const char *source, *doubt;
};

struct status_pages;
struct status_pages *status_pages_new(void); /* status_pages_free; constant in between */
void status_pages_free(struct status_pages *p);
/* By the platform's name in the manifest ("cloudflare-pages"); false: none is known. */
bool status_pages_find(const struct status_pages *p, const char *platform, struct status_page *ret);
const char *status_pages_read_on(const struct status_pages *p); /* "2026-11-23" */

enum { STATUS_LINES_MAX = 20, STATUS_TEXT_MAX = 300, STATUS_ANSWER_MAX = 2 << 20 };
struct status_line { /* something that is not over; plain text, "" = not told */
    const char *title, *state, *impact, *text, *url;
    int64_t at_ms; /* of the newest word on it; 0 = not told */
};
struct status_report {
    struct arena arena; /* holds the lines */
    struct status_line lines[STATUS_LINES_MAX];
    size_t n; /* 0: nothing is reported */
};
/* A feed has no present state: what its newest word within a day does not call over, is not.
 * ERR_REMOTE: no answer of that format; *ret is empty then. */
int status_report_read(enum status_format format, const char *data, size_t len, int64_t now_ms,
                       struct status_report *ret, struct err *e);
void status_report_release(struct status_report *r);
