#include "compare/comparison.h"

#include "store/history.h"
#include "test.h"

#include <math.h>
#include <stdint.h>

static const int64_t start = INT64_C(1763737200000); /* 2025-11-21T15:00:00Z */

static struct comparison_builder *begin_as(int64_t window_ms, bool figures_only)
{
    struct comparison_options o = {.project = "test",
                                   .from_ms = start,
                                   .until_ms = start + window_ms,
                                   .generated_at_ms = start + window_ms,
                                   .targets = {.avg_ms = 500,
                                               .p95_ms = 1000,
                                               .cold_start_ms = 15000,
                                               .success = 0.99,
                                               .uptime = 0.999},
                                   .weights = {30, 40, 20, 10},
                                   .figures_only = figures_only,
                                   .resamples = 199};
    return comparison_begin(&o);
}

static struct comparison_builder *begin(int64_t window_ms)
{
    return begin_as(window_ms, false);
}

static size_t series(struct comparison_builder *b, const char *environment, const char *app)
{
    struct comparison_series s = {environment, app, "", "home", 1000, COMPARISON_REQUEST};
    return comparison_series(b, &s);
}

static void add_ms(struct comparison_builder *b, size_t series, int64_t at_s, int64_t ms)
{
    struct comparison_sample v = {
        .at_ms = start + at_s * 1000, .total_us = ms * 1000, .late_us = 250};
    comparison_add(b, series, &v);
}

static void add_outcome(struct comparison_builder *b, size_t series, int64_t at_s,
                        enum comparison_outcome outcome, bool cold)
{
    struct comparison_sample v = {
        .at_ms = start + at_s * 1000, .total_us = 20000000, .outcome = outcome, .cold = cold};
    comparison_add(b, series, &v);
}

static void only_warm_answered_requests_make_the_times(void)
{
    struct comparison_builder *b = begin(3600000);
    size_t s = series(b, "uat", "shop");
    for (int i = 1; i <= 100; i++)
        add_ms(b, s, i, i);
    add_outcome(b, s, 101, COMPARISON_FAILED, false);
    add_outcome(b, s, 102, COMPARISON_INCONCLUSIVE, false);
    add_outcome(b, s, 103, COMPARISON_MISSED, false);
    add_outcome(b, s, 104, COMPARISON_OK, true);
    add_outcome(b, s, 105, COMPARISON_FAILED, true);
    add_outcome(b, s, 3600, COMPARISON_FAILED, false); /* the window's end is not in it */
    add_outcome(b, s, -1, COMPARISON_FAILED, false);
    struct comparison *c = comparison_finish(b);
    const struct environment_result *v = &c->environments[0];
    CHECK(fabs(v->figures[METRIC_AVG].interval.value - 50.5) < 1e-9);
    CHECK(fabs(v->figures[METRIC_P50].interval.value - 50) <= 0.5);
    CHECK(fabs(v->figures[METRIC_P95].interval.value - 95) <= 0.95);
    CHECK(v->figures[METRIC_P95].n == 100 && v->figures[METRIC_SUCCESS].n == 101);
    CHECK(fabs(v->figures[METRIC_SUCCESS].interval.value - 100.0 / 101) < 1e-9);
    CHECK(v->tally.ok == 100 && v->tally.failed == 1);
    CHECK(v->tally.inconclusive == 1 && v->tally.missed == 1);
    CHECK(v->times.max_us == 100000);
    CHECK(v->figures[METRIC_COLD_START].n == 1 && v->cold.failed == 1 && v->cold.max_ms == 20000);
    CHECK(v->figures[METRIC_COLD_START].state == TARGET_OPEN);
    CHECK(v->figures[METRIC_AVG].state == TARGET_MET);
    CHECK(v->lateness.n == 104 && v->lateness.max_ms == 0.25);
    comparison_free(c);
}

