#include "base/buf.h"
#include "manifest/matrix.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as a manifest: no crash, no leak, bounded problems; and what is accepted prints to a
 * normal form that is accepted again and equal.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml 0.7.12 loses a 4 kB buffer when a quoted scalar of many pieces is never closed.
 * Everything else must still be free of leaks. */
const char *__lsan_default_suppressions(void); /* NOLINT: the sanitizer's name */
const char *__lsan_default_suppressions(void)  /* NOLINT */
{
    return "leak:libfyaml.so";
}

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void check_accepted(struct manifest *m)
{
    struct buf out = BUF_INIT((size_t)16 << 20);
    struct manifest *again = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    struct matrix x;
    check(matrix_build(m, NULL, &x, &e) == 0);
    matrix_release(&x);
    manifest_print(m, &out);
    if (out.len <= MANIFEST_MAX_BYTES) {
        check(manifest_parse("again.yaml", "/", buf_str(&out), out.len, &again, &p, &e) == 0);
        check(manifest_equal(m, again));
        manifest_problems_release(&p);
    }
    manifest_free(again);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct manifest *m = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    if (manifest_parse("fuzz.yaml", "/", text, size, &m, &p, &e) == 0) {
        check(p.n == 0);
        check_accepted(m);
        manifest_free(m);
    } else {
        check(p.n > 0 && p.n <= 200 && e.kind == ERR_MANIFEST);
    }
    manifest_problems_release(&p);
    return 0;
}
