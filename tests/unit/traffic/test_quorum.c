#include "traffic/quorum.h"

#include "test.h"

static struct vote says(const char *vantage, enum health_state state, const char *reason)
{
    return (struct vote){.vantage = vantage, .state = state, .valid = true, .reason = reason};
}

static struct vote invalid(const char *vantage, const char *why)
{
    return (struct vote){
        .vantage = vantage, .state = HEALTH_DOWN, .invalid_why = why, .reason = ""};
}

static void each_case_has_its_finding(void)
{
    enum { D = HEALTH_DOWN, S = HEALTH_SUSPECT, U = HEALTH_UP, N = HEALTH_UNKNOWN, X = -1 };
    static const struct {
        int need, votes[3];
        enum live_state live;
        enum finding finding;
        bool live_counted, active_only;
    } cases[] = {
        {1, {U, U, U}, LIVE_NONE, FINDING_UP, false, false},
        {1, {D, U, U}, LIVE_NONE, FINDING_DOWN, false, true},
        {1, {D, U, U}, LIVE_BAD, FINDING_DOWN, false, false},
        {2, {D, U, U}, LIVE_NONE, FINDING_SUSPECT, false, false},
        {2, {D, U, U}, LIVE_GOOD, FINDING_SUSPECT, false, false},
        {2, {D, D, U}, LIVE_GOOD, FINDING_DOWN, false, true},
        {2, {D, U, U}, LIVE_STALLED, FINDING_DOWN, true, false},
        {2, {D, U, U}, LIVE_ERRORS, FINDING_DOWN, true, false},
        {3, {D, U, U}, LIVE_BAD, FINDING_SUSPECT, false, false},
        {1, {U, U, U}, LIVE_BAD, FINDING_UP, false, false},      /* live traffic seconds, it does */
        {1, {S, U, U}, LIVE_BAD, FINDING_SUSPECT, false, false}, /* not stand for a vantage */
        {1, {S, U, U}, LIVE_NONE, FINDING_SUSPECT, false, false},
        {1, {U, N, N}, LIVE_NONE, FINDING_UP, false, false},
        {1, {N, N, N}, LIVE_NONE, FINDING_NONE, false, false},
        {1, {X, X, X}, LIVE_NONE, FINDING_INVALID, false, false},
        {2, {D, X, X}, LIVE_NONE, FINDING_SUSPECT, false, false}, /* too few that count */
        {2, {D, X, X}, LIVE_BAD, FINDING_DOWN, true, false},
        {0, {D, U, U}, LIVE_NONE, FINDING_DOWN, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vote votes[3];
        struct quorum_finding q;
        for (size_t k = 0; k < 3; k++)
            votes[k] = cases[i].votes[k] == X ? invalid("x", "its control targets do not answer it")
                                              : says("v", (enum health_state)cases[i].votes[k], "");
        quorum_judge(cases[i].need, votes, 3, cases[i].live, &q);
        if (q.finding != cases[i].finding)
            printf("# case %zu: %s: %s\n", i, finding_name(q.finding), q.text);
        CHECK(q.finding == cases[i].finding);
        CHECK(q.live_counted == cases[i].live_counted);
        CHECK(q.active_only == cases[i].active_only);
    }
}

static void the_text_names_who_says_what_and_who_does_not_count(void)
{
    struct vote votes[] = {says("here", HEALTH_DOWN, "HTTP 503"),
                           says("fra", HEALTH_DOWN, "no answer"), says("nyc", HEALTH_UP, ""),
                           invalid("sgp", "its clock is an hour off")};
    struct quorum_finding q;

    quorum_judge(2, votes, 4, LIVE_BAD, &q);
    printf("# %s\n", q.text);
    CHECK(strcmp(q.text, "2 of 3 call it down: here (HTTP 503), fra (no answer); up: nyc; does not "
                         "count: sgp (its clock is an hour off); live traffic: bad") == 0);
    quorum_judge(2, votes + 1, 2, LIVE_NONE, &q);
    CHECK(strcmp(q.text, "1 of 2 calls it down: fra (no answer); up: nyc; 2 are needed") == 0);
    quorum_judge(1, votes + 3, 1, LIVE_NONE, &q);
    CHECK(strcmp(q.text, "no observer is valid: sgp (its clock is an hour off)") == 0);
    quorum_judge(1, NULL, 0, LIVE_NONE, &q);
    CHECK(q.finding == FINDING_NONE);
    CHECK(strcmp(q.text, "nobody has seen it yet") == 0);
}

static void a_text_that_is_too_long_is_cut(void)
{
    struct vote votes[VANTAGES_MAX];
    struct quorum_finding q;

    for (size_t i = 0; i < VANTAGES_MAX; i++)
        votes[i] = says("a-vantage-with-a-rather-long-name", HEALTH_DOWN,
                        "the connection was refused by the host, which is a long story indeed");
    quorum_judge(3, votes, VANTAGES_MAX, LIVE_NONE, &q);
    CHECK(q.down == VANTAGES_MAX);
    CHECK(strlen(q.text) == sizeof q.text - 1);
}

int main(void)
{
    each_case_has_its_finding();
    the_text_names_who_says_what_and_who_does_not_count();
    a_text_that_is_too_long_is_cut();
    return DONE();
}
