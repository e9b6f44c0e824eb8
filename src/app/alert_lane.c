#include "app/alert_lane.h"

#include "base/mem.h"
#include "base/text.h"
#include "deploy/backoff.h"

#include <stdlib.h>
#include <string.h>

/* One alert's way of sending (alert_lane.h). */

enum {
    LOOK_MS = 30000, /* another process may have written something down, or a clock was set */
    SOONEST_MS = 20,
    TROUBLE_MS = 5000, /* the store does not answer */
    FIRST_PAUSE_MS = 5000,
    LONGEST_PAUSE_MS = 10 * 60 * 1000,
    GIVE_UP_MS = 24 * 3600 * 1000,
};

struct turn {
    struct lane *lane;
    struct arena arena;
    struct outbox_rule rule;
    struct outbox_message message; /* id 0: none is due */
    int64_t next_ms;
    struct lost *lost;

    /* What came of it */
    enum outbox_state state;
    int64_t again_ms;
    const char *answer;
};

struct lost { /* a message of an earlier process of which nobody knows whether it arrived */
    struct lost *next;
    struct outbox_message message;
};

/* --- What it is for -----------------------------------------------------------------------------
 */

static void read_filters(struct lane *l, const struct manifest_alert *m)
{
    l->events = m->events;
    l->urgent = m->urgent;
    for (int v = 0; v <= ON_NOTICE; v++)
        if (m->urgent & (1u << v))
            l->urgent_names[l->n_urgent++] = alert_event_name((enum alert_event)v);
    l->environments = mem_array(m->n_environments + 1, sizeof(*l->environments));
    for (; l->n_environments < m->n_environments; l->n_environments++)
        l->environments[l->n_environments] = mem_strdup(m->environments[l->n_environments]);
}

static void timer_fired(void *arg)
{
    lane_look(arg);
}

void lane_new(struct alerter *a, const struct manifest_alert *m)
{
    struct lane *l = mem_alloc(sizeof(*l));
    struct err e = ERR_INIT;

    *l = (struct lane){.next = a->lanes,
                       .at = &a->lanes,
                       .alerter = a,
                       .name = mem_strdup(m->name),
                       .repeat_ms = m->repeat_ms,
                       .quiet = m->quiet};
    if (l->next)
        l->next->at = &l->next;
    a->lanes = l;
    l->timer = timer_new(a->app->loop, timer_fired, l);
    read_filters(l, m);
    if (zone_open(m->time_zone, &l->zone, &e) == 0 &&
        alert_place_open(a->app, m, &l->place, &e) == 0)
        l->usable = true;
    else
        app_say(a->app, "alert %s cannot be sent, what it would tell waits in the store: %s",
                l->name, e.text);
}

bool lane_wants(const struct lane *l, const struct alert_matter *m)
{
    if (l->gone || !(l->events & (1u << m->event)))
        return false;
    for (size_t i = 0; i < l->n_environments && *m->environment; i++)
        if (strcmp(l->environments[i], m->environment) == 0)
            return true;
    return l->n_environments == 0 || !*m->environment;
}

static int64_t quiet_until(const struct lane *l, int64_t now_ms)
{
    if (!l->zone || l->quiet.from == l->quiet.to)
        return 0;
    return zone_span_end(l->zone, l->quiet.from, l->quiet.to, now_ms);
}

