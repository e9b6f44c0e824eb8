#include "../test.h"
#include "provider/service.h"

static bool reads(const char *text, const char *host, const char *path)
{
    struct repository r;

    return repository_read(text, &r) && strcmp(r.host, host) == 0 && strcmp(r.path, path) == 0;
}

static void repositories_are_read_as_people_write_them(void)
{
    CHECK(reads("https://github.com/shop/shop.git", "github.com", "shop/shop"));
    CHECK(reads("http://github.com/shop/shop", "github.com", "shop/shop"));
    CHECK(reads("github.com/shop/shop", "github.com", "shop/shop"));
    CHECK(reads("git@github.com:shop/shop.git", "github.com", "shop/shop"));
    CHECK(reads("ssh://git@gitlab.com/group/sub/shop", "gitlab.com", "group/sub/shop"));
    CHECK(reads("https://user:password@github.com/shop/shop", "github.com", "shop/shop"));
    CHECK(reads("shop/shop.js", "github.com", "shop/shop.js"));
}

static void what_is_no_repository_is_refused(void)
{
    static const char *const bad[] = {"",         "shop", "/shop", "shop/", "https://github.com/",
                                      "https://", "@"};
    char longest[600];
    struct repository r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!repository_read(bad[i], &r));
    memset(longest, 'a', sizeof(longest));
    longest[300] = '/';
    longest[sizeof(longest) - 1] = '\0';
    CHECK(!repository_read(longest, &r));
}

static void commits_may_be_shortened_to_seven_digits(void)
{
    CHECK(commit_same("0123456789abcdef", "0123456"));
    CHECK(commit_same("0123456789ABCDEF", "0123456789abcdef"));
    CHECK(!commit_same("0123456789abcdef", "012345"));
    CHECK(!commit_same("", "0123456789abcdef"));
    CHECK(!commit_same("1123456789abcdef", "0123456789abcdef"));
}

static void the_variables_of_ours_cannot_be_forged(void)
{
    const struct want_variable given[] = {{"TRINE_RELEASE", "other"}, {"PORT", "80"}, {"A", "b"}};
    const struct want w = {.variables = given,
                           .n_variables = 3,
                           .port = 5024,
                           .marker = "trine uat-7",
                           .commit = "0123456"};
    json_t *map = service_variables_map(&w);
    json_t *list = service_variables_list(&w);

    CHECK(json_object_size(map) == 4);
    CHECK(json_array_size(list) == 4);
    CHECK(strcmp(json_string_value(json_object_get(map, "TRINE_RELEASE")), "trine uat-7") == 0);
    CHECK(strcmp(json_string_value(json_object_get(map, "PORT")), "80") == 0);
    json_decref(map);
    json_decref(list);
}

static void the_last_line_is_the_last_that_says_something(void)
{
    char line[8];

    CHECK(text_last_line("a\nb\r\n \n", line, sizeof(line)) && strcmp(line, "b") == 0);
    CHECK(text_last_line("a", line, sizeof(line)) && strcmp(line, "a") == 0);
    CHECK(!text_last_line(" \n\n", line, sizeof(line)));
    CHECK(!text_last_line("a\n12345678", line, sizeof(line)));
}

static void polls_become_rarer_up_to_a_bound(void)
{
    const struct poll_pace pace = {2000, 10000};
    struct deployment d = {0};
    int64_t wait, last = 0;

    for (d.polls = 0; d.polls < 100; d.polls++) {
        CHECK(poll_wait(&d, 3, &pace, &wait) == TURN_WAIT && d.step == 3);
        CHECK(wait >= last && wait >= 2000 && wait <= 10000);
        last = wait;
    }
    CHECK(last == 10000);
    d.polls = UINT32_MAX;
    (void)poll_wait(&d, 3, &pace, &wait);
    CHECK(wait == 10000);
}

int main(void)
{
    repositories_are_read_as_people_write_them();
    what_is_no_repository_is_refused();
    commits_may_be_shortened_to_seven_digits();
    the_variables_of_ours_cannot_be_forged();
    the_last_line_is_the_last_that_says_something();
    polls_become_rarer_up_to_a_bound();
    return DONE();
}
