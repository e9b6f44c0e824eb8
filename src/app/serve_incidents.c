#include "app/serve_query.h"

#include "app/alerter.h"
#include "app/incident_book.h"
#include "app/incident_json.h"
#include "app/status_watch.h"
#include "app/store_worker.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Incidents as the API and open pages see them, and what ties the book to the daemon. */

/* --- Lists --------------------------------------------------------------------------------------
 */

static int make_incidents(const struct query_ask *ask, struct app *a, struct buf *out,
                          struct err *e)
{
    return incident_json_list(a->store, ask->from_ms, ask->until_ms, out, e);
}

void query_incidents(struct serve *s, struct http_exchange *x)
{
    struct query_ask ask = {.name = "incidents", .ttl_ms = 1000, .make = make_incidents};

    if (query_window(x, "7d", &ask))
        query_answer(s, x, &ask);
}

static int make_incident(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    return incident_json_one(a->store, ask->id, out, e);
}

void query_incident(struct serve *s, struct http_exchange *x, int64_t id)
{
    struct query_ask ask = {
        .name = "incident", .id = id, .from = "24h", .ttl_ms = 1000, .make = make_incident};

    query_answer(s, x, &ask);
}

/* --- The book -----------------------------------------------------------------------------------
 */

static void changed(const struct incident *i, void *arg)
{
    const struct serve *s = arg;

    feed_incident(s->feed, i);
}

static void alert(const struct alert_matter *m, void *arg)
{
    const struct serve *s = arg;

    alerter_tell(s->alerter, m);
}

static void platform_in_trouble(const char *platform, bool in_trouble, void *arg)
{
    const struct serve *s = arg;

    status_watch_want(s->status_pages, platform, in_trouble);
}

static void page_said(const char *platform, const char *text, const char *evidence, void *arg)
{
    const struct serve *s = arg;

    incident_book_status(s->incidents, platform, text, evidence);
}

void incidents_begin(struct serve *s, const char *link)
{
    const struct status_watch_options pages = {.app = s->app, .said = page_said, .arg = s};
    const struct incident_book_options book = {.app = s->app,
                                               .watch = s->watch,
                                               .matrix = &s->setup->matrix,
                                               .link = link,
                                               .changed = changed,
                                               .alert = alert,
                                               .platform = platform_in_trouble,
                                               .arg = s};

    s->status_pages = status_watch_new(&pages);
    s->incidents = incident_book_new(&book);
}

/* --- Who was told --------------------------------------------------------------------------------
 */

struct told_note {
    int64_t incident, at_ms;
    char text[320], key[200];
};

static int write_told(struct store *store, void *arg, struct err *e)
{
    const struct told_note *n = arg;
    const struct incident_event v = {
        .at_ms = n->at_ms, .kind = "alerted", .text = n->text, .evidence = ""};

    return incident_note(store, n->incident, &v, n->key, e);
}

static void told_written(const struct err *e, void *arg)
{
    (void)e; /* the outbox has it; the timeline is one line short */
    free(arg);
}

void incident_told(const struct alert_told *t, void *serve)
{
    static const char *const how[] = {
        [TOLD_SENT] = "told", [TOLD_FAILED] = "not told", [TOLD_UNKNOWN] = "perhaps told"};
    struct serve *s = serve;
    struct told_note *n;

    if (t->incident == 0)
        return;
    n = mem_alloc(sizeof(*n));
    n->incident = t->incident;
    n->at_ms = t->at_ms;
    (void)snprintf(n->text, sizeof(n->text), "%.60s %s: %.200s", t->alert, how[t->how], t->answer);
    (void)snprintf(n->key, sizeof(n->key), "told %.60s %.120s", t->alert, t->key);
    store_worker_do(s->reader, "incident: told", write_told, told_written, n);
}
