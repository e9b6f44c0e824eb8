#include "traffic/failover.h"

#include "base/buf.h"
#include "test.h"

#include <stdlib.h>

static void every_state_and_event_has_exactly_one_row(void)
{
    CHECK(failover_table_count == TRAFFIC_STATES * TRAFFIC_EVENTS);
    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++)
        for (enum traffic_event v = 0; v < TRAFFIC_EVENTS; v++) {
            int rows = 0;
            for (size_t i = 0; i < failover_table_count; i++)
                rows += failover_table[i].reason && failover_table[i].from == s &&
                        failover_table[i].event == v;
            const struct failover_row *r = failover_row(s, v);
            if (rows != 1)
                printf("# %s, %s: %d rows\n", traffic_state_name(s), traffic_event_name(v), rows);
            CHECK(rows == 1 && r->from == s && r->event == v && r->to < TRAFFIC_STATES);
        }
}

/* What must hold of any row, whatever else is changed in the table. */
static void rows_keep_to_what_the_states_mean(void)
{
    for (size_t i = 0; i < failover_table_count; i++) {
        const struct failover_row *r = &failover_table[i];
        CHECK(r->reason[0]);
        /* Only a quorum, or an order that counts as one, makes DOWN. */
        CHECK(r->to != TRAFFIC_DOWN || r->from == TRAFFIC_DOWN || r->event == EVENT_DOWN);
        /* DOWN and DEGRADED come back only when they were well for their hold time. */
        if (r->from == TRAFFIC_DOWN || r->from == TRAFFIC_DEGRADED)
            CHECK(r->to != TRAFFIC_UP || r->event == EVENT_HELD);
        /* DRAINING ends by a person's word. */
        CHECK(r->from != TRAFFIC_DRAINING || r->to == TRAFFIC_DRAINING ||
              r->event == EVENT_RESTORE);
        CHECK(r->to != TRAFFIC_DRAINING || r->from == TRAFFIC_DRAINING || r->event == EVENT_DRAIN);
        /* Blindness and a first doubt move no traffic. */
        if (r->event == EVENT_BLIND || r->event == EVENT_DOUBT)
            CHECK(!(r->action & (ACTION_TAKE_OUT | ACTION_BRING_BACK | ACTION_LESSEN)));
        CHECK(!(r->action & ACTION_CHECK_FAST) || !(r->action & ACTION_CHECK_CALMLY));
    }
}

static void a_first_doubt_wakes_the_next_and_asks_fast(void)
{
    enum { WANTED = ACTION_CHECK_FAST | ACTION_WAKE_STANDBY };
    CHECK((failover_row(TRAFFIC_UP, EVENT_DOUBT)->action & WANTED) == WANTED);
    CHECK((failover_row(TRAFFIC_ASLEEP, EVENT_DOUBT)->action & WANTED) == WANTED);
    CHECK((failover_row(TRAFFIC_UNKNOWN, EVENT_DOUBT)->action & WANTED) == WANTED);
}

static void every_state_can_be_reached_and_left(void)
{
    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++) {
        int in = 0, out = 0;
        for (size_t i = 0; i < failover_table_count; i++) {
            in += failover_table[i].to == s && failover_table[i].from != s;
            out += failover_table[i].from == s && failover_table[i].to != s;
        }
        CHECK(in > 0 && out > 0);
    }
}

static void graphviz_draws_the_table(void)
{
    struct buf dot = BUF_INIT(1 << 20);
    failover_graph(&dot);
    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++)
        CHECK(strstr(buf_str(&dot), traffic_state_name(s)));
    for (enum traffic_event v = 0; v < TRAFFIC_EVENTS; v++)
        CHECK(strstr(buf_str(&dot), traffic_event_name(v)));
    if (system("command -v dot >/dev/null") != 0) {
        printf("# dot is not installed\n");
    } else {
        FILE *pipe = popen("dot -Tsvg >/dev/null", "w");
        CHECK(pipe && fputs(buf_str(&dot), pipe) >= 0);
        CHECK(pipe && pclose(pipe) == 0);
    }
    buf_release(&dot);
}

int main(void)
{
    every_state_and_event_has_exactly_one_row();
    rows_keep_to_what_the_states_mean();
    a_first_doubt_wakes_the_next_and_asks_fast();
    every_state_can_be_reached_and_left();
    graphviz_draws_the_table();
    return DONE();
}
