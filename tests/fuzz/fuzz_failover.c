#include "traffic/failover.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/*
 * failover_restore on any text. Refused: nothing changes. Taken: somebody gets traffic, time goes
 * on without a loop that never ends, and what is saved then is taken again.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct failover_member members[] = {
    {.environment = "uat", .weight = 90},
    {.environment = "beta", .weight = 10, .sleeps = true},
    {.environment = "preprod", .backup = true},
};

static struct failover *begin(int64_t now_ms)
{
    struct err e = ERR_INIT;
    struct failover_options o = {
        .route = "api", .members = members, .n_members = 3, .hold_ms = 30000};
    struct failover *f = failover_new(&o, now_ms, &e);
    if (!f)
        abort();
    return f;
}

static void save(const struct failover *f, struct buf *ret)
{
    buf_init(ret, 1 << 20);
    failover_save(f, ret);
    if (buf_over(ret))
        abort();
}

static void check_shares(const struct failover *f)
{
    size_t n;
    int sum = 0;
    const struct failover_standing *s = failover_standings(f, &n);

    for (size_t i = 0; i < n; i++) {
        if (s[i].share < 0 || s[i].share > 256)
            abort();
        sum += s[i].share;
    }
    if (sum == 0)
        abort();
}

static void run(struct failover *f, int64_t now_ms)
{
    struct quorum_finding up = {.finding = FINDING_UP};

    for (int i = 0; i < 8; i++) {
        failover_tick(f, now_ms, NULL, NULL);
        check_shares(f);
        if (failover_next_ms(f) <= now_ms)
            abort();
        failover_observe(f, (size_t)(i % 3), &up, LIVE_NONE, false, now_ms, NULL, NULL);
        check_shares(f);
        now_ms += 600 * 1000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t now_ms = INT64_C(1700000000000);
    struct failover *f = begin(now_ms), *next = begin(now_ms);
    struct buf before, after;
    struct err e = ERR_INIT;

    save(f, &before);
    int rc = failover_restore(f, (const char *)data, size, now_ms, &e);
    save(f, &after);
    if (rc < 0 && strcmp(buf_str(&before), buf_str(&after)) != 0)
        abort();
    check_shares(f);
    if (failover_restore(next, buf_str(&after), after.len, now_ms, &e) < 0)
        abort();
    run(f, now_ms);
    failover_free(f);
    failover_free(next);
    buf_release(&before);
    buf_release(&after);
    return 0;
}
