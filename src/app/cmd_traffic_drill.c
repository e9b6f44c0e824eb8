#include "app/app.h"

#include "app/drill_run.h"
#include "app/drill_view.h"
#include "app/progress.h"
#include "app/traffic_view.h"
#include "base/text.h"
#include "net/loop.h"

#include <string.h>

/* trine traffic drill, trine traffic drills. */

enum { LISTED_MS_DEFAULT_DAYS = 90 };

struct drilling {
    struct app *app;
    struct drill_run *run;
    struct progress *progress;
    struct err *e;
    int status;
};

static void say(const char *text, void *arg)
{
    const struct drilling *d = arg;
    progress_line(d->progress, "%s", text);
}

static void progress(const char *text, void *arg)
{
    const struct drilling *d = arg;
    progress_now(d->progress, "%s", text);
}

static void began(const struct drill_record *r, void *arg)
{
    const struct drilling *d = arg;
    char span[32];

    text_format_span(r->fault_ms, span);
    progress_line(d->progress, "drill %lld: %s of %s, %s for %s", (long long)r->id, r->route,
                  r->environment, r->fault, span);
}

static void ended(const struct err *e, const struct drill_record *r, const struct sketch *times,
                  void *arg)
{
    struct drilling *d = arg;

    if (r && drill_view_one(d->app, r, times, d->e) < 0)
        d->status = -1;
    else if (e) {
        *d->e = *e;
        d->status = -1;
    } else
        d->status = r && r->outcome == DRILL_PASSED ? 0 : 1;
    loop_stop(d->app->loop);
}

static void interrupted(int signal, void *arg)
{
    struct drilling *d = arg;

    (void)signal;
    d->app->interrupted = true;
    drill_run_stop(d->run);
}

static int drill(struct app *a, struct err *e)
{
    struct drilling d = {.app = a, .e = e};
    struct drill_run_options o = {.app = a,
                                  .route = a->o.n_arguments > 1 ? a->o.arguments[1] : a->o.route,
                                  .fault = DRILL_DRAIN,
                                  .for_ms = a->o.for_ms,
                                  .rate = a->o.rate,
                                  .force = a->o.force,
                                  .say = say,
                                  .progress = progress,
                                  .began = began,
                                  .ended = ended,
                                  .arg = &d};

    if (a->o.n_environments != 1)
        return err_set(e, ERR_USAGE,
                       "a drill is of one environment; say which, as: trine traffic drill -e uat "
                       "--fault drain --for 30s");
    o.environment = a->o.environments[0];
    if (a->o.fault && drill_fault_read(a->o.fault, &o.fault, e) < 0)
        return -1;
    d.run = drill_run_new(&o, e);
    if (!d.run)
        return -1;
    if (a->o.dry_run) {
        app_say(a, "would drill %s with fault %s", o.environment, drill_fault_name(o.fault));
        drill_run_free(d.run);
        return 0;
    }
    d.progress = progress_new(a, "drill", 0);
    loop_on_signal(a->loop, interrupted, &d);
    drill_run_start(d.run);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    progress_free(d.progress);
    drill_run_free(d.run);
    return d.status;
}

int traffic_read_from(const struct app *a, int64_t span, int64_t *ret, struct err *e)
{
    int64_t now = clock_wall_ms(&a->clock);

    *ret = now - span;
    if (!a->o.from)
        return 0;
    if (text_duration_ms(a->o.from, &span, e) == 0) {
        *ret = now - span;
        return 0;
    }
    if (clock_parse_utc(a->o.from, ret) == 0)
        return 0;
    return err_set(e, ERR_USAGE,
                   "--from %.40s: give a time as 2026-11-22T15:04:05Z or a span as 30d", a->o.from);
}

static int list(struct app *a, struct err *e)
{
    struct drill_book book = {0};
    const char *route = a->o.n_arguments > 1 ? a->o.arguments[1] : a->o.route;
    int64_t from_ms = 0;
    int rc = traffic_read_from(a, LISTED_MS_DEFAULT_DAYS * INT64_C(86400000), &from_ms, e);

    if (rc == 0)
        rc = drill_book_read(a->store, route, from_ms, INT64_MAX, &book, e);
    if (rc == 0 && book.n == 0 && !a->o.json)
        app_say(a, "no drill was kept in that time; see trine traffic --help");
    if (rc == 0)
        rc = drill_view_book(a, &book, e);
    drill_book_release(&book);
    return rc;
}

int cmd_traffic_drill(struct app *a, struct err *e)
{
    if (app_open_manifest(a, e) < 0 || app_open_net(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    return strcmp(a->o.arguments[0], "drills") == 0 ? list(a, e) : drill(a, e);
}
