#include "base/text.h"

#include "base/buf.h"
#include "test.h"

#include <stdlib.h>

static void durations_need_a_unit_and_are_exact(void)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {{"500ms", 500},
                {"15s", 15000},
                {"10m", 600000},
                {"2h", 7200000},
                {"7d", 604800000},
                {"1.5s", 1500},
                {"0s", 0},
                {"0.001s", 1},
                {"0.0001s", -1},
                {"15", -1},
                {"", -1},
                {"s", -1},
                {"-1s", -1},
                {"+1s", -1},
                {" 1s", -1},
                {"1s ", -1},
                {"1 s", -1},
                {"1.s", -1},
                {".5s", -1},
                {"1.2.3s", -1},
                {"1S", -1},
                {"1w", -1},
                {"9223372036854775807ms", INT64_MAX},
                {"9223372036854775808ms", -1},
                {"9223372036854775807d", -1},
                {"0x10s", -1},
                {"1e3s", -1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -7;
        struct err e = ERR_INIT;
        int rc = text_duration_ms(rows[i].text, &ms, &e);

        CHECK(rc == (rows[i].ms < 0 ? -1 : 0));
        CHECK(ms == (rows[i].ms < 0 ? -7 : rows[i].ms));
        CHECK(rc == 0 || (e.kind == ERR_MANIFEST && strstr(e.text, rows[i].text)));
    }
}

static void sizes_know_powers_of_ten_and_of_two(void)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {{"25MiB", 26214400},
                {"10GB", 10000000000},
                {"512kB", 512000},
                {"100B", 100},
                {"2.5GB", 2500000000},
                {"0.5KiB", 512},
                {"1TiB", 1099511627776},
                {"0.3B", -1},
                {"10", -1},
                {"10G", -1},
                {"10gb", -1},
                {"99999999999TB", -1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = -7;
        struct err e = ERR_INIT;

        CHECK(text_bytes(rows[i].text, &bytes, &e) == (rows[i].bytes < 0 ? -1 : 0));
        CHECK(bytes == (rows[i].bytes < 0 ? -7 : rows[i].bytes));
    }
}

static void percentages_are_the_nearest_double(void)
{
    double share = -7;
    struct err e = ERR_INIT;

    CHECK(text_percent("99.9%", &share, &e) == 0 && share == 0.999);
    CHECK(text_percent("0%", &share, &e) == 0 && share == 0.0);
    CHECK(text_percent("100%", &share, &e) == 0 && share == 1.0);
    CHECK(text_percent("100.1%", &share, &e) == -1 && strstr(e.text, "100%"));
    CHECK(text_percent("99.9", &share, &e) == -1 && text_percent("%", &share, &e) == -1);
    CHECK(text_percent("-1%", &share, &e) == -1 && text_percent("1%%", &share, &e) == -1);
    CHECK(text_percent(NULL, &share, &e) == -1 && share == 1.0);
}

static void quantities_are_written_in_the_shortest_exact_way(void)
{
    static const struct {
        int64_t ms;
        const char *text;
    } durations[] = {{0, "0s"},        {1, "1ms"},       {1000, "1s"},     {90000, "90s"},
                     {60000, "1m"},    {5400000, "90m"}, {86400000, "1d"}, {3600000, "1h"},
                     {1500, "1500ms"}, {-5000, "-5s"},   {604800000, "7d"}};
    static const struct {
        int64_t bytes;
        const char *text;
    } sizes[] = {{0, "0B"},           {1, "1B"},           {1000, "1kB"},
                 {1024, "1KiB"},      {26214400, "25MiB"}, {10000000000, "10GB"},
                 {1024000, "1024kB"}, {999, "999B"},       {2500000000, "2500MB"}};

    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char text[32];

        text_format_duration(durations[i].ms, text);
        CHECK(strcmp(text, durations[i].text) == 0);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[32];
        int64_t back = -1;
        struct err e;

        text_format_bytes(sizes[i].bytes, text);
        CHECK(strcmp(text, sizes[i].text) == 0);
        CHECK(text_bytes(text, &back, &e) == 0 && back == sizes[i].bytes);
    }
}

static void spans_are_cut_to_two_units_for_people(void)
{
    static const struct {
        int64_t ms;
        const char *text;
    } spans[] = {{0, "0 s"},
                 {-7000, "0 s"},
                 {99, "0 s"},
                 {450, "0.4 s"},
                 {41999, "41 s"},
                 {60000, "1 min"},
                 {200000, "3 min 20 s"},
                 {3600000, "1 h"},
                 {3659999, "1 h"},
                 {7500000, "2 h 5 min"},
                 {INT64_C(442800000), "5 d 3 h"},
                 {INT64_MAX, "106751991167 d 7 h"}};

    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        char text[32];

        text_format_span(spans[i].ms, text);
        CHECK(strcmp(text, spans[i].text) == 0);
    }
}

static void integers_are_whole_strings_within_bounds(void)
{
    static const char *const refused[] = {
        "", "-", "+1", " 1", "1 ", "1a", "0x1", "11", "-11", "99999999999999999999", "1.0"};
    int64_t value = 7;

    CHECK(text_int("10", -10, 10, &value) == 0 && value == 10);
    CHECK(text_int("-10", -10, 10, &value) == 0 && value == -10);
    CHECK(text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value) == 0);
    CHECK(value == INT64_MIN);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK(text_int(refused[i], -10, 10, &value) == -1 && value == INT64_MIN);
    CHECK(text_int(NULL, 0, 1, &value) == -1);
}

