#pragma once

struct redactor;
struct clock;

/*
 * One key=value line an event on a stdio stream (normally stderr), redacted. The log is an object
 * that `app` makes; nothing below `app` logs by itself, it reports through callbacks.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log;
struct log *log_new(void *stream /* FILE * */, enum log_level level, const struct clock *clock,
                    const struct redactor *redactor);
void log_free(struct log *l); /* does not close the stream; NULL is fine */

/* `fmt` makes the "key=value key=value" part; control characters are written as \xNN. */
void log_line(struct log *l, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
