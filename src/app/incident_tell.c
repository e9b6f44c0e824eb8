#include "app/incident_inner.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What people are told of an incident: never before the store has it, so that its number is right
 * and the next process knows the keys. */
enum { SIGNS_SHOWN = 5 };

static void give(struct kept_incident *i, const struct kept_matter *m)
{
    const struct incident_book *b = i->book;
    char key[96], link[300] = "";

    if (!b->o.alert)
        return;
    (void)snprintf(key, sizeof(key), "incident %lld %s", (long long)i->id, m->key);
    if (b->link[0])
        (void)snprintf(link, sizeof(link), "%s#/incidents/%lld", b->link, (long long)i->id);
    const struct alert_matter matter = {.event = m->event,
                                        .key = key,
                                        .incident = i->id,
                                        .environment = m->environment,
                                        .title = m->title,
                                        .text = m->text,
                                        .link = link,
                                        .at_ms = m->at_ms};
    b->o.alert(&matter, b->o.arg);
}

void incident_matter(struct kept_incident *i, const struct alert_matter *matter)
{
    struct kept_matter *m = mem_alloc(sizeof(*m));

    m->event = matter->event;
    m->at_ms = matter->at_ms;
    (void)text_copy(m->key, sizeof(m->key), matter->key);
    (void)text_copy(m->environment, sizeof(m->environment), matter->environment);
    (void)snprintf(m->title, sizeof(m->title), "%s", matter->title);
    (void)snprintf(m->text, sizeof(m->text), "%s", matter->text);
    redact_text(i->book->o.app->redactor, m->title, sizeof(m->title));
    redact_text(i->book->o.app->redactor, m->text, sizeof(m->text));
    *i->last_matter = m;
    i->last_matter = &m->next;
}

void incident_gather(struct kept_incident *i)
{
    timer_start(i->gather, INCIDENT_GATHER_MS);
}

/* --- Opened and resolved ------------------------------------------------------------------------
 */

/* False: it is told by what happens in it (a failover), not by itself. */
static bool event_of(const struct kept_incident *i, enum alert_event *ret)
{
    size_t outages = 0, certificates = 0;

    if (i->c.kind == CAUSE_BLIND || i->c.kind == CAUSE_DRILL) {
        *ret = i->c.kind == CAUSE_BLIND ? ON_NOTICE : ON_DRILL;
        return true;
    }
    for (size_t k = 0; k < i->n_signs; k++) {
        outages += i->signs[k]->view.kind == CAUSE_OUTAGE;
        certificates += i->signs[k]->certificate;
    }
    *ret = outages > 0 && certificates == outages ? ON_CERTIFICATE : ON_DOWN;
    return outages > 0;
}

static void list_signs(const struct kept_incident *i, struct buf *b)
{
    size_t shown = 0, n = 0;

    for (size_t k = 0; k < i->n_signs; k++) {
        const struct cause_sign *v = &i->signs[k]->view;
        if (v->kind != CAUSE_OUTAGE)
            continue;
        if (++n <= SIGNS_SHOWN && ++shown)
            buf_addf(b, "%s %s%s%s %s%s%.90s\n", v->environment, v->app, v->instance[0] ? "/" : "",
                     v->instance, v->check, v->reason[0] ? ": " : "", v->reason);
    }
    if (n > shown)
        buf_addf(b, "and %zu more\n", n - shown);
}

/* "opened"; once it was reopened: "opened 1" */
static void numbered(const char *word, int times, char ret[64])
{
    if (times > 0)
        (void)snprintf(ret, 64, "%s %d", word, times);
    else
        (void)snprintf(ret, 64, "%s", word);
}

static void tell_opened(struct kept_incident *i)
{
    enum alert_event event;
    char key[64];
    struct buf text = BUF_INIT(600);

    if (i->told || !event_of(i, &event))
        return;
    i->told = true;
    list_signs(i, &text);
    numbered("opened", i->times_reopened, key);
    incident_matter(i, &(struct alert_matter){.event = event,
                                              .key = key,
                                              .environment = i->c.environment,
                                              .title = i->title,
                                              .text = buf_str(&text),
                                              .at_ms = i->c.from_ms});
    buf_release(&text);
}

static void tell_resolved(struct kept_incident *i)
{
    enum alert_event event;
    char key[64], took[32], text[120], title[320];

    if (i->told_over || !event_of(i, &event) || event == ON_DRILL)
        return;
    i->told_over = true;
    numbered("resolved", i->times_reopened, key);
    (void)snprintf(title, sizeof(title), "over: %s", i->title);
    text_format_span(i->c.until_ms - i->c.from_ms, took);
    (void)snprintf(text, sizeof(text), "It lasted %s.", took);
    incident_matter(i, &(struct alert_matter){.event = event == ON_NOTICE ? ON_NOTICE : ON_UP,
                                              .key = key,
                                              .environment = i->c.environment,
                                              .title = title,
                                              .text = text,
                                              .at_ms = i->c.until_ms});
}

void incident_tell(struct kept_incident *i)
{
    if (i->id == 0 || i->writing || i->changed)
        return; /* once the store has it */
    bool over = i->c.until_ms != 0;
    if (i->gathered || over)
        tell_opened(i);
    if (over)
        tell_resolved(i);
    while (i->matters) {
        struct kept_matter *m = i->matters;
        i->matters = m->next;
        if (!i->matters)
            i->last_matter = &i->matters;
        give(i, m);
        free(m);
    }
}

/* --- The platform's status page -----------------------------------------------------------------
 */

static bool is_wanted(const struct incident_book *b, const char *platform)
{
    for (size_t k = 0; k < b->n; k++)
        if (strcmp(b->incidents[k]->platform, platform) == 0)
            return true;
    return false;
}

void incident_watch_platform(struct kept_incident *i)
{
    const struct incident_book *b = i->book;
    const char *now = i->c.until_ms == 0 && i->c.kind == CAUSE_OUTAGE ? i->c.platform : "";
    char before[sizeof(i->platform)];

    if (strcmp(i->platform, now) == 0)
        return;
    memcpy(before, i->platform, sizeof(before));
    if (b->o.platform && now[0] && !is_wanted(b, now))
        b->o.platform(now, true, b->o.arg);
    if (!text_copy(i->platform, sizeof(i->platform), now))
        i->platform[0] = '\0';
    if (b->o.platform && before[0] && !is_wanted(b, before))
        b->o.platform(before, false, b->o.arg);
}