static void globs_match_the_whole_string(void)
{
    static const struct {
        const char *pattern, *s;
        bool match;
    } rows[] = {{"", "", true},
                {"*", "", true},
                {"*", "abc", true},
                {"a*c", "abbbc", true},
                {"a*c", "abbb", false},
                {"?", "", false},
                {"?", "a", true},
                {"a?c", "abc", true},
                {"*.js", "x.js.map", false},
                {"*.js*", "x.js.map", true},
                {"*a*b", "xaxbxab", true},
                {"abc", "abcd", false},
                {"**a", "a", true},
                {"a", "A", false}};
    char evil[64], text[2000];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(text_glob(rows[i].pattern, rows[i].s) == rows[i].match);
    /* what takes a naive matcher for ever */
    for (size_t i = 0; i + 2 < sizeof evil; i += 2)
        memcpy(evil + i, "*a", 3);
    memset(text, 'a', sizeof text);
    text[sizeof text - 2] = 'b';
    text[sizeof text - 1] = '\0';
    CHECK(!text_glob(evil, text));
}

static void distances_count_edits_and_swaps(void)
{
    char word[200];

    CHECK(text_distance("", "", 3) == 0 && text_distance("abc", "abc", 0) == 0);
    CHECK(text_distance("abc", "abd", 3) == 1 && text_distance("abc", "acb", 3) == 1);
    CHECK(text_distance("kitten", "sitting", 5) == 3 && text_distance("", "abc", 3) == 3);
    CHECK(text_distance("ca", "abc", 5) ==
          3); /* where optimal string alignment differs from Damerau's */
    CHECK(text_distance("kitten", "sitting", 2) == 3 && text_distance("a", "abcdef", 2) == 3);
    memset(word, 'w', sizeof word);
    word[sizeof word - 1] = '\0';
    CHECK(text_distance(word, word, 2) == 3);
}

static void the_nearest_candidate_is_offered(void)
{
    static const char *const keys[] = {"environments", "apps", "targets", "target"};

    CHECK(strcmp(text_did_you_mean("enviroments", keys, 4), "environments") == 0);
    CHECK(strcmp(text_did_you_mean("tagret", keys, 4), "target") == 0);
    CHECK(strcmp(text_did_you_mean("app", keys, 4), "apps") == 0);
    CHECK(text_did_you_mean("zebra", keys, 4) == NULL && text_did_you_mean("", keys, 4) == NULL);
}

static void utf8_is_strict(void)
{
    static const struct {
        const char *s;
        size_t len;
        long bad; /* -1: good */
    } rows[] = {{"", 0, -1},
                {"a\0b", 3, -1},
                {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, -1},
                {"ab\xff", 3, 2},
                {"\x80", 1, 0},
                {"a\xc0\xaf", 3, 1},        /* overlong */
                {"\xe0\x80\xaf", 3, 0},     /* overlong */
                {"\xed\xa0\x80", 3, 0},     /* surrogate */
                {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
                {"\xe2\x82", 2, 0},         /* cut */
                {"\xf8\x88\x80\x80\x80", 5, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = 99;

        CHECK(text_is_utf8(rows[i].s, rows[i].len, &at) == (rows[i].bad < 0));
        CHECK(at == (rows[i].bad < 0 ? 99 : (size_t)rows[i].bad));
    }
}

static void columns_are_what_a_terminal_uses(void)
{
    CHECK(text_columns("") == 0 && text_columns("abc") == 3);
    CHECK(text_columns("\xc3\xa9") == 1);                 /* e acute */
    CHECK(text_columns("e\xcc\x81") == 1);                /* e and a combining acute */
    CHECK(text_columns("\xe6\xbc\xa2\xe5\xad\x97") == 4); /* two wide characters */
    CHECK(text_columns("\xe2\x94\x80\xe2\x94\x82") == 2); /* box drawing */
    CHECK(text_columns("\xff\xfe") == 2);
}

static void urls_and_html_are_escaped(void)
{
    struct buf b = BUF_INIT(1000);

    text_percent_encode(&b, "a/b c~\xc3\xa9%", false);
    CHECK(strcmp(buf_str(&b), "a%2Fb%20c~%C3%A9%25") == 0);
    buf_clear(&b);
    text_percent_encode(&b, "a/b", true);
    CHECK(strcmp(buf_str(&b), "a/b") == 0);
    buf_clear(&b);
    text_html(&b, "<a href=\"x\">'&'</a>");
    CHECK(strcmp(buf_str(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;") == 0);
    buf_release(&b);
}

static void copies_are_cut_and_say_so(void)
{
    char small[4];

    CHECK(text_copy(small, sizeof small, "abc") && strcmp(small, "abc") == 0);
    CHECK(!text_copy(small, sizeof small, "abcd") && strcmp(small, "abc") == 0);
}

int main(void)
{
    durations_need_a_unit_and_are_exact();
    sizes_know_powers_of_ten_and_of_two();
    percentages_are_the_nearest_double();
    quantities_are_written_in_the_shortest_exact_way();
    spans_are_cut_to_two_units_for_people();
    integers_are_whole_strings_within_bounds();
    globs_match_the_whole_string();
    distances_count_edits_and_swaps();
    the_nearest_candidate_is_offered();
    utf8_is_strict();
    columns_are_what_a_terminal_uses();
    urls_and_html_are_escaped();
    copies_are_cut_and_say_so();
    return DONE();
}
