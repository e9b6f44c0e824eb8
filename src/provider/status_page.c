#include "provider/status_page.h"

#include "base/clock.h"
#include "base/embed.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/status_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- Where the pages are ------------------------------------------------------------------------
 */

extern const struct embedded_file provider_data[];

struct status_pages {
    json_t *root;
};

struct status_pages *status_pages_new(void)
{
    struct status_pages *p = mem_alloc(sizeof(*p));
    struct err e = ERR_INIT;

    p->root = json_read((const char *)provider_data[0].data, provider_data[0].len,
                        "status_pages.json", &e);
    assert(p->root); /* our own file; a test reads it */
    return p;
}

void status_pages_free(struct status_pages *p)
{
    if (!p)
        return;
    json_decref(p->root);
    free(p);
}

const char *status_pages_read_on(const struct status_pages *p)
{
    return json_str(p->root, "read", "");
}

static enum status_format format_of(const char *word)
{
    static const char *const words[] = {[STATUS_STATUSPAGE] = "statuspage",
                                        [STATUS_INSTATUS] = "instatus",
                                        [STATUS_WIDGET] = "widget",
                                        [STATUS_ATOM] = "atom"};
    enum status_format f = STATUS_STATUSPAGE;

    while (f < STATUS_ATOM && strcmp(words[f], word) != 0)
        f++;
    return f;
}

static bool is_of(const json_t *page, const char *platform)
{
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(page, "platforms"), i, name)
    {
        if (strcmp(json_string_value(name), platform) == 0)
            return true;
    }
    return false;
}

bool status_pages_find(const struct status_pages *p, const char *platform, struct status_page *ret)
{
    const json_t *page;
    size_t i;

    json_array_foreach(json_object_get(p->root, "pages"), i, page)
    {
        if (!is_of(page, platform))
            continue;
        *ret = (struct status_page){.name = json_str(page, "name", ""),
                                    .base = json_str(page, "base", ""),
                                    .format = format_of(json_str(page, "format", "")),
                                    .path = json_str(page, "path", ""),
                                    .feed = json_str(page, "feed", ""),
                                    .source = json_str(page, "source", ""),
                                    .doubt = json_str(page, "doubt", "")};
        return true;
    }
    return false;
}

/* --- Lines --------------------------------------------------------------------------------------
 */

/* One line of plain text: no tags, no control characters, blanks once. */
static const char *plain(struct arena *a, const char *s)
{
    char *text = arena_alloc(a, STATUS_TEXT_MAX + 1);
    size_t n = 0;
    bool tag = false;

    for (; s && *s && n < STATUS_TEXT_MAX; s++) {
        unsigned char c = (unsigned char)*s;
        if (tag || c == '<') {
            tag = c != '>';
            c = ' ';
        }
        if (c <= ' ' || c == 0x7f)
            c = ' ';
        if (c != ' ' || (n > 0 && text[n - 1] != ' '))
            text[n++] = (char)c;
    }
    size_t whole = n;
    if (!text_is_utf8(text, n, &whole)) /* the last character was cut */
        n = whole;
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = '\0';
    return text;
}

bool status_add(struct status_report *r, const struct status_line *line)
{
    if (r->n == STATUS_LINES_MAX)
        return false;
    r->lines[r->n++] = (struct status_line){.title = plain(&r->arena, line->title),
                                            .state = plain(&r->arena, line->state),
                                            .impact = plain(&r->arena, line->impact),
                                            .text = plain(&r->arena, line->text),
                                            .url = plain(&r->arena, line->url),
                                            .at_ms = line->at_ms};
    return true;
}

void status_report_release(struct status_report *r)
{
    arena_release(&r->arena);
    *r = (struct status_report){0};
}

static int64_t time_of(const char *text)
{
    int64_t at = 0;

    return text[0] && clock_parse_utc(text, &at) == 0 ? at : 0;
}

static bool is_over(const char *state)
{
    return strcasecmp(state, "resolved") == 0 || strcasecmp(state, "postmortem") == 0 ||
           strcasecmp(state, "completed") == 0;
}

static void add_unless_over(struct status_report *r, const struct status_line *line)
{
    if (line->title[0] && !is_over(line->state))
        (void)status_add(r, line);
}

/* --- Formats in JSON ----------------------------------------------------------------------------
 */

