#include "app/status_watch.h"

#include "app/app.h"
#include "app/json_out.h"
#include "base/buf.h"
#include "base/mem.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "provider/status_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVERY_MS = 180000,
    FIRST_READS = 20, /* an hour of them */
    LATER_TIMES = 5,  /* then so many times less often */
    READS_MAX = 112,  /* a day */
    TIMEOUT_MS = 15000,
};

struct reader { /* of one platform; kept, for its counts */
    struct reader *next;
    struct status_watch *watch;
    char platform[64], key[80];
    struct status_page page;
    struct timer *timer;
    struct http_request request;
    uint64_t id; /* under way; 0 = none is */
    bool wanted, feed;
    int reads;
};

struct status_watch {
    struct status_watch_options o;
    struct status_pages *pages;
    struct reader *readers;
};

/* --- What a page says ---------------------------------------------------------------------------
 */

static void add_word(struct buf *b, const char *word, const char *before)
{
    if (word[0])
        buf_addf(b, "%s%s", before, word);
}

static void say_line(const struct reader *r, const struct status_line *line)
{
    struct buf text = BUF_INIT(4096), evidence = BUF_INIT(16384);
    struct json_out o = {.b = &evidence};
    bool both = line->state[0] && line->impact[0];

    buf_addf(&text, "%s's status page: %s", r->page.name, line->title);
    if (line->state[0] || line->impact[0])
        buf_addf(&text, " (%s%s%s)", line->state, both ? ", " : "", line->impact);
    add_word(&text, line->text, ": ");
    out_open(&o, '{');
    out_text_of(&o, "page", r->page.base);
    out_text_of(&o, "title", line->title);
    out_text_of(&o, "state", line->state);
    out_text_of(&o, "impact", line->impact);
    out_text_of(&o, "text", line->text);
    out_text_of(&o, "url", line->url);
    out_time_of(&o, "at", line->at_ms);
    out_close(&o, '}');
    r->watch->o.said(r->platform, buf_str(&text), buf_str(&evidence), r->watch->o.arg);
    buf_release(&text);
    buf_release(&evidence);
}

static void say_report(const struct reader *r, const struct status_report *report)
{
    char text[160];

    for (size_t i = 0; i < report->n; i++)
        say_line(r, &report->lines[i]);
    if (report->n > 0)
        return;
    (void)snprintf(text, sizeof(text), "%s's status page: no incident is reported there",
                   r->page.name);
    r->watch->o.said(r->platform, text, "", r->watch->o.arg);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static void read_page(void *reader);

static void read_later(struct reader *r)
{
    int64_t every = r->watch->o.every_ms > 0 ? r->watch->o.every_ms : EVERY_MS;

    if (r->wanted && r->reads < READS_MAX)
        timer_start(r->timer, r->reads < FIRST_READS ? every : LATER_TIMES * every);
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct reader *r = arg;
    const struct app *a = r->watch->o.app;
    struct status_report report = {0};
    struct err e = ERR_INIT;
    int rc = -1;

    (void)id;
    r->id = 0;
    if (reply->status / 100 == 2)
        rc = status_report_read(r->feed ? STATUS_ATOM : r->page.format, reply->body, reply->len,
                                clock_wall_ms(&a->clock), &report, &e);
    else if (reply->status != 0)
        (void)err_set(&e, ERR_REMOTE, "it answered %d", reply->status);
    else
        e = reply->err;
    if (rc == 0 && r->wanted)
        say_report(r, &report);
    status_report_release(&report);
    if (rc < 0 && !r->feed && r->page.feed[0] && r->wanted) {
        r->feed = true;
        read_page(r);
        return;
    }
    if (rc < 0 && a->o.verbose)
        app_say(a, "%s's status page cannot be read: %s", r->page.name, e.text);
    r->feed = false;
    read_later(r);
}

static void read_page(void *reader)
{
    struct reader *r = reader;
    struct app *a = r->watch->o.app;

    if (!r->wanted || r->id)
        return;
    if (!r->feed)
        r->reads++;
    r->request = (struct http_request){.method = "GET",
                                       .url = r->feed ? r->page.feed : r->page.path,
                                       .timeout_ms = TIMEOUT_MS,
                                       .max_reply = STATUS_ANSWER_MAX,
                                       .follow_redirects = true};
    r->id =
        http_send(a->http, bases_get(a->bases, r->key, r->page.base), &r->request, 0, answered, r);
}

/* --- Which --------------------------------------------------------------------------------------
 */

static struct reader *reader_of(const struct status_watch *w, const char *platform)
{
    for (struct reader *r = w->readers; r; r = r->next)
        if (strcmp(r->platform, platform) == 0)
            return r;
    return NULL;
}

static struct reader *reader_new(struct status_watch *w, const char *platform)
{
    struct status_page page;
    char key[80];

    if (strlen(platform) >= sizeof(w->readers->platform) ||
        !status_pages_find(w->pages, platform, &page))
        return NULL;
    (void)snprintf(key, sizeof(key), "status-%s", platform);
    /* A rehearsal leaves the real pages alone. */
    if (bases_control(w->o.app->bases) && !bases_get(w->o.app->bases, key, NULL))
        return NULL;
    struct reader *r = mem_alloc(sizeof(*r));
    r->watch = w;
    r->page = page;
    (void)snprintf(r->platform, sizeof(r->platform), "%s", platform);
    memcpy(r->key, key, sizeof(r->key));
    r->timer = timer_new(w->o.app->loop, read_page, r);
    r->next = w->readers;
    return w->readers = r;
}

struct status_watch *status_watch_new(const struct status_watch_options *o)
{
    struct status_watch *w = mem_alloc(sizeof(*w));

    w->o = *o;
    w->pages = status_pages_new();
    return w;
}

void status_watch_want(struct status_watch *w, const char *platform, bool wanted)
{
    struct reader *r = reader_of(w, platform);

    if (!r && wanted)
        r = reader_new(w, platform);
    if (!r || r->wanted == wanted)
        return;
    r->wanted = wanted;
    timer_stop(r->timer);
    if (!wanted)
        return;
    r->reads = 0;
    r->feed = false;
    read_page(r);
}

void status_watch_free(struct status_watch *w)
{
    if (!w)
        return;
    while (w->readers) {
        struct reader *r = w->readers;
        w->readers = r->next;
        if (r->id)
            http_cancel(w->o.app->http, r->id);
        timer_free(r->timer);
        free(r);
    }
    status_pages_free(w->pages);
    free(w);
}
