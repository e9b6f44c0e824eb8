#include "deploy/run_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "deploy/pace.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

/* What an account's slow rate windows held, kept in the store's cache by a hash of the account: the
 * key itself holds a token. */

enum { MOST_KEPT = 65536 };

static const char space[] = "pace";

static void key_of(const struct account *a, char ret[2 * SHA256_LEN + 1])
{
    uint8_t digest[SHA256_LEN];

    sha256(a->key, strlen(a->key), digest);
    hex_encode(digest, sizeof(digest), ret);
}

void account_recall(struct account *a)
{
    struct run *r = a->run;
    char key[2 * SHA256_LEN + 1], *text = malloc(MOST_KEPT);
    struct err ignored = ERR_INIT; /* a cache may be lost; the platform's own 429 is obeyed then */
    size_t len = 0;
    bool found = false;

    if (!text)
        abort();
    key_of(a, key);
    if (cache_get(r->o.store, space, key, text, MOST_KEPT, &len, &found, &ignored) == 0 && found) {
        json_t *saved = json_read(text, len, space, &ignored);
        int64_t elapsed = clock_wall_ms(loop_clock(r->o.loop)) - json_int(saved, "at", 0);
        if (elapsed >= 0)
            pace_load(a->pace, json_at(saved, "rows"), (int64_t)((double)elapsed * r->rate),
                      run_platform_ms(r));
        json_decref(saved);
    }
    free(text);
}

int account_remember(const struct account *a, struct err *e)
{
    struct run *r = a->run;
    char key[2 * SHA256_LEN + 1];
    json_t *rows = pace_save(a->pace, run_platform_ms(r));

    if (!rows)
        return 0;
    json_t *saved = json_pack("{s:I, s:o}", "at", (json_int_t)clock_wall_ms(loop_clock(r->o.loop)),
                              "rows", rows);
    char *text = json_text(saved);
    json_decref(saved);
    key_of(a, key);
    int rc = cache_put(r->o.store, space, key, text, strlen(text), e);
    free(text);
    return rc;
}