static void an_empty_comparison_has_only_open_ends(void)
{
    struct comparison_builder *b = begin(1000);
    comparison_environment(b, "uat");
    CHECK(comparison_environment(b, "beta") == 1 && comparison_environment(b, "uat") == 0);
    struct comparison *c = comparison_finish(b);
    CHECK(c->n_environments == 2 && c->n_moments == 0 && c->n_endpoints == 0);
    CHECK(!c->environments[1].figures[METRIC_P95].interval.known);
    CHECK(c->n_pairs == 1 && !c->pairs[0].metrics[METRIC_P95].known);
    CHECK(c->wins[WIN_P95].winner == -1 && c->recommendation.state == RECOMMEND_NONE);
    comparison_free(c);
    comparison_free(comparison_finish(begin(1000)));
    comparison_free(NULL);
}

static void verdicts_compare_only_what_every_environment_measures(void)
{
    struct comparison_builder *b = begin(3600000);
    comparison_environment(b, "prod"); /* not measured yet: narrows nothing */
    size_t both[] = {series(b, "uat", "shop"), series(b, "beta", "shop")};
    size_t extra = series(b, "uat", "slow-admin");
    for (int i = 0; i < 600; i++) {
        add_ms(b, both[0], i, 100 + i % 10);
        add_ms(b, both[1], i, 200 + i % 10);
        add_ms(b, extra, i, 5000);
    }
    struct comparison *c = comparison_finish(b);
    CHECK(c->n_pooled == 2 && c->n_common == 1);
    CHECK(c->endpoints[0].common && !c->endpoints[1].common);
    CHECK(strcmp(c->environments[1].name, "uat") == 0);
    CHECK(c->environments[1].figures[METRIC_P95].interval.value > 4000);
    CHECK(c->n_pairs == 3);
    for (enum metric m = METRIC_AVG; m <= METRIC_P95; m++) {
        CHECK(c->pairs[2].metrics[m].verdict == VERDICT_BETTER); /* uat against beta */
        CHECK(!c->pairs[0].metrics[m].known);
    }
    CHECK(c->pairs[2].metrics[METRIC_SUCCESS].verdict == VERDICT_INCONCLUSIVE);
    CHECK(fabs(c->pairs[2].metrics[METRIC_AVG].difference.value + 100) < 1e-6);
    CHECK(c->wins[WIN_AVERAGE].winner == 1 && c->wins[WIN_RELIABLE].winner == -1);
    CHECK(c->endpoints[0].cells[1].tally.ok == 600 && c->endpoints[0].cells[0].tally.ok == 0);
    comparison_free(c);
}

static void a_database_s_answers_are_a_figure_of_their_own(void)
{
    struct comparison_builder *b = begin(3600000);
    struct comparison_series s = {"uat", "shop", "", "database", 60000, COMPARISON_DATABASE};
    size_t database = comparison_series(b, &s), home = series(b, "uat", "shop");
    for (int i = 0; i < 100; i++) {
        add_ms(b, database, i, 3);
        add_ms(b, home, i, 100);
    }
    struct comparison *c = comparison_finish(b);
    CHECK(c->n_endpoints == 2 && c->n_pooled == 1);
    CHECK(fabs(c->environments[0].figures[METRIC_DB_QUERY].interval.value - 3) <= 0.03);
    CHECK(c->environments[0].times.n == 100 && c->environments[0].times.min_us == 100000);
    CHECK(c->endpoints[0].kind == COMPARISON_DATABASE &&
          fabs(c->endpoints[0].cells[0].p50.value - 3) <= 0.03);
    comparison_free(c);
}

static double moment_sum(const struct comparison *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->n_moments; i++)
        sum += (double)c->environments[0].moments[i].tally.ok * (double)(i + 1);
    return sum;
}

