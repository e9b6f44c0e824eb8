#include "app/drill_view.h"

#include "app/app.h"
#include "app/json_out.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "compare/interval.h"
#include "compare/metric.h"
#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double confidence = 0.95;
enum { OUTPUT_MAX = 64 << 20 };

/* --- Many ----------------------------------------------------------------------------------------
 */

struct reading {
    struct drill_book *book;
    size_t size;
};

static void keep(const struct drill_record *d, void *arg)
{
    struct reading *in = arg;
    struct drill_book *b = in->book;

    if (b->n == in->size) {
        in->size = in->size ? 2 * in->size : 64;
        b->rows = mem_grow(b->rows, in->size, sizeof(*b->rows));
    }
    struct drill_record *k = &b->rows[b->n++];
    *k = *d;
    k->route = arena_strdup(&b->arena, d->route);
    k->environment = arena_strdup(&b->arena, d->environment);
    k->fault = arena_strdup(&b->arena, d->fault);
    k->text = arena_strdup(&b->arena, d->text);
}

int drill_book_read(struct store *s, const char *route, int64_t from_ms, int64_t until_ms,
                    struct drill_book *ret, struct err *e)
{
    struct reading in = {.book = ret};

    return drill_list(s, route, from_ms, until_ms, 0, keep, &in, e);
}

void drill_book_release(struct drill_book *b)
{
    arena_release(&b->arena);
    free(b->rows);
    *b = (struct drill_book){0};
}

/* Of one fault: the recovery of all that ended by themselves. One that did not recover while it was
 * watched counts with the time it was watched for, which is too short. */
struct recovery {
    const char *fault;
    struct sketch times;
    int64_t lost;
};

static bool ended_by_itself(const struct drill_record *d)
{
    return d->outcome == DRILL_PASSED || d->outcome == DRILL_FAILED;
}

static size_t recoveries(const struct drill_book *b, struct recovery *ret, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct drill_record *d = &b->rows[i];
        size_t k = 0;
        if (!ended_by_itself(d))
            continue;
        while (k < n && strcmp(ret[k].fault, d->fault) != 0)
            k++;
        if (k == most)
            continue;
        if (k == n)
            ret[n++] = (struct recovery){.fault = d->fault};
        sketch_add(&ret[k].times,
                   (d->recover_ms >= 0 ? d->recover_ms : d->until_ms - d->from_ms) * 1000);
        ret[k].lost += d->lost;
    }
    return n;
}

enum { FAULTS_MAX = 8 };

/* --- JSON ----------------------------------------------------------------------------------------
 */

static void out_ms(struct json_out *o, const char *name, int64_t ms)
{
    out_key(o, name);
    if (ms < 0)
        out_null(o);
    else
        out_int(o, ms);
}

void drill_json(struct json_out *o, const struct drill_record *d)
{
    out_open(o, '{');
    out_int_of(o, "id", d->id);
    out_text_of(o, "route", d->route);
    out_text_of(o, "environment", d->environment);
    out_text_of(o, "fault", d->fault);
    out_text_of(o, "outcome", drill_outcome_name(d->outcome));
    out_time_of(o, "from", d->from_ms);
    out_time_of(o, "until", d->until_ms);
    out_int_of(o, "fault_ms", d->fault_ms);
    out_int_of(o, "sent", d->sent);
    out_int_of(o, "lost", d->lost);
    out_int_of(o, "slow", d->slow);
    out_ms(o, "detect_ms", d->detect_ms);
    out_ms(o, "decide_ms", d->decide_ms);
    out_ms(o, "apply_ms", d->apply_ms);
    out_ms(o, "recover_ms", d->recover_ms);
    out_ms(o, "return_ms", d->return_ms);
    out_int_of(o, "bound_ms", d->bound_ms);
    out_key(o, "standby_woken");
    if (d->standby_woken < 0)
        out_null(o);
    else
        out_flag(o, d->standby_woken);
    out_text_of(o, "text", d->text);
    out_close(o, '}');
}

void drill_recovery_json(struct json_out *o, const struct drill_book *b)
{
    struct recovery all[FAULTS_MAX];
    size_t n = recoveries(b, all, FAULTS_MAX);

    out_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        out_open(o, '{');
        out_text_of(o, "fault", all[i].fault);
        out_int_of(o, "n", (int64_t)all[i].times.n);
        out_key(o, "p50_ms"), out_us(o, llround(sketch_quantile(&all[i].times, 0.5)));
        out_key(o, "p95_ms"), out_us(o, llround(sketch_quantile(&all[i].times, 0.95)));
        out_key(o, "max_ms"), out_us(o, all[i].times.max_us);
        out_int_of(o, "lost", all[i].lost);
        out_close(o, '}');
        sketch_release(&all[i].times);
    }
    out_close(o, ']');
}

/* --- For people ----------------------------------------------------------------------------------
 */

static void cell_ms(struct table *t, int64_t ms)
{
    char text[32];

    if (ms < 0) {
        table_cell(t, TONE_DIM, "-");
        return;
    }
    metric_format_ms((double)ms, text);
    table_cell(t, TONE_PLAIN, "%s", text);
}

static void cell_outcome(struct table *t, const struct drill_record *d)
{
    static const enum table_tone tones[] = {[DRILL_RUNNING] = TONE_WARN,
                                            [DRILL_PASSED] = TONE_GOOD,
                                            [DRILL_FAILED] = TONE_BAD,
                                            [DRILL_INTERRUPTED] = TONE_WARN};
    table_cell(t, tones[d->outcome], "%s", drill_outcome_name(d->outcome));
}

static struct table *drills_table(const struct drill_record *rows, size_t n)
{
    static const char *const numbers[] = {"sent",   "lost",  "slow",    "detect",
                                          "decide", "apply", "recover", "return"};
    struct table *t = table_new();

