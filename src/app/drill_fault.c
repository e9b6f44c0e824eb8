#include "app/drill_fault.h"

#include "app/store_worker.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/bases.h"
#include "net/http_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTROL_MS = 5000,
    SLOW_FAULT_MS = 2000,
    ORDER_MARGIN_MS = 60000, /* an order that nobody ends runs out so long after its drill */
};

struct fault_hand {
    struct http_client *http;
    const char *control; /* NULL: real platforms */
    struct store_worker *worker;
    const struct clock *clock;
    char *route, *environment, *host, *health[2];
    enum drill_fault fault;
    int64_t fault_ms;
    char who[48];  /* of an order: "trine drill 12" */
    char note[96]; /* of a rule: the same with the begin, as stores number their drills alike */
    bool ending;

    /* The call under way. */
    struct http_request request;
    fault_done_fn *done;
    void *arg;
};

int fault_check(const struct bases *bases, enum drill_fault fault, const char *environment,
                struct err *e)
{
    if (fault == DRILL_DRAIN || bases_control(bases))
        return 0;
    return err_set(e, ERR_NO,
                   "fault %s: only the simulator is told to fail (its bases file names its control "
                   "API), and %s is on a real platform; there: trine traffic drill -e %s --fault "
                   "drain",
                   drill_fault_name(fault), environment, environment);
}

struct fault_hand *fault_hand_new(const struct fault_hand_options *o)
{
    struct fault_hand *h = mem_alloc(sizeof(*h));
    struct err ignored = ERR_INIT;

    *h = (struct fault_hand){.http = o->http,
                             .control = bases_control(o->bases),
                             .worker = o->worker,
                             .clock = o->clock,
                             .route = mem_strdup(o->record->route),
                             .environment = mem_strdup(o->record->environment),
                             .host = mem_strdup(o->host),
                             .health = {mem_strdup(o->health[0] ? o->health[0] : ""),
                                        mem_strdup(o->health[1] ? o->health[1] : "")},
                             .fault_ms = o->record->fault_ms};
    /* A word of a later version: what that one began is found by its mark all the same. */
    if (drill_fault_read(o->record->fault, &h->fault, &ignored) < 0)
        h->fault = DRILL_STOP;
    (void)snprintf(h->who, sizeof(h->who), "trine drill %" PRId64, o->record->id);
    (void)snprintf(h->note, sizeof(h->note), "%s begun %" PRId64, h->who, o->record->from_ms);
    return h;
}

void fault_hand_free(struct fault_hand *h)
{
    if (!h)
        return;
    http_request_release(&h->request);
    free(h->route);
    free(h->environment);
    free(h->host);
    free(h->health[0]);
    free(h->health[1]);
    free(h);
}

static void tell(struct fault_hand *h, const struct err *e)
{
    fault_done_fn *done = h->done;

    http_request_release(&h->request);
    h->request = (struct http_request){0};
    done(e, h->arg);
}

/* --- The simulator -------------------------------------------------------------------------------
 */

static json_t *rule_of(const struct fault_hand *h)
{
    json_t *rule =
        json_pack("{s:s, s:s, s:s}", "platform", "sites", "host", h->host, "note", h->note);

    if (h->fault == DRILL_STOP)
        json_object_set_new(rule, "close", json_string("before"));
    else if (h->fault == DRILL_HANG)
        json_object_set_new(rule, "stall", json_true());
    else if (h->fault == DRILL_SLOW)
        json_object_set_new(rule, "delay_ms", json_integer(SLOW_FAULT_MS));
    else
        json_object_set_new(rule, "status", json_integer(503));
    if (h->fault == DRILL_GREY)
        json_object_set_new(rule, "except", json_pack("[s, s]", h->health[0], h->health[1]));
    return rule;
}

/* Those of others in their order; ours, when it begins, before them: the first that fits decides.
 */
static json_t *rules_after(const struct fault_hand *h, const json_t *rules)
{
    json_t *left = json_array();

    if (!h->ending)
        json_array_append_new(left, rule_of(h));
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *rule = json_array_get(rules, i);
        if (strcmp(json_str(rule, "note", ""), h->note) != 0)
            json_array_append(left, rule);
    }
    return left;
}

static bool control_failed(struct fault_hand *h, const struct http_reply *reply)
{
    struct err e = ERR_INIT;

    if (reply->err.kind == ERR_NONE && reply->status == 200)
        return false;
    if (reply->err.kind != ERR_NONE)
        (void)err_set(&e, ERR_NET, "the simulator's control API at %s: %.300s", h->control,
                      reply->err.text);
    else
        (void)err_set(&e, ERR_REMOTE, "the simulator's control API at %s answered %d: %.200s",
                      h->control, reply->status, reply->body);
    tell(h, &e);
    return true;
}

static void rules_set(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct fault_hand *h = arg;

    (void)id;
    if (!control_failed(h, reply))
        tell(h, NULL);
}

static void rules_got(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct fault_hand *h = arg;
    struct err e = ERR_INIT;

    (void)id;
    if (control_failed(h, reply))
        return;
    json_t *rules = json_read(reply->body, reply->len, "the simulator's faults", &e);
    if (!rules) {
        tell(h, &e);
        return;
    }
    json_t *left = rules_after(h, rules);
    bool same = json_equal(rules, left);
    http_request_release(&h->request);
    h->request = (struct http_request){.method = "POST", .timeout_ms = CONTROL_MS};
    http_request_url(&h->request, "%s/faults", h->control);
    http_request_json(&h->request, left);
    json_decref(left);
    json_decref(rules);
    if (same)
        tell(h, NULL);
    else
        (void)http_send(h->http, NULL, &h->request, 0, rules_set, h);
}

static void change_rules(struct fault_hand *h)
{
    h->request = (struct http_request){.method = "GET", .timeout_ms = CONTROL_MS};
    http_request_url(&h->request, "%s/faults", h->control);
    (void)http_send(h->http, NULL, &h->request, 0, rules_got, h);
}

/* --- Orders --------------------------------------------------------------------------------------
 */

static int order_work(struct store *s, void *arg, struct err *e)
{
    const struct fault_hand *h = arg;
    int64_t now = clock_wall_ms(h->clock), id = 0;
    const struct traffic_order o = {.route = h->route,
                                    .environment = h->environment,
                                    .kind = "drain",
                                    .made_ms = now,
                                    .until_ms = now + h->fault_ms + ORDER_MARGIN_MS,
                                    .who = h->who,
                                    .why = "a drill; it ends this order itself"};

    return h->ending ? traffic_order_end_made_by(s, h->who, now, NULL, e)
                     : traffic_order_make(s, &o, &id, e);
}

static void order_done(const struct err *e, void *arg)
{
    tell(arg, e);
}

/* --- Both ----------------------------------------------------------------------------------------
 */

static void act(struct fault_hand *h, bool ending, fault_done_fn *done, void *arg)
{
    h->ending = ending;
    h->done = done;
    h->arg = arg;
    if (h->fault == DRILL_DRAIN)
        store_worker_do(h->worker, "drill: order", order_work, order_done, h);
    else
        change_rules(h);
}

void fault_begin(struct fault_hand *h, fault_done_fn *done, void *arg)
{
    act(h, false, done, arg);
}

void fault_end(struct fault_hand *h, fault_done_fn *done, void *arg)
{
    struct err e = ERR_INIT;

    if (h->fault != DRILL_DRAIN && !h->control) {
        (void)err_set(&e, ERR_NO,
                      "its fault is a rule of a simulator that is not known here; give its bases "
                      "file with --bases");
        done(&e, arg);
        return;
    }
    act(h, true, done, arg);
}
