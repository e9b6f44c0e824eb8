#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 16384 };

struct log {
    FILE *stream;
    enum log_level level;
    const struct clock *clock;
    const struct redactor *redactor;
};

struct log *log_new(void *stream, enum log_level level, const struct clock *clock,
                    const struct redactor *redactor)
{
    struct log *l = mem_alloc(sizeof *l);

    *l = (struct log){stream, level, clock, redactor};
    return l;
}

void log_free(struct log *l)
{
    free(l);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn";
    case LOG_INFO:
        return "info";
    case LOG_DEBUG:
        return "debug";
    }
    return "error";
}

static void add_escaped(struct buf *b, const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*s);
        else
            buf_addc(b, *s);
    }
}

void log_line(struct log *l, enum log_level level, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES], when[32];
    va_list ap;

    if (!l || level > l->level)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);

    /* Redacted before it is escaped: a secret may hold control characters. */
    redact_text(l->redactor, text, sizeof text);
    clock_format_utc(clock_wall_ms(l->clock), when);

    struct buf line = BUF_INIT(4 * sizeof text + 64);

    buf_addf(&line, "time=%s level=%s ", when, level_name(level));
    add_escaped(&line, text);
    buf_addc(&line, '\n');
    fwrite(line.data, 1, line.len, l->stream); /* one write, so that lines stay whole */
    fflush(l->stream);
    buf_release(&line);
}
