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
    (void)fprintf(stderr, "\r\033[K%s [%.*s%.*s] %zu/%zu", p->what, (int)full,
                  "########################", (int)(BAR - full), "------------------------",
                  p->done, p->total);
    if (p->failed > 0)
        (void)fprintf(stderr, ", %zu failed", p->failed);
    (void)fprintf(stderr, "  %.*s", (int)room, p->now);
    (void)fflush(stderr);
}

static void line(struct progress *p, const char *mark, const char *fmt, va_list ap)
{
    char text[2 * MOST_TEXT];

    if (p->app->o.quiet)
        return;
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    redact_text(p->app->redactor, text, sizeof(text));
    wipe(p);
    (void)fprintf(stderr, "%s%s\n", mark, text);
}

void progress_done(struct progress *p, bool good, const char *fmt, ...)
{
    va_list ap;

    p->done++;
    p->failed += !good;
    va_start(ap, fmt);
    line(p, "", fmt, ap);
    va_end(ap);
    draw(p, true);
}

void progress_line(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    line(p, "", fmt, ap);
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
    for (char *c = p->now; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    draw(p, false);
}
