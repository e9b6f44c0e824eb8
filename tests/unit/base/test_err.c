#include "base/err.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/text.h"
#include "test.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static void an_error_is_filled_once_and_whole(void)
{
    struct err e = {.kind = ERR_NET, .retry = true, .code = 5, .retry_after = 9, .text = "old"};

    CHECK(err_set(&e, ERR_REMOTE, "render answered %d", 500) == -1);
    CHECK(e.kind == ERR_REMOTE && !e.retry && e.code == 0 && e.retry_after == 0);
    CHECK(strcmp(e.text, "render answered 500") == 0);
    CHECK(err_errno(&e, ERR_STORE, ENOENT, "%s: cannot open", "x.db") == -1);
    CHECK(strcmp(e.text, "x.db: cannot open: No such file or directory") == 0 && e.code == ENOENT);
    e.retry = true;
    CHECK(err_wrap(&e, "app %d", 3) == -1);
    CHECK(strcmp(e.text, "app 3: x.db: cannot open: No such file or directory") == 0);
    CHECK(e.kind == ERR_STORE && e.retry && e.code == ENOENT);
    err_set(&e, ERR_NO, "again: %.9s", e.text);
    CHECK(strcmp(e.text, "again: app 3: x.") == 0);
}

static void a_text_is_one_line_without_control_characters(void)
{
    struct err e = ERR_INIT;

    err_set(&e, ERR_REMOTE, "a\nb\r\x1b[31mc\x7f\n");
    CHECK(strcmp(e.text, "a b  [31mc") == 0);
}

static void a_text_that_is_too_long_loses_its_end_but_stays_utf8(void)
{
    struct err e = ERR_INIT;
    char text[1200] = "";

    for (size_t i = 0; i < 1100; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    err_set(&e, ERR_REMOTE, "%s", text);
    CHECK(strlen(e.text) >= 509 && text_is_utf8(e.text, strlen(e.text), NULL));
    err_wrap(&e, "x");
    CHECK(strlen(e.text) >= 509 && text_is_utf8(e.text, strlen(e.text), NULL));
    CHECK(strncmp(e.text, "x: \xc3\xa9", 5) == 0);
}

static void each_kind_has_its_exit_code(void)
{
    static const int codes[] = {0, 1, 2, 2, 3, 3, 4, 70};

    for (int kind = ERR_NONE; kind <= ERR_BUG; kind++)
        CHECK(err_exit_code((enum err_kind)kind) == codes[kind]);
}

static void a_log_line_is_redacted_then_escaped(void)
{
    struct clock_fake f = {.wall_ms = 0};
    struct clock clock = clock_fake(&f);
    struct redactor *r = redactor_new();
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    struct log *l = log_new(stream, LOG_INFO, &clock, r);

    redactor_add(r, "KEY", "two\nlines");
    log_line(l, LOG_INFO, "target=%s key=%s", "a\nb", "two\nlines");
    log_line(l, LOG_DEBUG, "not=shown");
    log_line(l, LOG_ERROR, "bad=1");
    log_line(NULL, LOG_ERROR, "nobody=listens");
    log_free(l);
    log_free(NULL);
    fclose(stream);
    CHECK(strcmp(text, "time=1970-01-01T00:00:00Z level=info target=a\\x0ab key=[KEY]\n"
                       "time=1970-01-01T00:00:00Z level=error bad=1\n") == 0);
    free(text);
    redactor_free(r);
}

int main(void)
{
    an_error_is_filled_once_and_whole();
    a_text_is_one_line_without_control_characters();
    a_text_that_is_too_long_loses_its_end_but_stays_utf8();
    each_kind_has_its_exit_code();
    a_log_line_is_redacted_then_escaped();
    return DONE();
}
