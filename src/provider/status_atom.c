#include "provider/status_inner.h"

#include "base/buf.h"
#include "base/clock.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

/*
 * Atom feeds of status pages (RFC 4287), by expat: an entry is an incident, its content the words
 * on it, newest first, each beginning with a state. Only entries of the last day that are not over
 * become lines. docs/adr/015 says why expat. A document type is refused, so that no entity can grow
 * or be fetched; depth and lengths are bounded.
 */
enum { DEPTH_MAX = 64, FIELD_MAX = 16384, ENTRIES_MAX = 500 };
static const int64_t day_ms = INT64_C(86400) * 1000;

enum field { FIELD_TITLE, FIELD_UPDATED, FIELD_CONTENT, FIELDS };

struct atom {
    XML_Parser parser;
    struct status_report *report;
    int64_t now_ms;
    int depth, entry_depth; /* entry_depth 0: in none */
    bool feed;              /* the root was one */
    int entries;
    struct buf fields[FIELDS];
    struct buf *open; /* the field that is read now */
    int open_depth;
    char link[512];
    const char *refused; /* why the rest is not read */
};

static void refuse(struct atom *a, const char *why)
{
    a->refused = why;
    (void)XML_StopParser(a->parser, XML_FALSE);
}

/* "http://www.w3.org/2005/Atom entry" -> "entry"; NULL: of another vocabulary. */
static const char *local(const char *name)
{
    static const char atom[] = "http://www.w3.org/2005/Atom ";

    return strncmp(name, atom, sizeof(atom) - 1) == 0 ? name + sizeof(atom) - 1 : NULL;
}

static struct buf *field_of(struct atom *a, const char *name)
{
    if (strcmp(name, "title") == 0)
        return &a->fields[FIELD_TITLE];
    if (strcmp(name, "updated") == 0)
        return &a->fields[FIELD_UPDATED];
    if (strcmp(name, "content") == 0 || strcmp(name, "summary") == 0)
        return &a->fields[FIELD_CONTENT];
    return NULL;
}

static void take_link(struct atom *a, const char **attributes)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], "href") == 0 && strlen(attributes[1]) < sizeof(a->link) &&
            strncmp(attributes[1], "http", 4) == 0)
            memcpy(a->link, attributes[1], strlen(attributes[1]) + 1);
}

static void begin_entry(struct atom *a)
{
    a->entry_depth = a->depth;
    a->link[0] = '\0';
    for (int i = 0; i < FIELDS; i++)
        buf_clear(&a->fields[i]);
    if (++a->entries > ENTRIES_MAX)
        refuse(a, "it has too many entries");
}

static void begin(void *arg, const char *full, const char **attributes)
{
    struct atom *a = arg;
    const char *name = local(full);

    if (++a->depth > DEPTH_MAX) {
        refuse(a, "it is nested too deeply");
        return;
    }
    if (a->depth == 1)
        a->feed = name && strcmp(name, "feed") == 0;
    if (!name || !a->feed)
        return;
    if (!a->entry_depth && strcmp(name, "entry") == 0)
        begin_entry(a);
    else if (a->entry_depth && a->depth == a->entry_depth + 1) {
        if (strcmp(name, "link") == 0)
            take_link(a, attributes);
        a->open = field_of(a, name);
        a->open_depth = a->depth;
    }
}

/* The state that the newest word on it begins with. */
static const char *state_of(const char *content)
{
    static const char *const states[] = {"Resolved",    "Completed",     "Monitoring",
                                         "Identified",  "Investigating", "Update",
                                         "In progress", "Scheduled",     "Postmortem"};
    const char *first = NULL, *state = "";

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const char *at = strcasestr(content, states[i]);
        if (at && (!first || at < first)) {
            first = at;
            state = states[i];
        }
    }
    return state;
}

static bool is_over(const char *state)
{
    return strcmp(state, "Resolved") == 0 || strcmp(state, "Completed") == 0 ||
           strcmp(state, "Postmortem") == 0 || strcmp(state, "Scheduled") == 0;
}

static void end_entry(struct atom *a)
{
    const char *content = buf_str(&a->fields[FIELD_CONTENT]);
    struct status_line line = {.title = buf_str(&a->fields[FIELD_TITLE]),
                               .state = state_of(content),
                               .impact = "",
                               .text = content,
                               .url = a->link};

    a->entry_depth = 0;
    if (clock_parse_utc(buf_str(&a->fields[FIELD_UPDATED]), &line.at_ms) < 0)
        line.at_ms = 0;
    if (line.title[0] && line.at_ms > a->now_ms - day_ms && !is_over(line.state))
        (void)status_add(a->report, &line);
}

static void end(void *arg, const char *full)
{
    struct atom *a = arg;

    (void)full;
    if (a->open && a->depth == a->open_depth)
        a->open = NULL;
    if (a->entry_depth && a->depth == a->entry_depth)
        end_entry(a);
    a->depth--;
}

static void text(void *arg, const char *s, int len)
{
    struct atom *a = arg;

    if (a->open && a->open->len + (size_t)len < FIELD_MAX) /* what is longer is cut there */
        buf_add(a->open, s, (size_t)len);
}

static void doctype(void *arg, const char *name, const char *system, const char *public, int inner)
{
    (void)name;
    (void)system;
    (void)public;
    (void)inner;
    refuse(arg, "it has a document type");
}

int status_read_atom(const char *data, size_t len, int64_t now_ms, struct status_report *ret,
                     struct err *e)
{
    struct atom a = {.parser = XML_ParserCreateNS(NULL, ' '), .report = ret, .now_ms = now_ms};
    int rc = 0;

    if (!a.parser)
        abort(); /* out of memory */
    for (int i = 0; i < FIELDS; i++)
        buf_init(&a.fields[i], FIELD_MAX);
    XML_SetUserData(a.parser, &a);
    XML_SetElementHandler(a.parser, begin, end);
    XML_SetCharacterDataHandler(a.parser, text);
    XML_SetStartDoctypeDeclHandler(a.parser, doctype);
    enum XML_Status status = XML_Parse(a.parser, data, (int)len, XML_TRUE);
    if (a.refused)
        rc = err_set(e, ERR_REMOTE, "status page: the feed is refused: %s", a.refused);
    else if (status != XML_STATUS_OK)
        rc = err_set(e, ERR_REMOTE, "status page: the feed is no XML: %s in line %lu",
                     XML_ErrorString(XML_GetErrorCode(a.parser)),
                     (unsigned long)XML_GetCurrentLineNumber(a.parser));
    else if (!a.feed)
        rc = err_set(e, ERR_REMOTE, "status page: the answer is no Atom feed");
    for (int i = 0; i < FIELDS; i++)
        buf_release(&a.fields[i]);
    XML_ParserFree(a.parser);
    return rc;
}