static void read_statuspage(const json_t *root, struct status_report *r)
{
    const json_t *o;
    size_t i;

    json_array_foreach(json_object_get(root, "incidents"), i, o)
    {
        const struct status_line line = {
            .title = json_str(o, "name", ""),
            .state = json_str(o, "status", ""),
            .impact = json_str(o, "impact", ""),
            .text = json_str(o, "incident_updates.0.body", ""), /* the newest is the first */
            .url = json_str(o, "shortlink", ""),
            .at_ms = time_of(json_str(o, "updated_at", ""))};
        add_unless_over(r, &line);
    }
    const char *indicator = json_str(root, "status.indicator", "none");
    if (r->n == 0 && strcmp(indicator, "none") != 0) { /* only components are marked */
        const struct status_line line = {.title = json_str(root, "status.description", ""),
                                         .impact = indicator,
                                         .state = "",
                                         .url = json_str(root, "page.url", "")};
        add_unless_over(r, &line);
    }
}

static void read_instatus(const json_t *root, struct status_report *r)
{
    const json_t *o;
    size_t i;

    json_array_foreach(json_object_get(root, "activeIncidents"), i, o)
    {
        const struct status_line line = {.title = json_str(o, "name", ""),
                                         .state = json_str(o, "status", ""),
                                         .impact = json_str(o, "impact", ""),
                                         .url = json_str(o, "url", ""),
                                         .at_ms = time_of(json_str(o, "started", ""))};
        add_unless_over(r, &line);
    }
}

static void read_ongoing(const json_t *summary, struct status_report *r)
{
    const json_t *o;
    size_t i;

    json_array_foreach(json_object_get(summary, "ongoing_incidents"), i, o)
    {
        const struct status_line line = {.title = json_str(o, "name", ""),
                                         .state = json_str(o, "status", ""),
                                         .impact = json_str(o, "current_worst_impact", ""),
                                         .text = json_str(o, "last_update_message", ""),
                                         .url = json_str(o, "url", ""),
                                         .at_ms = time_of(json_str(o, "last_update_at", ""))};
        bool known = false; /* one incident stands under every region that it touches */
        for (size_t k = 0; k < r->n && !known; k++)
            known = strcmp(r->lines[k].url, line.url) == 0 &&
                    strcmp(r->lines[k].title, line.title) == 0;
        if (!known)
            add_unless_over(r, &line);
    }
}

static void read_widget(const json_t *root, struct status_report *r)
{
    const json_t *o;
    size_t i;

    read_ongoing(root, r);
    json_array_foreach(json_object_get(root, "subpages"), i, o)
    {
        read_ongoing(json_object_get(o, "summary"), r);
        read_ongoing(o, r);
    }
}

/* The member without which it is no answer of that format. */
static const char *mark_of(enum status_format f, const json_t *root)
{
    if (f == STATUS_STATUSPAGE)
        return json_is_object(json_object_get(root, "status")) ? NULL : "status";
    if (f == STATUS_INSTATUS)
        return json_is_object(json_object_get(root, "page")) ? NULL : "page";
    return json_is_array(json_object_get(root, "subpages")) ||
                   json_is_array(json_object_get(root, "ongoing_incidents"))
               ? NULL
               : "ongoing_incidents";
}

static int read_json(enum status_format f, const char *data, size_t len, struct status_report *r,
                     struct err *e)
{
    json_t *root = json_read(data, len, "status page", e);

    if (!root)
        return -1;
    const char *missing = mark_of(f, root);
    if (missing)
        (void)err_set(e, ERR_REMOTE, "status page: the answer has no \"%s\"", missing);
    else if (f == STATUS_STATUSPAGE)
        read_statuspage(root, r);
    else if (f == STATUS_INSTATUS)
        read_instatus(root, r);
    else
        read_widget(root, r);
    json_decref(root);
    return missing ? -1 : 0;
}

int status_report_read(enum status_format format, const char *data, size_t len, int64_t now_ms,
                       struct status_report *ret, struct err *e)
{
    *ret = (struct status_report){0};
    if (len > STATUS_ANSWER_MAX)
        return err_set(e, ERR_REMOTE, "status page: the answer is over %d bytes",
                       STATUS_ANSWER_MAX);
    int rc = format == STATUS_ATOM ? status_read_atom(data, len, now_ms, ret, e)
                                   : read_json(format, data, len, ret, e);
    if (rc < 0)
        status_report_release(ret);
    return rc;
}
