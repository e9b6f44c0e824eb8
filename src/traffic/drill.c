#include "traffic/drill.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "traffic/drill_canary.h"
#include "traffic/drill_figures.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 100,
    TELL_MS = 1000,
    WELL_BEFORE = 10,       /* good answers in a row before the fault may begin */
    WELL_WITHIN_MS = 60000, /* what sleeps may take its time to wake */
    SETTLE_MS = 1500,       /* what the return costs shows in so long */
    END_AGAIN_MS = 1000,
    END_TRIES = 30,
};

enum phase {
    PHASE_BEFORE,  /* the canary finds the route well */
    PHASE_BEGIN,   /* the fault is asked for */
    PHASE_FAULT,   /* it lasts */
    PHASE_END,     /* its end is asked for */
    PHASE_RETURN,  /* until the environment has its share again */
    PHASE_SETTLE,  /* what the return did */
    PHASE_LANDING, /* nothing is sent any more; the last answers come */
    PHASE_OVER
};

struct drill {
    struct loop *loop;
    struct drill_options o;
    struct canary *canary;
    struct timer *timer;
    enum phase phase;
    int64_t since_us, told_us, wall_zero_us;
    struct drill_moments at;
    struct drill_log log;
    int64_t return_ms;
    int end_tries;
    bool stopped, unended;
    char why[300]; /* it could not go on */
};

/* --- Names --------------------------------------------------------------------------------------
 */

static const char *const fault_names[] = {
    [DRILL_STOP] = "stop", [DRILL_HANG] = "hang", [DRILL_ERRORS] = "errors",
    [DRILL_SLOW] = "slow", [DRILL_GREY] = "grey", [DRILL_DRAIN] = "drain"};
enum { FAULTS = sizeof(fault_names) / sizeof(fault_names[0]) };

const char *drill_fault_name(enum drill_fault f)
{
    return fault_names[f];
}