    for (size_t i = 0; i < 6; i++)
        table_column(t,
                     ((const char *const[]){"DRILL", "begun", "route", "environment", "fault",
                                            "outcome"})[i],
                     TABLE_LEFT, false);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        table_column(t, numbers[i], TABLE_RIGHT, false);
    table_column(t, "standby", TABLE_LEFT, false);
    table_column(t, "why", TABLE_LEFT, true);
    for (size_t i = 0; i < n; i++) {
        const struct drill_record *d = &rows[i];
        char begun[32];
        clock_format_utc(d->from_ms, begun);
        table_row(t);
        table_cell(t, TONE_STRONG, "%" PRId64, d->id);
        table_cell(t, TONE_DIM, "%s", begun);
        table_cell(t, TONE_PLAIN, "%s", d->route);
        table_cell(t, TONE_PLAIN, "%s", d->environment);
        table_cell(t, TONE_PLAIN, "%s", d->fault);
        cell_outcome(t, d);
        table_cell(t, TONE_PLAIN, "%" PRId64, d->sent);
        table_cell(t, d->lost ? TONE_BAD : TONE_PLAIN, "%" PRId64, d->lost);
        table_cell(t, TONE_PLAIN, "%" PRId64, d->slow);
        const int64_t times[] = {d->detect_ms, d->decide_ms, d->apply_ms, d->recover_ms,
                                 d->return_ms};
        for (size_t k = 0; k < sizeof(times) / sizeof(times[0]); k++)
            cell_ms(t, times[k]);
        table_cell(t, d->standby_woken == 0 ? TONE_WARN : TONE_PLAIN, "%s",
                   d->standby_woken < 0    ? ""
                   : d->standby_woken == 0 ? "met asleep"
                                           : "was woken");
        table_cell(t, TONE_PLAIN, "%s", d->text);
    }
    return t;
}

static int print_json(const struct app *a, struct buf *b, struct err *e)
{
    buf_addc(b, '\n');
    int rc = app_print(a, b, e);
    buf_release(b);
    return rc;
}

int drill_view_one(const struct app *a, const struct drill_record *d, const struct sketch *times,
                   struct err *e)
{
    struct buf b = BUF_INIT(OUTPUT_MAX);

    if (a->o.json) {
        struct json_out o = {.b = &b};
        drill_json(&o, d);
        return print_json(a, &b, e);
    }
    const struct table_look look = {a->width, a->colour};
    struct table *t = drills_table(d, 1);
    table_print(t, &look, &b);
    table_free(t);
    if (times->n > 0) {
        char median[32], most[32], p95[32];
        metric_format_ms(sketch_quantile(times, 0.5) / 1000, median);
        metric_format_ms(sketch_quantile(times, 0.95) / 1000, p95);
        metric_format_ms((double)times->max_us / 1000, most);
        buf_addf(&b, "\n%" PRIu64 " answers: median %s, p95 %s, slowest %s\n", times->n, median,
                 p95, most);
    }
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

static void cell_range(struct table *t, const struct recovery *r)
{
    struct interval v = interval_quantile(&r->times, 0.95, confidence);
    char low[32], high[32];

    if (!v.bounded) {
        table_cell(t, TONE_DIM, "not enough: %" PRIu64 " of %" PRIu64, r->times.n,
                   interval_samples(0.95, confidence));
        return;
    }
    metric_format_ms(v.low / 1000, low);
    metric_format_ms(v.high / 1000, high);
    table_cell(t, TONE_PLAIN, "%s to %s", low, high);
}

static struct table *recovery_table(const struct drill_book *b)
{
    struct recovery all[FAULTS_MAX];
    size_t n = recoveries(b, all, FAULTS_MAX);
    struct table *t = table_new();

    table_column(t, "RECOVERY FROM", TABLE_LEFT, false);
    for (size_t i = 0; i < 6; i++)
        table_column(
            t, ((const char *const[]){"n", "p50", "p95", "range of p95", "longest", "lost"})[i],
            TABLE_RIGHT, false);
    for (size_t i = 0; i < n; i++) {
        struct recovery *r = &all[i];
        table_row(t);
        table_cell(t, TONE_STRONG, "%s", r->fault);
        table_cell(t, TONE_PLAIN, "%" PRIu64, r->times.n);
        cell_ms(t, llround(sketch_quantile(&r->times, 0.5) / 1000));
        cell_ms(t, llround(sketch_quantile(&r->times, 0.95) / 1000));
        cell_range(t, r);
        cell_ms(t, r->times.max_us / 1000);
        table_cell(t, r->lost ? TONE_BAD : TONE_PLAIN, "%" PRId64, r->lost);
        sketch_release(&r->times);
    }
    return t;
}

int drill_view_book(const struct app *a, const struct drill_book *book, struct err *e)
{
    struct buf b = BUF_INIT(OUTPUT_MAX);

    if (a->o.json) {
        struct json_out o = {.b = &b};
        out_open(&o, '{');
        out_key(&o, "drills"), out_open(&o, '[');
        for (size_t i = 0; i < book->n; i++)
            drill_json(&o, &book->rows[i]);
        out_close(&o, ']');
        out_key(&o, "recovery"), drill_recovery_json(&o, book);
        out_close(&o, '}');
        return print_json(a, &b, e);
    }
    const struct table_look look = {a->width, a->colour};
    struct table *drills = drills_table(book->rows, book->n), *recovery = recovery_table(book);
    table_print(drills, &look, &b);
    buf_addc(&b, '\n');
    table_print(recovery, &look, &b);
    table_free(drills);
    table_free(recovery);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}
