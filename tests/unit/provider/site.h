#pragma once

#include "base/buf.h"
#include "talk.h"

/*
 * A small site for the tests of static hosts: two files share their content, two are read by the
 * platforms themselves. The digests are made up; no file exists, since nothing is sent.
 */
#define SITE_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SITE_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SITE_C "cccccccccccccccccccccccccccccccccccccccc"
#define SITE_D "dddddddddddddddddddddddddddddddddddddddd"
#define SITE_E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define PAGES_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PAGES_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PAGES_C "cccccccccccccccccccccccccccccccc"

static const struct bundle_file site_files[] = {
    {".well-known/trine.json", "/site/trine.json", 90, 0100644, SITE_A, PAGES_A},
    {"copy of app.js", "/site/copy of app.js", 600, 0100644, SITE_B, PAGES_B},
    {"index.html", "/site/index.html", 200, 0100644, SITE_C, PAGES_C},
    {"js/app.js", "/site/js/app.js", 600, 0100644, SITE_B, PAGES_B},
};
static const struct bundle site = {
    site_files, sizeof(site_files) / sizeof(site_files[0]), 1490,
    "0123456789012345678901234567890123456789012345678901234567890123"};

static inline struct talk site_talk(const struct provider_ops *ops)
{
    struct talk t = talk_with(ops);

    t.want.bundle = &site;
    t.want.account = "acc";
    return t;
}

/* The whole body as it would be sent, with "<PATH>" in the place of a file's bytes; the caller
 * frees. */
static inline char *site_body(const struct call *c)
{
    struct buf b = BUF_INIT(1 << 20);

    buf_adds(&b, "");
    for (size_t i = 0; i < c->http.n_parts; i++) {
        const struct http_part *p = &c->http.parts[i];
        if (p->kind == HTTP_PART_TEXT)
            buf_add(&b, p->data, p->len);
        else
            buf_addf(&b, "<%s>", p->data);
    }
    return buf_take(&b, NULL);
}

static inline bool sends(const struct talk *t, const char *text)
{
    char *body = site_body(&t->call);
    bool same = strcmp(body, text) == 0;

    if (!same)
        printf("# body: %s\n", body);
    free(body);
    return same;
}

static inline bool sends_part(const struct talk *t, const char *text)
{
    char *body = site_body(&t->call);
    bool has = strstr(body, text) != NULL;

    if (!has)
        printf("# body: %s\n", body);
    free(body);
    return has;
}

/* Two calls on their way at once: keeps the present one aside, and gives it back later. */
static inline struct call aside(struct talk *t)
{
    struct call kept = t->call;

    t->call = (struct call){0};
    return kept;
}

static inline void resume(struct talk *t, struct call kept)
{
    call_release(&t->call);
    t->call = kept;
}
