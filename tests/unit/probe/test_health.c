#include "probe/health.h"
#include "test.h"

#include <string.h>

static const struct health_rule rule = {.down_after = 3, .up_after = 2};

/* Plays results from a text: g good, s slow, b bad, i inconclusive, m missed; one a second from
 * `at_ms` on. */
static struct health play(struct health h, const char *results, int64_t at_ms)
{
    for (; *results; results++, at_ms += 1000) {
        enum sample_outcome o = *results == 'g'   ? SAMPLE_OK
                                : *results == 's' ? SAMPLE_SLOW
                                : *results == 'b' ? SAMPLE_FAILED
                                : *results == 'i' ? SAMPLE_INCONCLUSIVE
                                                  : SAMPLE_MISSED;
        h = health_next(h, rule, o, at_ms);
    }
    return h;
}

static struct health played(const char *results)
{
    return play((struct health){0}, results, 1000);
}

static void every_state_and_outcome_has_its_next_state(void)
{
    static const struct {
        const char *before; /* results that lead to the state */
        enum health_state state, good, bad;
    } rows[] = {
        {"", HEALTH_UNKNOWN, HEALTH_UP, HEALTH_UNKNOWN},
        {"b", HEALTH_UNKNOWN, HEALTH_UP, HEALTH_UNKNOWN},
        {"bb", HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN},
        {"g", HEALTH_UP, HEALTH_UP, HEALTH_SUSPECT},
        {"gb", HEALTH_SUSPECT, HEALTH_SUSPECT, HEALTH_SUSPECT},
        {"gbg", HEALTH_SUSPECT, HEALTH_UP, HEALTH_SUSPECT},
        {"gbb", HEALTH_SUSPECT, HEALTH_SUSPECT, HEALTH_DOWN},
        {"gbbg", HEALTH_SUSPECT, HEALTH_UP, HEALTH_DOWN},
        {"gbbb", HEALTH_DOWN, HEALTH_DOWN, HEALTH_DOWN},
        {"gbbbg", HEALTH_DOWN, HEALTH_UP, HEALTH_DOWN},
        {"gbbbgb", HEALTH_DOWN, HEALTH_DOWN, HEALTH_DOWN},
        {"gbbbgg", HEALTH_UP, HEALTH_UP, HEALTH_SUSPECT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct health h = played(rows[i].before);
        CHECK(h.state == rows[i].state);
        CHECK(play(h, "g", 90000).state == rows[i].good);
        CHECK(play(h, "s", 90000).state == rows[i].good);
        CHECK(play(h, "b", 90000).state == rows[i].bad);
        CHECK(play(h, "i", 90000).state == rows[i].state);
        CHECK(play(h, "m", 90000).state == rows[i].state);
    }
}

static void inconclusive_and_missed_results_move_no_counter(void)
{
    struct health h = played("gbb"), i = play(h, "iiii", 50000), m = play(h, "mmmm", 50000);
    CHECK(i.bad == h.bad && i.good == h.good && i.first_bad_ms == h.first_bad_ms);
    CHECK(i.since_ms == h.since_ms && i.state == h.state);
    CHECK(health_shown(&i) == HEALTH_INCONCLUSIVE && health_shown(&h) == HEALTH_SUSPECT);
    CHECK(m.state == h.state && m.bad == h.bad && m.good == h.good && !m.inconclusive);
    CHECK(m.since_ms == h.since_ms && m.first_bad_ms == h.first_bad_ms);
    CHECK(play(i, "b", 60000).state == HEALTH_DOWN);
    i = play(i, "g", 60000);
    CHECK(health_shown(&i) == HEALTH_SUSPECT);
}

static void an_outage_is_dated_back_to_its_first_bad_sample(void)
{
    struct health h = played("ggbgbb"); /* bad at 3, 5 and 6 s */
    CHECK(h.state == HEALTH_DOWN && h.since_ms == 3000 && h.first_bad_ms == 3000);
    h = play(h, "gbgg", 20000);
    CHECK(h.state == HEALTH_UP && h.since_ms == 22000);
}

static void failures_between_good_results_add_up(void)
{
    CHECK(played("gbgbgb").state == HEALTH_DOWN);
    CHECK(played("gbggbggbgg").state == HEALTH_UP);
}

static void thresholds_of_one_change_it_at_once(void)
{
    const struct health_rule hasty = {1, 1};
    struct health h = health_next((struct health){0}, hasty, SAMPLE_FAILED, 1);
    CHECK(h.state == HEALTH_DOWN && h.since_ms == 1);
    h = health_next(h, hasty, SAMPLE_OK, 2);
    CHECK(h.state == HEALTH_UP && h.since_ms == 2);
    h = health_next(h, hasty, SAMPLE_FAILED, 3);
    CHECK(h.state == HEALTH_DOWN && h.since_ms == 3);
}

static void states_have_the_names_of_the_api(void)
{
    CHECK(strcmp(health_state_name(HEALTH_UNKNOWN), "unknown") == 0);
    CHECK(strcmp(health_state_name(HEALTH_INCONCLUSIVE), "inconclusive") == 0);
}

int main(void)
{
    every_state_and_outcome_has_its_next_state();
    inconclusive_and_missed_results_move_no_counter();
    an_outage_is_dated_back_to_its_first_bad_sample();
    failures_between_good_results_add_up();
    thresholds_of_one_change_it_at_once();
    states_have_the_names_of_the_api();
    return DONE();
}