static void the_order_of_samples_changes_nothing(void)
{
    double sums[2], means[2], highs[2];
    for (int backwards = 0; backwards < 2; backwards++) {
        struct comparison_builder *b = begin(INT64_C(86400000) * 40);
        size_t s = series(b, "uat", "shop");
        for (int i = 0; i < 5000; i++) {
            int k = backwards ? 4999 - i : i;
            add_ms(b, s, INT64_C(600) * k, 100 + k % 97);
        }
        struct comparison *c = comparison_finish(b);
        sums[backwards] = moment_sum(c);
        means[backwards] = c->environments[0].figures[METRIC_AVG].interval.value;
        highs[backwards] = c->environments[0].figures[METRIC_AVG].interval.high;
        CHECK(c->n_moments <= 288 && c->n_moments > 100);
        CHECK(c->environments[0].moments[0].at_ms % c->moment_ms == 0);
        comparison_free(c);
    }
    CHECK(sums[0] == sums[1] && means[0] == means[1] && highs[0] == highs[1]);
}

static void a_minute_and_three_years_both_get_a_useful_axis(void)
{
    static const int64_t spans_s[] = {60, 86400, INT64_C(94608000)};
    for (int i = 0; i < 3; i++) {
        struct comparison_builder *b = begin(spans_s[i] * 1000);
        size_t s = series(b, "uat", "shop");
        uint64_t seen = 0;
        for (int k = 0; k < 60; k++)
            add_ms(b, s, spans_s[i] / 60 * k, 10);
        struct comparison *c = comparison_finish(b);
        for (size_t k = 0; k < c->n_moments; k++)
            seen += c->environments[0].moments[k].tally.ok;
        CHECK(seen == 60 && c->n_moments >= 59 && c->n_moments <= 288);
        CHECK(c->environments[0].figures[METRIC_AVG].interval.bounded);
        comparison_free(c);
    }
}

/* xorshift64* and Box-Muller: response times are about log-normal. */
static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(uniform(state) + 1e-300));
    return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

/* Three environments, `n` samples each; the first is faster by `gain`. */
static struct comparison *simulate(uint64_t *state, int n, double gain, bool figures_only)
{
    struct comparison_builder *b = begin_as((int64_t)n * 1000, figures_only);
    static const char *const names[] = {"a", "b", "c"};
    for (int v = 0; v < 3; v++) {
        size_t s = series(b, names[v], "shop");
        for (int i = 0; i < n; i++) {
            double ms = 200 * (v == 0 ? 1 - gain : 1) * exp(0.5 * normal(state));
            struct comparison_sample sample = {.at_ms = start + (int64_t)i * 1000,
                                               .total_us = (int64_t)(1000 * ms)};
            if (uniform(state) < 0.01)
                sample.outcome = COMPARISON_FAILED;
            comparison_add(b, s, &sample);
        }
    }
    return comparison_finish(b);
}

/* The same environment three times over: whoever is named a winner is named wrongly. */
static void equal_environments_rarely_get_a_winner_on_any_metric(void)
{
    enum { ROUNDS = 60 };
    uint64_t state = 20221;
    int rounds_with_winner = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct comparison *c = simulate(&state, 300, 0, false);
        bool named = false;
        for (size_t k = 0; k < c->n_pairs; k++)
            for (enum metric m = 0; m < N_COMPARED; m++)
                named |= c->pairs[k].metrics[m].verdict != VERDICT_INCONCLUSIVE;
        rounds_with_winner += named;
        comparison_free(c);
    }
    printf("# a false winner in %d of %d rounds\n", rounds_with_winner, ROUNDS);
    CHECK(rounds_with_winner <= ROUNDS * 0.05);
}

static void ranges_hold_the_true_figures_as_often_as_they_say(void)
{
    enum { ROUNDS = 400 };
    const double p95 = 200 * exp(0.5 * 1.6448536269514722), mean = 200 * exp(0.125);
    uint64_t state = 4711;
    int held[N_METRICS] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct comparison *c = simulate(&state, 300, 0, true);
        const double truth[] = {mean, 200, p95, 0.99};
        for (enum metric m = 0; m <= METRIC_SUCCESS; m++) {
            const struct interval *v = &c->environments[1].figures[m].interval;
            held[m] += v->low <= truth[m] && truth[m] <= v->high;
        }
        comparison_free(c);
    }
    printf("# of %d: average %d, median %d, p95 %d, success %d\n", ROUNDS, held[0], held[1],
           held[2], held[3]);
    for (enum metric m = 0; m <= METRIC_SUCCESS; m++)
        CHECK(held[m] >= ROUNDS * 0.93); /* 95 % less twice the simulation's own error */
}

