#include "app/order_check.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "traffic/failover.h"

#include <stdlib.h>
#include <string.h>

void orderable_from(struct arena *a, const struct manifest_route *r, struct orderable *ret)
{
    *ret = (struct orderable){.route = arena_strdup(a, r->name),
                              .environments =
                                  arena_array(a, r->n_failover + 1, sizeof(*ret->environments)),
                              .n = r->n_failover};
    for (size_t i = 0; i < ret->n; i++)
        ret->environments[i] = arena_strdup(a, r->failover[i]);
}

/* --- One order -----------------------------------------------------------------------------------
 */

static int no_such_environment(const struct orderable *r, const char *name, struct err *e)
{
    struct buf all = BUF_INIT(65536);

    for (size_t i = 0; i < r->n; i++)
        buf_addf(&all, "%s%s", i ? ", " : "", r->environments[i]);
    (void)err_set(e, ERR_USAGE, "route %s does not lead to %.60s%s, it leads to %.300s", r->route,
                  *name ? name : "an environment", *name ? "" : " without a name", buf_str(&all));
    buf_release(&all);
    return -1;
}

static enum order_kind kind_of(const char *word)
{
    int k = ORDER_WEIGHT;

    while (k <= ORDER_NONE && strcmp(word, order_kind_name((enum order_kind)k)) != 0)
        k++;
    return (enum order_kind)k;
}

static int check_one(const struct orderable *r, const struct traffic_order *o, struct err *e)
{
    const int64_t longest_ms = (int64_t)ORDER_SPAN_MAX_DAYS * 24 * 3600 * 1000;

    if (kind_of(o->kind) > ORDER_NONE)
        return err_set(e, ERR_USAGE,
                       "route %s, %s: there is no order \"%.40s\"; give weight, drain, up, down or "
                       "none",
                       r->route, o->environment, o->kind);
    if (o->weight < 0 || o->weight > 100)
        return err_set(e, ERR_USAGE, "route %s: the weight of %s would be %d; give 0 to 100",
                       r->route, o->environment, o->weight);
    if (o->until_ms && (o->until_ms <= o->made_ms || o->until_ms - o->made_ms > longest_ms))
        return err_set(e, ERR_USAGE,
                       "route %s, %s: an order stands for %d days at most; give a shorter time, or "
                       "none and take it back with: trine traffic restore",
                       r->route, o->environment, ORDER_SPAN_MAX_DAYS);
    return 0;
}

/* --- All of them ---------------------------------------------------------------------------------
 */

struct standing { /* what is ordered of each member, in their order */
    const struct orderable *route;
    int64_t now_ms;
    struct ordered {
        enum order_kind kind;
        int weight;
        bool anew;
    } * members;
};

static struct ordered *ordered_of(struct standing *s, const char *environment)
{
    for (size_t i = 0; i < s->route->n; i++)
        if (strcmp(s->route->environments[i], environment) == 0)
            return &s->members[i];
    return NULL;
}

static void take_standing(const struct traffic_order *o, void *arg)
{
    struct standing *s = arg;
    bool over = o->until_ms && o->until_ms <= s->now_ms;
    struct ordered *m =
        strcmp(o->route, s->route->route) == 0 ? ordered_of(s, o->environment) : NULL;

    if (m && !over)
        *m = (struct ordered){kind_of(o->kind), o->weight, false};
}

/* As the failover table sees it: neither ordered away nor without a part to play. */
static bool may_be_sent_to(const struct ordered *m)
{
    return m->kind != ORDER_DRAIN && m->kind != ORDER_DOWN &&
           (m->kind != ORDER_WEIGHT || m->weight > 0);
}

static int check_somebody_left(const struct standing *s, struct err *e)
{
    struct buf all = BUF_INIT(65536);

    for (size_t i = 0; i < s->route->n; i++) {
        const struct ordered *m = &s->members[i];
        if (may_be_sent_to(m)) {
            buf_release(&all);
            return 0;
        }
        buf_addf(&all, "%s%s %s", i ? ", " : "", s->route->environments[i],
                 m->kind == ORDER_WEIGHT  ? "with weight 0"
                 : m->kind == ORDER_DRAIN ? "drained"
                                          : "called down");
    }
    (void)err_set(e, ERR_USAGE,
                  "route %s: nobody would be left to answer (%.300s); leave one environment, or "
                  "take an order back first with: trine traffic restore -e ENV",
                  s->route->route, buf_str(&all));
    buf_release(&all);
    return -1;
}

static int take_new(struct standing *s, const struct traffic_order *orders, size_t n,
                    bool *ret_away, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct ordered *m = ordered_of(s, orders[i].environment);
        if (!m)
            return no_such_environment(s->route, orders[i].environment, e);
        if (check_one(s->route, &orders[i], e) < 0)
            return -1;
        if (m->anew)
            return err_set(e, ERR_USAGE, "route %s: %s is named twice; give it one order",
                           s->route->route, orders[i].environment);
        *m = (struct ordered){kind_of(orders[i].kind), orders[i].weight, true};
        *ret_away |= !may_be_sent_to(m);
    }
    return 0;
}

int order_check(struct store *s, const struct orderable *r, const struct traffic_order *orders,
                size_t n, struct err *e)
{
    struct standing all = {.route = r,
                           .now_ms = n ? orders[0].made_ms : 0,
                           .members = mem_array(r->n + 1, sizeof(*all.members))};
    bool away = false;

    for (size_t i = 0; i < r->n; i++)
        all.members[i].kind = ORDER_NONE;
    int rc = traffic_order_list(s, false, 0, take_standing, &all, e);
    if (rc == 0)
        rc = take_new(&all, orders, n, &away, e);
    if (rc == 0 && away) /* taking an order back is never refused */
        rc = check_somebody_left(&all, e);
    free(all.members);
    return rc;
}
