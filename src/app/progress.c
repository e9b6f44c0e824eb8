#include "app/progress.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 24, LEAST_MS = 100, MOST_TEXT = 600 };

struct progress {
    const struct app *app;
    const char *what;
    size_t total, done, failed;
    char now[MOST_TEXT];
    int64_t drawn;
    bool shown;
};

struct progress *progress_new(const struct app *a, const char *what, size_t total)
{
    struct progress *p = mem_alloc(sizeof(*p));

    p->app = a;
    p->what = what;
    p->total = total;
    return p;
}

static void wipe(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    wipe(p);
    free(p);
}

static void draw(struct progress *p, bool must)
{
    int64_t now = clock_mono_ms(&p->app->clock);
    size_t full = p->total ? BAR * p->done / p->total : 0;
    size_t room = p->app->width > 60 ? p->app->width - 50 : 30;

    if (!p->app->terminal || p->app->o.quiet || (!must && now - p->drawn < LEAST_MS))
        return;
    p->drawn = now;
    p->shown = true;
    (void)fprintf(stderr, "\r\033[K%s", p->what);
    if (p->total > 0)
        (void)fprintf(stderr, " [%.*s%.*s] %zu/%zu", (int)full, "########################",
                      (int)(BAR - full), "------------------------", p->done, p->total);
    if (p->failed > 0)
        (void)fprintf(stderr, ", %zu failed", p->failed);
    (void)fprintf(stderr, "  %.*s", (int)room, p->now);
    (void)fflush(stderr);
}

/* A platform's words must not move the cursor of the terminal they are shown on. */
static void plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

__attribute__((format(printf, 2, 0))) static void line(struct progress *p, const char *fmt,
                                                       va_list ap)
{
    char text[2 * MOST_TEXT];

    if (p->app->o.quiet)
        return;
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    redact_text(p->app->redactor, text, sizeof(text));
    plain(text);
    wipe(p);
    (void)fprintf(stderr, "%s\n", text);
}

/* Bytes of `more` that fit behind `used` columns of a terminal's line; addresses and times are
 * ASCII. */
static int room_for(const struct progress *p, const struct progress_item *item, int used)
{
    int width = (int)p->app->width;

    if (!item->good || !p->app->terminal || width == 0)
        return MOST_TEXT;
    return width - 1 > used ? width - 1 - used : 0;
}

static void item_line(struct progress *p, const struct progress_item *item)
{
    const char *on = "", *off = "";
    char head[300], more[MOST_TEXT + 1], took[24] = "";

    if (p->app->colour_err) {
        on = item->good ? "\033[32m" : "\033[31m";
        off = "\033[0m";
    }
    if (item->seconds >= 0)
        (void)snprintf(took, sizeof(took), "%.1f s", item->seconds);
    int used = 8 + snprintf(head, sizeof(head), "%-44.200s %8s", item->name, took);
    int room = room_for(p, item, used + 2);
    (void)snprintf(more, sizeof(more), "%s", item->more);
    redact_text(p->app->redactor, more, sizeof(more));
    plain(more);
    if (room < (int)strlen(more))
        more[room] = '\0';
    wipe(p);
    (void)fprintf(stderr, "%s%-7s%s %s%s%s\n", on, item->word, off, head, more[0] ? "  " : "",
                  more);
}

void progress_done(struct progress *p, const struct progress_item *item)
{
    p->done++;
    p->failed += !item->good;
    if (!p->app->o.quiet)
        item_line(p, item);
    draw(p, true);
}

void progress_line(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line(p, fmt, ap);
    va_end(ap);
    draw(p, true);
}

void progress_now(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(p->now, sizeof(p->now), fmt, ap);
    va_end(ap);
    redact_text(p->app->redactor, p->now, sizeof(p->now));
    plain(p->now);
    draw(p, false);
}
