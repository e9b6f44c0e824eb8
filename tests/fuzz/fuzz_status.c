#include "base/text.h"
#include "provider/status_page.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as the answer of a platform's status page, in each of its formats. No crash, no leak;
 * lines are plain, bounded UTF-8; a refusal says why.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void is_plain(const char *s)
{
    check(strlen(s) <= STATUS_TEXT_MAX && text_is_utf8(s, strlen(s), NULL));
    for (; *s; s++)
        check((unsigned char)*s >= ' ' && *s != 0x7f && *s != '<');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t now_ms = INT64_C(1795348800000); /* 2026-11-22T12:00:00Z */

    for (enum status_format f = STATUS_STATUSPAGE; f <= STATUS_ATOM; f++) {
        struct status_report r;
        struct err e = ERR_INIT;
        int rc = status_report_read(f, (const char *)data, size, now_ms, &r, &e);

        check((rc == 0) == (e.kind == ERR_NONE) && r.n <= STATUS_LINES_MAX);
        check(rc == 0 || (r.n == 0 && e.text[0]));
        for (size_t i = 0; i < r.n; i++) {
            is_plain(r.lines[i].title);
            is_plain(r.lines[i].state);
            is_plain(r.lines[i].impact);
            is_plain(r.lines[i].text);
            is_plain(r.lines[i].url);
        }
        status_report_release(&r);
    }
    return 0;
}