static void a_real_difference_is_found(void)
{
    enum { ROUNDS = 10 };
    uint64_t state = 99;
    int found = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct comparison *c = simulate(&state, 600, 0.3, false);
        found += c->pairs[0].metrics[METRIC_P50].verdict == VERDICT_BETTER &&
                 c->wins[WIN_AVERAGE].winner == 0;
        comparison_free(c);
    }
    CHECK(found == ROUNDS);
}

/* A cell of history as the store would give it: `n` requests of about `ms`. */
static void add_stretch(struct comparison_builder *b, size_t series, int64_t at_ms,
                        int64_t length_ms, int ms)
{
    struct history_cell cell = {0};
    for (int i = 0; i < 100; i++) {
        struct sample v = {.at_ms = at_ms + i * length_ms / 100,
                           .total_us = 1000 * ms + 10 * i,
                           .covers_ms = (int32_t)(length_ms / 100)};
        history_cell_add(&cell, &v);
    }
    comparison_add_cell(b, series, at_ms, length_ms, &cell);
    history_cell_release(&cell);
}

static const int64_t day_ms = INT64_C(86400000);

/* Two environments over `days`, the second slower by `gain` of its time; one stretch 2 hours. */
static struct comparison_builder *begin_days(int days, double gain)
{
    struct comparison_builder *b = begin(days * day_ms);
    size_t a = series(b, "uat", "shop"), z = series(b, "beta", "shop");
    for (int i = 0; i < 12 * days; i++) {
        int64_t at = start / 7200000 * 7200000 + i * INT64_C(7200000);
        int shared = 100 + 7 * (i % 11);
        add_stretch(b, a, at, 7200000, shared + i % 3);
        add_stretch(b, z, at, 7200000, (int)(shared * (1 + gain)) + (i + 1) % 3);
    }
    return b;
}

static void stretches_of_history_make_the_same_kind_of_figures(void)
{
    struct comparison *c = comparison_finish(begin_days(7, 0.3));
    CHECK(c->environments[0].tally.ok == 7 * 12 * 100);
    CHECK(c->heat_hours == 2 && c->n_heat == 12 && c->environments[1].heat[3].n > 0);
    CHECK(c->n_moments >= 84 && c->moment_ms % 7200000 == 0);
    CHECK(c->pairs[0].metrics[METRIC_AVG].verdict == VERDICT_BETTER);
    CHECK(c->pairs[0].metrics[METRIC_P95].blocks >= 8);
    CHECK(c->wins[WIN_AVERAGE].winner == 0);
    comparison_free(c);
}

static void stretches_of_a_day_tell_no_time_of_the_day(void)
{
    struct comparison_builder *b = begin(100 * day_ms);
    size_t s = series(b, "uat", "shop");
    for (int i = 0; i < 100; i++)
        add_stretch(b, s, (start / day_ms + i) * day_ms, day_ms, 100);
    struct comparison *c = comparison_finish(b);
    CHECK(c->n_heat == 0 && c->environments[0].tally.ok == 10000);
    comparison_free(c);
}

