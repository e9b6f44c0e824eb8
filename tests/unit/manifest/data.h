#pragma once

#include "manifest/manifest.h"

#include <stdio.h>
#include <string.h>

/* Manifests for tests. DATA is tests/data/manifest, EXAMPLE examples/weedgo/trine.yaml. */

/* Parses text that stands in the test; NULL when there are problems, which are printed. */
static inline struct manifest *parse_text(const char *text)
{
    struct manifest *m = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    if (manifest_parse("test.yaml", "/nowhere", text, strlen(text), &m, &p, &e))
        for (size_t i = 0; i < p.n; i++)
            printf("# %s\n", p.lines[i]);
    manifest_problems_release(&p);
    return m;
}

/* True when the text is refused and one of the problems holds `words`. */
static inline bool refused(const char *text, const char *words)
{
    struct manifest *m = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    bool found = false;
    if (manifest_parse("test.yaml", "/nowhere", text, strlen(text), &m, &p, &e) == 0) {
        manifest_free(m);
        m = NULL;
    }
    for (size_t i = 0; i < p.n; i++)
        found = found || strstr(p.lines[i], words);
    for (size_t i = 0; i < p.n && !found; i++)
        printf("# %s\n", p.lines[i]);
    manifest_problems_release(&p);
    return found;
}

static inline struct manifest *load_example(void)
{
    struct manifest *m = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    if (manifest_load(EXAMPLE, &m, &p, &e))
        for (size_t i = 0; i < p.n; i++)
            printf("# %s\n", p.lines[i]);
    manifest_problems_release(&p);
    return m;
}
