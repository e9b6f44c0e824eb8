#include "traffic/failover.h"

#include "base/buf.h"

#include <string.h>

/*
 * The table as a graph: a node a state, an arrow for all events that lead from one state to
 * another. An event that does the same to most states is one arrow from "any state"; what stays
 * where it is is left out.
 */

/* What `event` does to most states, or NULL: the row of one of them. */
static const struct failover_row *common_row(enum traffic_event event)
{
    enum { MOST = 4 };
    const struct failover_row *found = NULL;
    int n = 0;

    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++) {
        const struct failover_row *r = failover_row(s, event);
        if (r->to == s)
            continue;
        if (found && (found->to != r->to || found->action != r->action))
            return NULL;
        found = r;
        n++;
    }
    return n >= MOST ? found : NULL;
}

static void add_label(struct buf *out, const struct failover_row *r)
{
    static const struct {
        unsigned action;
        const char *word;
    } words[] = {
        {ACTION_TAKE_OUT, "take out"},     {ACTION_BRING_BACK, "bring back"},
        {ACTION_LESSEN, "small share"},    {ACTION_WAKE_STANDBY, "wake the next"},
        {ACTION_CHECK_FAST, "check fast"}, {ACTION_WARN, "warn"},
    };
    const char *between = ": ";

    buf_adds(out, traffic_event_name(r->event));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (r->action & words[i].action) {
            buf_addf(out, "%s%s", between, words[i].word);
            between = ", ";
        }
    buf_adds(out, "\\l");
}

static void add_arrow(struct buf *out, enum traffic_state from, enum traffic_state to)
{
    bool any = false;

    for (enum traffic_event v = 0; v < TRAFFIC_EVENTS; v++) {
        const struct failover_row *r = failover_row(from, v);
        if (r->to != to || common_row(v))
            continue;
        if (!any)
            buf_addf(out, "    \"%s\" -> \"%s\" [label=\"", traffic_state_name(from),
                     traffic_state_name(to));
        any = true;
        add_label(out, r);
    }
    if (any)
        buf_adds(out, "\"];\n");
}

static void add_common(struct buf *out, enum traffic_state to)
{
    bool any = false;

    for (enum traffic_event v = 0; v < TRAFFIC_EVENTS; v++) {
        const struct failover_row *r = common_row(v);
        if (!r || r->to != to)
            continue;
        if (!any)
            buf_addf(out, "    \"any state\" -> \"%s\" [style=dashed, label=\"",
                     traffic_state_name(to));
        any = true;
        add_label(out, r);
    }
    if (any)
        buf_adds(out, "\"];\n");
}

void failover_graph(struct buf *out)
{
    static const char *const colours[] = {
        [TRAFFIC_UNKNOWN] = "#e8e8e8",  [TRAFFIC_UP] = "#cfe8cf",
        [TRAFFIC_DEGRADED] = "#f6dfb8", [TRAFFIC_ASLEEP] = "#d5dff0",
        [TRAFFIC_SUSPECT] = "#f7f0b8",  [TRAFFIC_DOWN] = "#f2c9c9",
        [TRAFFIC_DRAINING] = "#e0d3ea",
    };

    buf_adds(out,
             "digraph failover {\n"
             "    graph [fontname=\"sans-serif\", fontsize=11, ranksep=1, nodesep=0.6,\n"
             "        label=\"Draining ends only by restore; down by held, blind or a person's "
             "order.\"];\n"
             "    node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
             "    edge [fontname=\"sans-serif\", fontsize=10];\n"
             "    \"any state\" [style=dashed, fontsize=11];\n");
    for (enum traffic_state s = 0; s < TRAFFIC_STATES; s++)
        buf_addf(out, "    \"%s\" [fillcolor=\"%s\"];\n", traffic_state_name(s), colours[s]);
    for (enum traffic_state from = 0; from < TRAFFIC_STATES; from++)
        for (enum traffic_state to = 0; to < TRAFFIC_STATES; to++)
            if (from != to)
                add_arrow(out, from, to);
    for (enum traffic_state to = 0; to < TRAFFIC_STATES; to++)
        add_common(out, to);
    buf_adds(out, "}\n");
}
