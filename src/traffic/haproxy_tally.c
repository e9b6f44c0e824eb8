#include "traffic/haproxy_reply.h"

void haproxy_tally_begin(struct haproxy_tally *t)
{
    *t = (struct haproxy_tally){.offset = t->offset};
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

void haproxy_tally_end(struct haproxy_tally *t, struct live_counters *ret)
{
    int64_t waiting = (int64_t)(t->tried - t->answered - t->failed - t->left) - t->offset;
    int64_t most = t->streams > UINT32_MAX ? UINT32_MAX : (int64_t)t->streams;

    if (waiting < 0 || waiting > most) {
        int64_t possible = waiting < 0 ? 0 : most;

        t->offset += waiting - possible;
        waiting = possible;
    }
    *ret = (struct live_counters){
        .tried = t->tried,
        .answered = t->answered + t->failed,
        .failed = t->failed + t->server_errors,
        .waiting = (uint32_t)waiting,
        .answer_ms = t->answer_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)t->answer_ms,
    };
}