bool lane_is_quiet(const struct lane *l, enum alert_event event)
{
    return !(l->urgent & (1u << event)) &&
           quiet_until(l, clock_wall_ms(&l->alerter->app->clock)) > 0;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void turn_free(struct turn *t)
{
    t->lane->turn = NULL;
    t->lane->alerter->turns--;
    arena_release(&t->arena);
    free(t);
}

static void lane_free(struct lane *l)
{
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    timer_free(l->timer);
    alert_place_release(&l->place);
    zone_free(l->zone);
    for (size_t i = 0; i < l->n_environments; i++)
        free(l->environments[i]);
    free(l->environments);
    free(l->name);
    free(l);
}

void lane_drop(struct lane *l)
{
    l->gone = true;
    if (l->state == LANE_IDLE)
        lane_free(l);
}

void lane_abandon(struct lane *l)
{
    l->gone = true;
    timer_free(l->timer);
    l->timer = NULL;
    if (l->state == LANE_STORE) /* the job's end frees it */
        return;
    if (l->turn)
        turn_free(l->turn);
    lane_free(l);
}

/* Idle until `ms` from now; true when it still is afterwards. */
static void rest(struct lane *l, int64_t ms)
{
    l->state = LANE_IDLE;
    if (l->gone)
        lane_free(l);
    else if (l->again)
        lane_look(l);
    else if (!l->alerter->stopped)
        timer_start(l->timer, ms < SOONEST_MS ? SOONEST_MS : ms > LOOK_MS ? LOOK_MS : ms);
}

/* --- What came of it ----------------------------------------------------------------------------
 */

static void tell(const struct lane *l, const struct outbox_message *m, enum outbox_state state,
                 const char *answer)
{
    const struct alerter *a = l->alerter;
    struct alert_told told = {.alert = l->name,
                              .how = state == OUTBOX_SENT     ? TOLD_SENT
                                     : state == OUTBOX_FAILED ? TOLD_FAILED
                                                              : TOLD_UNKNOWN,
                              .answer = answer,
                              .at_ms = clock_wall_ms(&a->app->clock)};

    for (size_t i = 0; i < m->n && a->o.told && !a->freed; i++) {
        told.key = m->matters[i].key;
        told.incident = m->matters[i].incident;
        a->o.told(&told, a->o.arg);
    }
}

static void settled(const struct err *e, void *arg);

static int settle(struct store *s, void *arg, struct err *e)
{
    const struct turn *t = arg;

    return outbox_settle(s, t->message.id, t->state, t->again_ms, t->answer, e);
}

static void settle_now(struct lane *l)
{
    l->state = LANE_STORE;
    alerter_do(l->alerter, settle, settled, l->turn);
}

static void settled(const struct err *e, void *arg)
{
    struct turn *t = arg;
    struct lane *l = t->lane;
    struct alerter *a = l->alerter;

    if (e && !a->stopped) {
        l->state = LANE_UNSETTLED;
        timer_start(l->timer, TROUBLE_MS);
        alerter_done(a);
        return;
    }
    if (e)
        app_say(a->app, "alert %s: what came of its message could not be written down: %s", l->name,
                e->text);
    else if (t->state != OUTBOX_WAITING)
        tell(l, &t->message, t->state, t->answer);
    bool sent = t->state == OUTBOX_SENT;
    int64_t pause = t->again_ms - t->rule.now_ms;
    turn_free(t);
    l->again = l->again || sent;
    rest(l, pause);
    alerter_done(a);
}

/* Doubling, with a random part so that alerts which failed together do not come back together. */
static int64_t pause_of(struct alerter *a, int attempts, const struct alert_result *r)
{
    int64_t pause = FIRST_PAUSE_MS;

    for (int i = 1; i < attempts && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_MS || r->how == ALERT_MENDABLE)
        pause = LONGEST_PAUSE_MS;
    pause = pause / 2 + (int64_t)(backoff_random(&a->random) % (uint64_t)(pause / 2 + 1));
    return pause > r->after_ms ? pause : r->after_ms;
}

static void say_result(const struct lane *l, const struct turn *t)
{
    const struct app *app = l->alerter->app;
    char pause[32];

    if (t->state == OUTBOX_FAILED) {
        app_say(app, "alert %s: given up after %d attempts: %s: %s", l->name, t->message.attempts,
                t->message.n ? t->message.matters[t->message.n - 1].title : "", t->answer);
    } else if (t->state == OUTBOX_WAITING && (t->message.attempts == 1 || app->o.verbose)) {
        text_format_span((t->again_ms - t->rule.now_ms) / 1000 * 1000 + 1000, pause);
        app_say(app, "alert %s: not told yet, next attempt in %s: %s", l->name, pause, t->answer);
    }
}

static void sent(const struct alert_result *r, void *arg)
{
    struct turn *t = arg;
    struct lane *l = t->lane;
    int64_t now = clock_wall_ms(&l->alerter->app->clock);
    bool late = now - t->message.made_ms >= GIVE_UP_MS;

    t->rule.now_ms = now;
    t->answer = arena_strdup(&t->arena, r->answer);
    t->again_ms = 0;
    if (r->how == ALERT_ARRIVED) {
        t->state = OUTBOX_SENT;
    } else if (r->how == ALERT_REFUSED || late) {
        t->state = OUTBOX_FAILED;
    } else {
        t->state = OUTBOX_WAITING;
        t->again_ms = now + pause_of(l->alerter, t->message.attempts, r);
    }
    say_result(l, t);
    settle_now(l);
}

/* --- Taking a message ---------------------------------------------------------------------------
 */

static void note_lost(const struct outbox_message *m, void *arg)
{
    struct turn *t = arg;
    struct lost *n = arena_alloc(&t->arena, sizeof(*n));
    struct outbox_matter *matters = arena_array(&t->arena, m->n + 1, sizeof(*matters));

    for (size_t i = 0; i < m->n; i++)
        matters[i] = (struct outbox_matter){
            .key = arena_strdup(&t->arena, m->matters[i].key),
            .title = arena_strdup(&t->arena, m->matters[i].title),
            .incident = m->matters[i].incident,
        };
    *n = (struct lost){.next = t->lost, .message = {.id = m->id, .matters = matters, .n = m->n}};
    t->lost = n;
}

static int take(struct store *s, void *arg, struct err *e)
{
    struct turn *t = arg;

    t->lost = NULL;
    if (outbox_recover(s, t->rule.alert, note_lost, t, e) < 0)
        return -1;
    return outbox_take(s, &t->rule, &t->arena, &t->message, &t->next_ms, e);
}

static void send_message(struct turn *t)
{
    static const enum alert_form forms[] = {ALERT_FORM_SINGLE, ALERT_FORM_FOLDED, ALERT_FORM_QUIET};
    struct lane *l = t->lane;
    const struct outbox_message *m = &t->message;
    struct alert_line *lines = arena_array(&t->arena, m->n + 1, sizeof(*lines));

    for (size_t i = 0; i < m->n; i++) {
        const struct outbox_matter *v = &m->matters[i];
        lines[i] = (struct alert_line){.key = v->key,
                                       .event = v->event,
                                       .environment = v->environment,
                                       .title = v->title,
                                       .text = v->text,
                                       .link = v->link,
                                       .incident = v->incident,
                                       .at_ms = v->at_ms};
    }
    const struct alert_content content = {.project = l->alerter->project,
                                          .alert = l->name,
                                          .uid = m->uid,
                                          .form = forms[m->kind],
                                          .lines = lines,
                                          .n = m->n,
                                          .more = m->more,
                                          .now_ms = t->rule.now_ms};
    l->state = LANE_SENDING;
    alert_send(l->alerter->sender, &l->place, &content, sent, t);
}

/* It was marked as being sent, but will not be: nobody must think that it may have arrived. */
static void put_back(struct turn *t)
{
    t->state = OUTBOX_WAITING;
    t->again_ms = t->rule.now_ms;
    t->answer = "trine ended before it was sent";
    settle_now(t->lane);
}

static void say_lost(const struct lane *l, const struct turn *t)
{
    for (const struct lost *n = t->lost; n; n = n->next) {
        app_say(l->alerter->app,
                "alert %s: trine ended while it sent this, and whether it arrived is unknown; it "
                "is not sent again: %s",
                l->name, n->message.n ? n->message.matters[n->message.n - 1].title : "");
        tell(l, &n->message, OUTBOX_UNKNOWN,
             "trine ended before an answer came: whether it arrived is unknown");
    }
}

static void say_trouble(struct lane *l, const struct err *e)
{
    if (!l->troubled)
        app_say(l->alerter->app, "alert %s: the store does not answer, trying on: %s", l->name,
                e->text);
    l->troubled = true;
}

static void taken(const struct err *e, void *arg)
{
    struct turn *t = arg;
    struct lane *l = t->lane;
    struct alerter *a = l->alerter;
    int64_t pause = TROUBLE_MS;

    if (e) {
        say_trouble(l, e);
    } else {
        l->troubled = false;
        say_lost(l, t);
        if (t->message.id) {
            if (a->stopped)
                put_back(t);
            else
                send_message(t);
            alerter_done(a);
            return;
        }
        pause = t->next_ms ? t->next_ms - t->rule.now_ms : LOOK_MS;
    }
    turn_free(t);
    rest(l, pause);
    alerter_done(a);
}

void lane_look(struct lane *l)
{
    struct alerter *a = l->alerter;
    int64_t now = clock_wall_ms(&a->app->clock);

    l->again = l->state != LANE_IDLE;
    if (l->state == LANE_UNSETTLED)
        settle_now(l);
    if (l->again || l->gone || !l->usable || a->stopped)
        return;
    struct turn *t = mem_alloc(sizeof(*t));
    *t = (struct turn){.lane = l,
                       .rule = {.alert = l->name,
                                .now_ms = now,
                                .repeat_ms = l->repeat_ms,
                                .quiet_until_ms = quiet_until(l, now),
                                .urgent = l->urgent_names,
                                .n_urgent = l->n_urgent,
                                .repeatable = l->place.kind == ALERT_WEBHOOK}};
    l->turn = t;
    l->state = LANE_STORE;
    a->turns++;
    alerter_do(a, take, taken, t);
}