int drill_fault_read(const char *word, enum drill_fault *ret, struct err *e)
{
    for (size_t i = 0; i < FAULTS; i++)
        if (strcmp(word, fault_names[i]) == 0) {
            *ret = (enum drill_fault)i;
            return 0;
        }
    const char *near = text_did_you_mean(word, fault_names, FAULTS);
    return err_set(e, ERR_USAGE,
                   "fault \"%.40s\": there are stop, hang, errors, slow, grey and drain%s%s%s",
                   word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* --- Going on -----------------------------------------------------------------------------------
 */

static int64_t now_us(const struct drill *d)
{
    return clock_mono_us(loop_clock(d->loop));
}

static int64_t phase_ms(const struct drill *d)
{
    return (now_us(d) - d->since_us) / 1000;
}

static void tell(struct drill *d)
{
    static const char *const words[] = {
        [PHASE_BEFORE] = "the canary asks the route",
        [PHASE_BEGIN] = "the fault begins",
        [PHASE_FAULT] = "the fault lasts",
        [PHASE_END] = "the fault ends",
        [PHASE_RETURN] = "the fault is over; waiting until the environment has its share again",
        [PHASE_SETTLE] = "it has its share again",
        [PHASE_LANDING] = "the last answers come",
        [PHASE_OVER] = "over"};
    struct drill_record r = {0};
    struct sketch times = {0};
    char text[200];
    size_t n = 0;

    d->told_us = now_us(d);
    if (!d->o.progress)
        return;
    const struct canary_shot *shots = canary_shots(d->canary, &n);
    drill_count(shots, n, &d->at, d->o.slow_ms, &r, &times);
    sketch_release(&times);
    int used =
        snprintf(text, sizeof(text), "%s, %" PRId64 " s", words[d->phase], phase_ms(d) / 1000);
    if (d->at.in_force_us)
        (void)snprintf(text + used, sizeof(text) - (size_t)used,
                       "; %" PRId64 " sent, %" PRId64 " lost, %" PRId64 " slow", r.sent, r.lost,
                       r.slow);
    d->o.progress(text, d->o.arg);
}

static void enter(struct drill *d, enum phase p)
{
    d->phase = p;
    d->since_us = now_us(d);
    tell(d);
}

/* Nothing more is sent; the drill ends when the last answer is in. */
static void land(struct drill *d)
{
    canary_stop(d->canary);
    enter(d, PHASE_LANDING);
}

static void __attribute__((format(printf, 2, 3))) give_up(struct drill *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(d->why, sizeof(d->why), fmt, ap);
    va_end(ap);
}

/* --- The fault ----------------------------------------------------------------------------------
 */

static void fault_ended(const struct err *e, void *arg);

static void end_fault(struct drill *d)
{
    timer_stop(d->timer);
    enter(d, PHASE_END);
    d->end_tries++;
    d->o.end(fault_ended, d, d->o.arg);
}

static void fault_ended(const struct err *e, void *arg)
{
    struct drill *d = arg;

    if (e && d->end_tries < END_TRIES) {
        give_up(d, "the fault could not be ended yet: %.200s", e->text);
        timer_start(d->timer, END_AGAIN_MS);
        return;
    }
    d->unended = e != NULL;
    if (e)
        give_up(d, "the fault could not be ended: %.200s", e->text);
    else if (d->at.in_force_us)
        d->why[0] = '\0';
    d->at.over_us = now_us(d);
    if (d->stopped || d->why[0])
        land(d);
    else
        enter(d, PHASE_RETURN);
    timer_start(d->timer, LOOK_MS);
}

static void fault_begun(const struct err *e, void *arg)
{
    struct drill *d = arg;

    if (e) { /* its answer may have been lost on the way, so it is ended all the same */
        give_up(d, "the fault could not be begun: %.200s", e->text);
        end_fault(d);
        return;
    }
    d->at.in_force_us = now_us(d);
    if (d->stopped) {
        end_fault(d);
        return;
    }
    enter(d, PHASE_FAULT);
    timer_start(d->timer, d->o.for_ms < LOOK_MS ? d->o.for_ms : LOOK_MS);
}

static void begin_fault(struct drill *d)
{
    size_t n = 0;
    const struct canary_shot *shots = canary_shots(d->canary, &n);

    d->at.first = drill_first_pending(shots, n);
    d->at.begun_us = now_us(d);
    enter(d, PHASE_BEGIN);
    timer_stop(d->timer);
    d->o.begin(fault_begun, d, d->o.arg);
}

/* --- The phases ---------------------------------------------------------------------------------
 */

static size_t well_in_a_row(const struct drill *d)
{
    size_t n = 0, well = 0;
    const struct canary_shot *shots = canary_shots(d->canary, &n);

    while (n > 0 && shots[n - 1].end == CANARY_PENDING)
        n--;
    while (n > 0 && shots[n - 1].end == CANARY_ANSWERED) {
        n--;
        well++;
    }
    return well;
}

static void look_before(struct drill *d)
{
    if (d->stopped) {
        land(d);
    } else if (well_in_a_row(d) >= WELL_BEFORE) {
        begin_fault(d);
    } else if (phase_ms(d) >= WELL_WITHIN_MS) {
        give_up(d, "no fault was begun: the route did not answer %d requests in a row well: %.160s",
                WELL_BEFORE, canary_trouble(d->canary));
        land(d);
    }
}

static void look_fault(struct drill *d)
{
    int64_t left_ms = d->o.for_ms - phase_ms(d);

    if (d->stopped || left_ms <= 0)
        end_fault(d);
    else if (left_ms < LOOK_MS)
        timer_start(d->timer, left_ms);
}

static void look_return(struct drill *d)
{
    if (d->o.returned(d->o.arg)) {
        int64_t back_us = d->log.brought_back_us ? d->log.brought_back_us : now_us(d);
        d->return_ms = back_us > d->at.over_us ? (back_us - d->at.over_us + 500) / 1000 : 0;
        enter(d, PHASE_SETTLE);
    } else if (d->stopped || phase_ms(d) >= d->o.return_ms) {
        land(d);
    }
}

/* What the record says beside its numbers. */
static const char *verdict(const struct drill *d, struct drill_record *r, char text[400])
{
    r->outcome = DRILL_FAILED;
    if (d->unended)
        r->outcome = DRILL_RUNNING;
    else if (d->stopped || d->why[0])
        r->outcome = DRILL_INTERRUPTED;
    if (d->why[0])
        return d->why;
    if (d->stopped)
        return "stopped by hand; the fault was ended";
    if (r->lost > 0)
        (void)snprintf(text, 400, "%" PRId64 " of %" PRId64 " requests were lost (%.200s)", r->lost,
                       r->sent, canary_trouble(d->canary));
    else if (r->recover_ms < 0)
        (void)snprintf(text, 400, "it did not recover while it was watched");
    else if (r->recover_ms > r->bound_ms)
        (void)snprintf(text, 400, "it recovered after %.1f s, over its bound of %.1f s",
                       (double)r->recover_ms / 1000, (double)r->bound_ms / 1000);
    else if (r->return_ms < 0)
        (void)snprintf(text, 400, "%s had not got its share back %" PRId64 " s after the fault",
                       r->environment, d->o.return_ms / 1000);
    else {
        r->outcome = DRILL_PASSED;
        (void)snprintf(text, 400, "%s",
                       r->detect_ms < 0 ? "the router saw nothing that made it change anything"
                                        : "");
    }
    return text;
}

static void finish(struct drill *d)
{
    struct drill_record r = {.route = d->o.route,
                             .environment = d->o.environment,
                             .fault = drill_fault_name(d->o.fault),
                             .return_ms = d->return_ms,
                             .bound_ms = d->o.bound_ms,
                             .standby_woken = -1,
                             .until_ms = clock_wall_ms(loop_clock(d->loop))};
    struct sketch times = {0};
    char text[400] = "";
    size_t n = 0;
    const struct canary_shot *shots = canary_shots(d->canary, &n);

    enter(d, PHASE_OVER);
    r.from_ms = ((d->at.in_force_us ? d->at.in_force_us : d->since_us) + d->wall_zero_us) / 1000;
    r.fault_ms = d->at.in_force_us ? (d->at.over_us - d->at.in_force_us) / 1000 : 0;
    drill_count(shots, n, &d->at, d->o.slow_ms, &r, &times);
    drill_times(&d->log, &d->at, &r);
    r.text = verdict(d, &r, text);
    d->o.done(&r, &times, d->o.arg);
    sketch_release(&times);
}

static void look(void *arg)
{
    struct drill *d = arg;

    timer_start(d->timer, LOOK_MS);
    if (now_us(d) - d->told_us >= TELL_MS * INT64_C(1000))
        tell(d);
    switch (d->phase) {
    case PHASE_BEFORE:
        look_before(d);
        break;
    case PHASE_FAULT:
        look_fault(d);
        break;
    case PHASE_END: /* once more */
        end_fault(d);
        break;
    case PHASE_RETURN:
        look_return(d);
        break;
    case PHASE_SETTLE:
        if (d->stopped || phase_ms(d) >= SETTLE_MS)
            land(d);
        break;
    case PHASE_LANDING:
        if (canary_in_flight(d->canary) == 0) {
            timer_stop(d->timer);
            finish(d);
        }
        break;
    case PHASE_BEGIN:
    case PHASE_OVER:
        timer_stop(d->timer);
        break;
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

struct drill *drill_new(struct loop *loop, struct http_client *client,
                        const struct drill_options *o)
{
    struct drill *d = mem_alloc(sizeof(*d));

    assert(o->for_ms > 0 && o->for_ms <= DRILL_FOR_MAX_MS && o->rate <= DRILL_RATE_MAX);
    *d = (struct drill){.loop = loop, .o = *o, .return_ms = -1};
    if (d->o.slow_ms == 0)
        d->o.slow_ms = DRILL_SLOW_MS;
    if (!(d->o.rate > 0))
        d->o.rate = DRILL_RATE;
    d->canary = canary_new(loop, client,
                           &(struct canary_options){.url = d->o.url,
                                                    .host = d->o.host ? d->o.host : "",
                                                    .rate = d->o.rate,
                                                    .patience_ms = DRILL_PATIENCE_MS});
    d->timer = timer_new(loop, look, d);
    return d;
}

void drill_start(struct drill *d)
{
    d->wall_zero_us = clock_wall_ms(loop_clock(d->loop)) * 1000 - now_us(d);
    canary_start(d->canary);
    enter(d, PHASE_BEFORE);
    timer_start(d->timer, LOOK_MS);
}

void drill_changed(struct drill *d, const struct traffic_change *c)
{
    if (strcmp(c->environment, d->o.environment) == 0)
        drill_log_take(&d->log, &d->at, c, d->wall_zero_us);
}

void drill_stop(struct drill *d)
{
    d->stopped = true;
    if (d->phase != PHASE_BEGIN && d->phase != PHASE_END && d->phase != PHASE_OVER)
        timer_start(d->timer, 0);
}

void drill_free(struct drill *d)
{
    if (!d)
        return;
    canary_free(d->canary);
    timer_free(d->timer);
    free(d);
}
