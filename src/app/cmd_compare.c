#include "app/app.h"
#include "app/self_test_kept.h"
#include "app/window.h"

#include "base/buf.h"
#include "compare/comparison.h"
#include "report/report.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* trine compare and trine report: the same comparison on the terminal and in files. */

static bool target_missed(const struct comparison *c)
{
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *r = &c->environments[i];
        for (size_t k = 0; k < N_METRICS; k++)
            if (r->figures[k].target > 0 && r->figures[k].state == TARGET_MISSED)
                return true;
    }
    return false;
}

static int open_all(struct app *a, struct comparison **ret, struct err *e)
{
    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    for (size_t i = 0; i < a->o.n_environments; i++)
        if (!manifest_environment_find(a->manifest, a->o.environments[i]))
            return err_set(e, ERR_USAGE, "-e %.60s: the manifest has no such environment",
                           a->o.environments[i]);
    return window_comparison(a, ret, e);
}

/* trine compare -e a,b: is the first one worse in anything? */
static bool first_is_worse(const struct app *a, const struct comparison *c)
{
    if (a->o.n_environments != 2 || c->n_pairs != 1)
        return false;
    const struct pair_result *r = &c->pairs[0];
    bool turned = strcmp(c->environments[r->a].name, a->o.environments[0]) != 0;
    for (enum metric m = 0; m < N_COMPARED; m++)
        if (r->metrics[m].verdict == (turned ? VERDICT_BETTER : VERDICT_WORSE))
            return true;
    return false;
}

/* --- The self-test ------------------------------------------------------------------------------
 */

enum { SELF_TEST_DAYS = 200, SELF_TEST_SEED = 20221 };

static void self_test_row(struct table *t, const char *what, const struct self_test_result *r)
{
    char rate[32], range[80];

    metric_format_rate(r->rate.value, rate);
    metric_format_range(METRIC_SUCCESS, r->rate.low, r->rate.high, range);
    table_row(t);
    table_cell(t, TONE_PLAIN, "%s", what);
    table_cell(t, TONE_PLAIN, "%u", r->rounds);
    table_cell(t, TONE_PLAIN, "%u", r->decided);
    table_cell(t, TONE_STRONG, "%s", rate);
    table_cell(t, TONE_PLAIN, "%s", range);
}

static json_t *self_test_json(const char *what, const struct self_test_result *r)
{
    return json_pack("{s:s, s:i, s:i, s:f, s:f, s:f}", "data", what, "rounds", (int)r->rounds,
                     "false_winners", (int)r->decided, "rate", r->rate.value, "low", r->rate.low,
                     "high", r->rate.high);
}

static int print_self_test(struct app *a, const struct comparison *c,
                           const struct self_test_result *simulated, struct err *e)
{
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(1 << 20);
    struct table *t = table_new();

    table_column(t, "Data", TABLE_LEFT, true);
    table_column(t, "Rounds", TABLE_RIGHT, false);
    table_column(t, "False winners", TABLE_RIGHT, false);
    table_column(t, "Rate", TABLE_RIGHT, false);
    table_column(t, "Range", TABLE_RIGHT, false);
    self_test_row(t, "simulated days", simulated);
    for (size_t i = 0; c && i < c->n_environments; i++)
        if (c->self_tests[i].rounds > 0)
            self_test_row(t, c->environments[i].name, &c->self_tests[i]);
    table_print(t, &look, &b);
    table_free(t);
    table_paragraph(&b, &look, 0,
                    "Each round compares an environment with itself on average, median, p95 and "
                    "success, so every winner is a false one. It must stay at 5% or under.");
    if (!c)
        table_paragraph(&b, &look, 0, "There is no stored sample in this window to test on.");
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

static int print_self_test_json(struct app *a, const struct comparison *c,
                                const struct self_test_result *simulated, struct err *e)
{
    json_t *rows = json_array();

    json_array_append_new(rows, self_test_json("simulated days", simulated));
    for (size_t i = 0; c && i < c->n_environments; i++)
        if (c->self_tests[i].rounds > 0)
            json_array_append_new(rows, self_test_json(c->environments[i].name, &c->self_tests[i]));
    return app_print_json(a, json_pack("{s:f, s:o}", "alpha", 0.05, "self_test", rows), e);
}

static bool is_too_often(const struct comparison *c, const struct self_test_result *simulated)
{
    bool bad = simulated->rate.low > 0.05;

    for (size_t i = 0; c && i < c->n_environments; i++)
        bad |= c->self_tests[i].rounds > 0 && c->self_tests[i].rate.low > 0.05;
    return bad;
}

/* Exit status 1 when false winners are surely more frequent than the level allows. */
static int self_test(struct app *a, struct err *e)
{
    struct comparison *c = NULL;
    struct self_test_result simulated;

    if (open_all(a, &c, e) < 0 && e->kind != ERR_NO)
        return -1;
    *e = ERR_INIT;
    if (c && self_test_keep(a->store, c, clock_wall_ms(&a->clock), e) < 0) {
        comparison_free(c);
        return -1;
    }
    self_test_simulated(&day_default, (unsigned)(a->o.days ? a->o.days : SELF_TEST_DAYS), 0.95,
                        SELF_TEST_SEED, &simulated);
    int rc = a->o.json ? print_self_test_json(a, c, &simulated, e)
                       : print_self_test(a, c, &simulated, e);
    bool bad = is_too_often(c, &simulated);
    comparison_free(c);
    return rc < 0 ? rc : bad ? err_exit_code(ERR_NO) : 0;
}

/* --- The commands -------------------------------------------------------------------------------
 */

int cmd_compare(struct app *a, struct err *e)
{
    if (a->o.self_test)
        return self_test(a, e);
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = NULL;

    if (open_all(a, &c, e) < 0)
        return -1;
    if (a->o.json)
        report_json(c, &b);
    else
        report_text(c, &look, a->o.verbose > 0, &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    bool no = target_missed(c) || first_is_worse(a, c);
    comparison_free(c);
    return rc < 0 ? rc : no ? err_exit_code(ERR_NO) : 0;
}

static int write_report(const struct app *a, const char *dir, const char *name, struct buf *b,
                        struct err *e)
{
    char path[PATH_MAX];

    if (buf_over(b))
        return err_set(e, ERR_BUG, "%s would be larger than %d bytes", name, REPORT_MAX_BYTES);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (file_write_atomic(path, buf_str(b), b->len, 0644, e) < 0)
        return -1;
    app_say(a, "wrote %s", path);
    buf_clear(b);
    return 0;
}

int cmd_report(struct app *a, struct err *e)
{
    const char *dir = a->o.output ? a->o.output : ".";
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = NULL;

    if (open_all(a, &c, e) < 0)
        return -1;
    int rc = a->o.dry_run ? 0 : dir_make(dir, e);
    if (rc == 0) {
        report_json(c, &b);
        if (a->o.json)
            rc = app_print(a, &b, e);
    }
    if (rc == 0 && a->o.dry_run)
        app_say(a, "would write environment_comparison.json and .html to %s", dir);
    else if (rc == 0)
        rc = write_report(a, dir, "environment_comparison.json", &b, e);
    if (rc == 0 && !a->o.dry_run) {
        report_html(c, &b);
        rc = write_report(a, dir, "environment_comparison.html", &b, e);
    }
    buf_release(&b);
    comparison_free(c);
    return rc;
}