static void down_time_counts_only_where_somebody_looked(void)
{
    struct comparison_builder *b = begin_days(1, 0);
    int64_t first = start / 7200000 * 7200000 + 7200000;
    comparison_add_down(b, 0, first, first + 2 * 7200000);
    comparison_add_down(b, 0, start - day_ms, start - day_ms + 1000); /* before the window */
    struct comparison *c = comparison_finish(b);
    const struct clock_time *t = &c->environments[0].time;
    CHECK(t->seen_ms == day_ms && t->down_ms == 2 * 7200000 && t->unseen_ms == 0);
    const struct figure *uptime = &c->environments[0].figures[METRIC_UPTIME];
    CHECK(fabs(uptime->interval.value - 10.0 / 12) < 1e-9 && uptime->state == TARGET_MISSED);
    CHECK(c->environments[1].figures[METRIC_UPTIME].interval.value == 1);
    CHECK(c->environments[1].figures[METRIC_UPTIME].state == TARGET_OPEN); /* a day is too short */
    CHECK(c->recommendation.candidates[0].n_excluded == 1);
    CHECK(c->recommendation.leader == 1);
    comparison_free(c);
}

static void what_was_left_out_while_it_was_down_is_down_time(void)
{
    struct comparison_builder *b = begin(3600000);
    size_t s = series(b, "uat", "shop");
    for (int i = 0; i < 60; i++) {
        bool down = i >= 30 && i < 45, left_out = down && i % 5 != 0;
        comparison_add(b, s,
                       &(struct comparison_sample){.at_ms = start + i * 60000,
                                                   .total_us = left_out ? -1 : 1000,
                                                   .covers_ms = 60000,
                                                   .outcome = left_out ? COMPARISON_MISSED
                                                              : down   ? COMPARISON_FAILED
                                                                       : COMPARISON_OK,
                                                   .extra = left_out});
    }
    comparison_add_down(b, s, start + 30 * 60000, start + 45 * 60000);
    struct comparison *c = comparison_finish(b);
    CHECK(c->environments[0].time.down_ms == 15 * 60000 && c->environments[0].time.unseen_ms == 0);
    CHECK(fabs(c->environments[0].figures[METRIC_UPTIME].interval.value - 0.75) < 1e-9);
    CHECK(c->environments[0].tally.failed == 3 && c->environments[0].tally.missed == 0);
    comparison_free(c);
}

static void samples_off_the_clock_are_in_no_figure(void)
{
    struct comparison_builder *b = begin(3600000);
    size_t s = series(b, "uat", "shop");
    add_ms(b, s, 1, 10);
    struct comparison_sample extra = {.at_ms = start + 1500,
                                      .total_us = 5000000,
                                      .covers_ms = 500,
                                      .outcome = COMPARISON_FAILED,
                                      .extra = true};
    comparison_add(b, s, &extra);
    struct comparison *c = comparison_finish(b);
    CHECK(c->environments[0].tally.ok == 1 && c->environments[0].tally.failed == 0);
    CHECK(c->environments[0].time.seen_ms == 500);
    comparison_free(c);
}

static struct comparison_builder *begin_free(int days, double gain)
{
    struct comparison_builder *b = begin_days(days, gain);
    struct comparison_facts facts = {.cost_known = true, .deployments_known = true, .live = 3};
    comparison_set_facts(b, 0, &facts);
    comparison_set_facts(b, 1, &facts);
    return b;
}

static void a_clear_lead_over_days_is_recommended(void)
{
    struct comparison *c = comparison_finish(begin_free(3, 1.5));
    const struct recommendation *r = &c->recommendation;
    CHECK(r->state == RECOMMEND_CLEAR && r->leader == 0 && r->n_missing == 0);
    CHECK(r->candidates[0].lead_share > 0.99 && r->candidates[0].total > r->candidates[1].total);
    CHECK(r->used[SCORE_COST] && !r->used[SCORE_LIMITS]);
    CHECK(c->wins[WIN_FREE].winner == 0);
    comparison_free(c);
}

