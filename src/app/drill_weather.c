#include "app/drill_run_inner.h"

#include "app/app.h"
#include "app/order_check.h"
#include "base/text.h"
#include "store/incident.h"

#include <string.h>

/*
 * A drill is for calm weather: somebody else is left to answer the users, and nothing of the route
 * has failed already. What an earlier drill has caused is no weather: its incident may be open for
 * as long as a slow check takes to look again.
 */

enum { DRILLS_READ = 64, AFTER_MS = 60000, WINDOW_MS = 1000 };

struct weather {
    const struct drill_run *run;
    int64_t now_ms;
    struct earlier {
        int64_t from_ms, until_ms;
        char environment[80];
    } drills[DRILLS_READ];
    size_t n_drills;
    struct err *err; /* of the newest incident that is in the way */
};

static void take_drill(const struct drill_record *d, void *arg)
{
    struct weather *w = arg;
    struct earlier *k = &w->drills[w->n_drills++];

    k->from_ms = d->from_ms;
    k->until_ms = (d->until_ms ? d->until_ms : w->now_ms) + AFTER_MS;
    (void)text_copy(k->environment, sizeof(k->environment), d->environment);
}

static bool caused_by_a_drill(const struct weather *w, const struct incident *i)
{
    for (size_t k = 0; k < w->n_drills; k++) {
        const struct earlier *d = &w->drills[k];
        if (i->from_ms >= d->from_ms && i->from_ms <= d->until_ms &&
            (!*i->environment || strcmp(i->environment, d->environment) == 0))
            return true;
    }
    return false;
}

/* An incident without an environment or an app is of several. */
static bool touches(const struct drill_run *r, const struct incident *i)
{
    bool leads_there = !*i->environment;

    for (size_t k = 0; k < r->n_places; k++)
        leads_there |= strcmp(r->places[k].name, i->environment) == 0;
    return leads_there && (!*i->app || strcmp(i->app, r->app_name) == 0);
}

static void take_incident(const struct incident *i, void *arg)
{
    struct weather *w = arg;
    bool of_itself = strcmp(i->kind, "drill") == 0,
         only_said =
             strcmp(i->kind, "status") == 0; /* what fails by it is an incident of its own */

    if (w->err->kind != ERR_NONE || i->until_ms != 0 || of_itself || only_said ||
        !touches(w->run, i) || caused_by_a_drill(w, i))
        return;
    (void)err_set(w->err, ERR_NO,
                  "incident %lld is open (%.200s), and a drill is for calm weather; wait until it "
                  "is over, see trine incidents %lld",
                  (long long)i->id, i->title, (long long)i->id);
}

/* By the orders of people, also those that the router has not seen yet, and by what it says. */
static int check_somebody_left(struct store *s, const struct drill_run *r, struct err *e)
{
    const char *names[sizeof(r->places) / sizeof(r->places[0])];
    const struct orderable route = {
        .route = r->record.route, .environments = names, .n = r->n_places};
    const struct traffic_order away = {.route = r->record.route,
                                       .environment = r->record.environment,
                                       .kind = "drain",
                                       .made_ms = clock_wall_ms(&r->o.app->clock),
                                       .who = "",
                                       .why = ""};
    struct err why = ERR_INIT;

    for (size_t i = 0; i < r->n_places; i++)
        names[i] = r->places[i].name;
    int rc = order_check(s, &route, &away, 1, &why);
    if (rc < 0 && why.kind != ERR_USAGE) {
        *e = why;
        return -1;
    }
    if (rc == 0 && (!r->now.known || r->now.others_up > 0))
        return 0;
    return err_set(
        e, ERR_NO,
        "%s is the only environment of route %s that is up: users would lose everything; "
        "bring another one back first, see trine traffic status",
        r->record.environment, r->record.route);
}

int drill_run_check_calm(struct store *s, const struct drill_run *r, struct err *e)
{
    struct weather w = {.run = r, .now_ms = clock_wall_ms(&r->o.app->clock), .err = e};

    if (check_somebody_left(s, r, e) < 0)
        return -1;
    if (*r->now.ill)
        return err_set(
            e, ERR_NO,
            "%s is %s, and a drill of %s is for calm weather; wait until all are up, see "
            "trine traffic status",
            r->now.ill, r->now.ill_state, r->record.environment);
    if (drill_list(s, NULL, 0, INT64_MAX, DRILLS_READ, take_drill, &w, e) < 0 ||
        incident_list(s, 0, w.now_ms - WINDOW_MS, INT64_MAX, 0, take_incident, &w, e) < 0)
        return -1;
    return e->kind == ERR_NONE ? 0 : -1;
}
