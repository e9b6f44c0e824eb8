#include "traffic/haproxy_reply.h"

#include <stdlib.h>

void haproxy_tally_begin(struct haproxy_tally *t)
{
    *t = (struct haproxy_tally){.offset = t->offset, .least = t->least, .in_a_row = t->in_a_row};
}

void haproxy_tally_add(struct haproxy_tally *t, const struct haproxy_row *row)
{
    /* A try that is repeated elsewhere counts as a redispatch, and as a retry too unless it failed
     * to connect: the larger one has them all. */
    uint64_t repeated = row->retries > row->redispatches ? row->retries : row->redispatches;

    t->tried += row->tried;
    t->streams += row->streams;
    for (int i = 0; i < 6; i++)
        t->answered += row->answers[i];
    t->server_errors += row->answers[5];
    t->failed += repeated + row->connect_errors + row->answer_errors;
    t->left += row->client_aborts;
    if (row->tried > 0 && row->answer_ms > t->answer_ms)
        t->answer_ms = row->answer_ms;
}

/* Two threads count while a third reads: a reading may be wrong by a few. What is impossible in
 * many readings in a row was miscounted, at least by the least of them. */
static void mend(struct haproxy_tally *t, int64_t impossible)
{
    enum { MANY = 20 };

    if (impossible == 0 || (impossible < 0) != (t->least < 0))
        t->in_a_row = 0;
    if (impossible == 0)
        return;
    if (t->in_a_row == 0 || llabs(impossible) < llabs(t->least))
        t->least = impossible;
    if (++t->in_a_row < MANY)
        return;
    t->offset += t->least;
    t->in_a_row = 0;
}

void haproxy_tally_end(struct haproxy_tally *t, struct live_counters *ret)
{
    int64_t raw = (int64_t)(t->tried - t->answered - t->failed - t->left);
    int64_t most = t->streams > UINT32_MAX ? UINT32_MAX : (int64_t)t->streams;
    int64_t waiting = raw - t->offset;

    if (most == 0) { /* nobody is there: the one moment at which it is known */
        t->offset = raw;
        t->in_a_row = 0;
        waiting = 0;
    } else if (waiting < 0) {
        mend(t, waiting);
        waiting = 0;
    } else if (waiting > most) {
        mend(t, waiting - most);
        waiting = most;
    } else {
        mend(t, 0);
    }
    *ret = (struct live_counters){
        .tried = t->tried,
        .answered = t->answered + t->failed,
        .failed = t->failed + t->server_errors,
        .waiting = (uint32_t)waiting,
        .answer_ms = t->answer_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)t->answer_ms,
    };
}