static void too_little_is_never_recommended_from(void)
{
    struct comparison_builder *b = begin(3600000);
    size_t s[] = {series(b, "uat", "shop"), series(b, "beta", "shop")};
    for (int i = 0; i < 600; i++) {
        add_ms(b, s[0], i, 100);
        add_ms(b, s[1], i, 900);
    }
    struct comparison *c = comparison_finish(b);
    CHECK(c->recommendation.state == RECOMMEND_INCONCLUSIVE && c->recommendation.leader == 0);
    CHECK(c->recommendation.n_missing > 0 && strstr(c->recommendation.missing[0], "whole day"));
    CHECK(c->wins[WIN_FREE].winner == -1 && strstr(c->wins[WIN_FREE].text, "known to be free"));
    comparison_free(c);
}

static void a_failed_deployment_shuts_the_gate(void)
{
    struct comparison_builder *b = begin_free(3, 1.5);
    struct comparison_facts facts = {.deployments_known = true, .live = 2, .failed = 1};
    comparison_set_facts(b, 0, &facts);
    struct comparison *c = comparison_finish(b);
    CHECK(c->recommendation.leader == 1 && c->recommendation.candidates[0].n_excluded == 1);
    CHECK(strstr(c->recommendation.candidates[0].excluded[0], "1 of 3 deployments failed"));
    CHECK(c->recommendation.candidates[0].lead_share == 0);
    comparison_free(c);
}

static void the_weight_at_which_the_answer_changes_is_told(void)
{
    struct comparison_builder *b = begin_free(3, 1.5);
    struct comparison_facts dear = {
        .cost_known = true, .monthly_cost = 40, .deployments_known = true, .live = 3};
    comparison_set_facts(b, 0, &dear); /* fast but not free */
    struct comparison *c = comparison_finish(b);
    const struct recommendation *r = &c->recommendation;
    size_t other = r->leader == 0 ? 1 : 0;
    const struct turning_point *turn =
        r->leader == 0 ? &r->above[SCORE_COST] : &r->below[SCORE_COST];
    CHECK(turn->any && turn->environment == other && turn->weight > 0 && turn->weight < 1);
    comparison_free(c);
}

static void a_change_against_the_window_before_has_its_range(void)
{
    struct comparison_options o = {
        .project = "test", .from_ms = start, .until_ms = start + 7 * day_ms, .figures_only = true};
    struct comparison_builder *earlier = comparison_begin(&o);
    size_t s = series(earlier, "uat", "shop");
    for (int i = 0; i < 84; i++)
        add_stretch(earlier, s, start / 7200000 * 7200000 + i * INT64_C(7200000), 7200000,
                    200 + i % 5);
    struct comparison_builder *b = begin_days(7, 0.3);
    comparison_set_before(b, comparison_finish(earlier));
    struct comparison *c = comparison_finish(b);
    const struct change *v = &c->changes[0].metrics[METRIC_AVG];
    CHECK(v->known && v->verdict == VERDICT_BETTER && v->difference.high < 0);
    CHECK(v->difference.low <= v->difference.value && v->difference.value <= v->difference.high);
    CHECK(!c->changes[1].metrics[METRIC_AVG].known); /* beta was not measured then */
    comparison_free(c);
}

int main(void)
{
    stretches_of_history_make_the_same_kind_of_figures();
    stretches_of_a_day_tell_no_time_of_the_day();
    down_time_counts_only_where_somebody_looked();
    what_was_left_out_while_it_was_down_is_down_time();
    samples_off_the_clock_are_in_no_figure();
    a_clear_lead_over_days_is_recommended();
    too_little_is_never_recommended_from();
    a_failed_deployment_shuts_the_gate();
    the_weight_at_which_the_answer_changes_is_told();
    a_change_against_the_window_before_has_its_range();
    only_warm_answered_requests_make_the_times();
    an_empty_comparison_has_only_open_ends();
    verdicts_compare_only_what_every_environment_measures();
    a_database_s_answers_are_a_figure_of_their_own();
    the_order_of_samples_changes_nothing();
    a_minute_and_three_years_both_get_a_useful_axis();
    equal_environments_rarely_get_a_winner_on_any_metric();
    ranges_hold_the_true_figures_as_often_as_they_say();
    a_real_difference_is_found();
    return DONE();
}
