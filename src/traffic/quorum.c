#include "traffic/quorum.h"

#include "base/buf.h"
#include "base/text.h"

/* One list of vantages with a heading, as "2 call it down: here (HTTP 503), fra (no answer)". */
struct part {
    const struct vote *votes;
    size_t n;
    struct buf *out;
};

static void part_names(const struct part *p, enum health_state state, bool valid)
{
    const char *between = ": ";
    for (size_t i = 0; i < p->n; i++) {
        const struct vote *v = &p->votes[i];
        if (v->valid != valid || (valid && v->state != state))
            continue;
        const char *why = valid ? v->reason : v->invalid_why;
        buf_addf(p->out, "%s%.40s", between, v->vantage);
        if (why && why[0])
            buf_addf(p->out, " (%.80s)", why);
        between = ", ";
    }
}

static void part_add(const struct part *p, const char *heading, enum health_state state)
{
    buf_addf(p->out, "%s%s", p->out->len ? "; " : "", heading);
    part_names(p, state, true);
}

static void describe(const struct vote *votes, size_t n, enum live_state live,
                     struct quorum_finding *q)
{
    struct buf text = BUF_INIT(8192);
    struct part p = {votes, n, &text};
    int vantages_down = q->down - q->live_counted;
    size_t invalid = n - q->valid;

    if (vantages_down) {
        char heading[64];
        snprintf(heading, sizeof heading, "%d of %d %s it down", vantages_down, q->valid,
                 vantages_down == 1 ? "calls" : "call");
        part_add(&p, heading, HEALTH_DOWN);
    }
    if (q->suspect)
        part_add(&p, "in doubt", HEALTH_SUSPECT);
    if (q->up)
        part_add(&p, "up", HEALTH_UP);
    if (invalid) {
        buf_addf(&text, "%s%s", text.len ? "; " : "",
                 q->valid ? "does not count" : "no observer is valid");
        part_names(&p, HEALTH_UNKNOWN, false);
    }
    if (text.len == 0)
        buf_adds(&text, "nobody has seen it yet");
    if (q->finding == FINDING_SUSPECT && q->down && q->down < q->need)
        buf_addf(&text, "; %d are needed", q->need);
    if (live == LIVE_ERRORS || live == LIVE_BAD || live == LIVE_STALLED)
        buf_addf(&text, "; live traffic: %s", live_state_name(live));
    text_copy(q->text, sizeof q->text, buf_str(&text));
    buf_release(&text);
}

static void count(const struct vote *votes, size_t n, struct quorum_finding *q)
{
    for (size_t i = 0; i < n; i++) {
        if (!votes[i].valid)
            continue;
        q->valid++;
        q->down += votes[i].state == HEALTH_DOWN;
        q->suspect += votes[i].state == HEALTH_SUSPECT;
        q->up += votes[i].state == HEALTH_UP;
    }
}

void quorum_judge(int need, const struct vote *votes, size_t n, enum live_state live,
                  struct quorum_finding *ret)
{
    struct quorum_finding q = {.need = need < 1 ? 1 : need};
    bool live_fails = live == LIVE_ERRORS || live == LIVE_BAD || live == LIVE_STALLED;

    count(votes, n, &q);
    /* Users' failures are no vantage point: they second one, they do not stand for one. */
    if (q.down > 0 && q.down < q.need && live_fails) {
        q.live_counted = q.down + 1 >= q.need;
        q.down += q.live_counted;
    }
    if (q.down >= q.need)
        q.finding = FINDING_DOWN;
    else if (q.down + q.suspect > 0)
        q.finding = FINDING_SUSPECT;
    else if (q.up > 0)
        q.finding = FINDING_UP;
    else
        q.finding = n > 0 && q.valid == 0 ? FINDING_INVALID : FINDING_NONE;
    q.active_only = q.finding == FINDING_DOWN && !live_fails;
    describe(votes, n, live, &q);
    *ret = q;
}
