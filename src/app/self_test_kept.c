#include "app/self_test_kept.h"

#include "app/json_out.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "compare/comparison.h"
#include "store/store.h"

static const char space[] = "self-test", key[] = "last";
enum { KEPT_MAX = 1024 };

int self_test_keep(struct store *s, const struct comparison *c, int64_t at_ms, struct err *e)
{
    struct buf b = BUF_INIT(KEPT_MAX);
    struct json_out o = {.b = &b};
    unsigned rounds = 0, decided = 0;

    for (size_t i = 0; c->self_tests && i < c->n_environments; i++) {
        rounds += c->self_tests[i].rounds;
        decided += c->self_tests[i].decided;
    }
    if (rounds == 0)
        return 0;
    out_open(&o, '{');
    out_time_of(&o, "at", at_ms);
    out_int_of(&o, "rounds", rounds);
    out_int_of(&o, "false_winners", decided);
    out_key(&o, "rate");
    out_number(&o, (double)decided / rounds, 6);
    out_key(&o, "alpha");
    out_number(&o, 1 - c->options.confidence, 6);
    out_close(&o, '}');
    int rc = cache_put(s, space, key, b.data, b.len, e);
    buf_release(&b);
    return rc;
}

int self_test_recall(struct store *s, struct buf *out, int64_t *ret_at_ms, struct err *e)
{
    char text[KEPT_MAX];
    size_t len = 0;
    bool found = false;
    struct err ignored = ERR_INIT;

    *ret_at_ms = 0;
    if (cache_get(s, space, key, text, sizeof(text), &len, &found, e) < 0)
        return -1;
    json_t *root = found ? json_read(text, len, "self-test", &ignored) : NULL;
    if (root && clock_parse_utc(json_str(root, "at", ""), ret_at_ms) == 0)
        buf_add(out, text, len);
    json_decref(root);
    return 0;
}
