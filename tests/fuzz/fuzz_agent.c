#include "app/agent_message.h"
#include "base/buf.h"
#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as what an agent and its server say to each other: a report, the answer to one, an
 * assignment. No crash, no leak; numbers keep their bounds, a refusal says why; a report that is
 * taken is the same after being written and read again.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

/* In the same form as the agent sends it. */
static void write_again(const struct agent_report *r, struct buf *out)
{
    struct buf batch = BUF_INIT(1 << 20);

    if (r->sequence)
        agent_batch_write(r->batch_boot, r->sequence, r->samples, r->n_samples, &batch);
    agent_report_write(r, r->sequence ? buf_str(&batch) : NULL, out);
    buf_release(&batch);
}

static void is_bounded(const struct agent_report *r)
{
    struct err e = ERR_INIT;

    check(r->n_votes <= AGENT_CHECKS_MAX && r->n_samples <= AGENT_SAMPLES_MAX);
    check(agent_name_ok(r->boot) && (!*r->vantage || agent_name_ok(r->vantage)));
    check(r->sequence >= 0 && (r->sequence == 0 || agent_name_ok(r->batch_boot)));
    for (size_t i = 0; i < r->n_votes; i++)
        check(r->votes[i].check > 0 && r->votes[i].state < HEALTH_INCONCLUSIVE);
    for (size_t i = 0; i < r->n_samples; i++)
        check(batch_check(&r->samples[i], &e) == 0);
}

static void read_as_report(const char *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct agent_report r = {0}, same = {0};
    struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;

    if (agent_report_read(data, size, &a, &r, &e) == 0) {
        is_bounded(&r);
        write_again(&r, &first);
        check(agent_report_read(buf_str(&first), first.len, &a, &same, &e) == 0);
        write_again(&same, &second);
        check(strcmp(buf_str(&first), buf_str(&second)) == 0);
    } else {
        check(e.kind == ERR_USAGE && e.text[0]);
    }
    buf_release(&first);
    buf_release(&second);
    arena_release(&a);
}

static void read_as_answer(const char *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct agent_answer v = {0};
    struct err e = ERR_INIT;

    if (agent_answer_read(data, size, &a, &v, &e) == 0) {
        check(v.n_orders <= AGENT_CHECKS_MAX && v.next_ms >= 100);
        for (size_t i = 0; i < v.n_orders; i++)
            check(v.orders[i].every_ms >= 0 && v.orders[i].for_ms >= 0);
    } else {
        check(e.text[0]);
    }
    arena_release(&a);
}

static void read_as_assignment(const char *data, size_t size)
{
    struct agent_assignment a = {0};
    struct err e = ERR_INIT;

    if (agent_assignment_read(data, size, &a, &e) == 0) {
        check(agent_name_ok(a.version) && a.n <= AGENT_CHECKS_MAX);
        check(a.n_controls <= AGENT_CONTROLS_MAX);
        for (size_t i = 0; i < a.n; i++)
            check(a.targets[i].series > 0 && a.targets[i].every_ms >= 100);
    } else {
        check(e.text[0] && a.n == 0);
    }
    agent_assignment_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    read_as_report(text, size);
    read_as_answer(text, size);
    read_as_assignment(text, size);
    return 0;
}
