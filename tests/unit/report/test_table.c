#include "report/table.h"

#include "base/buf.h"
#include "test.h"

static struct table *sample(void)
{
    struct table *t = table_new();
    table_column(t, "App", TABLE_LEFT, true);
    table_column(t, "p95", TABLE_RIGHT, false);
    table_column(t, "Note", TABLE_LEFT, true);
    table_row(t);
    table_cell(t, TONE_PLAIN, "%s", "backend");
    table_cell(t, TONE_GOOD, "%d ms", 98);
    table_cell(t, TONE_PLAIN, "%s", "");
    table_row(t);
    table_cell(t, TONE_PLAIN, "%s", "café");
    table_cell(t, TONE_BAD, "%d ms", 1204);
    table_cell(t, TONE_PLAIN, "%s", "the quick brown fox jumps over it");
    return t;
}

static bool prints(const struct table *t, struct table_look look, const char *expected)
{
    struct buf out = BUF_INIT(1 << 16);
    table_print(t, &look, &out);
    bool equal = strcmp(buf_str(&out), expected) == 0;
    if (!equal)
        fprintf(stderr, "%s", buf_str(&out));
    buf_release(&out);
    return equal;
}

static void numbers_line_up_on_the_right_and_no_line_ends_in_blanks(void)
{
    struct table *t = sample();
    CHECK(table_rows(t) == 2);
    CHECK(prints(t, (struct table_look){0, false},
                 "App          p95  Note\n"
                 "backend    98 ms\n"
                 "café     1204 ms  the quick brown fox jumps over it\n"));
    table_free(t);
}

static void a_narrow_terminal_cuts_the_flexible_columns_first(void)
{
    struct table *t = sample();
    CHECK(prints(t, (struct table_look){36, false},
                 "App          p95  Note\n"
                 "backend    98 ms\n"
                 "café     1204 ms  the quick brown f…\n"));
    table_free(t);
}

static void a_very_narrow_terminal_gets_a_block_a_row(void)
{
    struct table *t = sample();
    CHECK(prints(t, (struct table_look){24, false},
                 "App   backend\n"
                 "p95   98 ms\n"
                 "\n"
                 "App   café\n"
                 "p95   1204 ms\n"
                 "Note  the quick brown fox jumps over it\n"));
    table_free(t);
}

static void wide_characters_count_as_two_columns(void)
{
    struct table *t = table_new();
    table_column(t, "A", TABLE_LEFT, false);
    table_column(t, "B", TABLE_LEFT, false);
    table_row(t);
    table_cell(t, TONE_PLAIN, "日本");
    table_cell(t, TONE_PLAIN, "x");
    CHECK(prints(t, (struct table_look){0, false}, "A     B\n日本  x\n"));
    table_free(t);
}

static void colour_comes_only_when_asked_for(void)
{
    struct table *t = table_new();
    table_column(t, "A", TABLE_LEFT, false);
    table_row(t);
    table_cell(t, TONE_BAD, "no");
    CHECK(prints(t, (struct table_look){0, false}, "A\nno\n"));
    CHECK(prints(t, (struct table_look){0, true}, "\033[2mA\033[0m\n\033[31mno\033[0m\n"));
    table_free(t);
}

static void a_remote_text_cannot_steer_the_terminal(void)
{
    struct table *t = table_new();
    table_column(t, "A", TABLE_LEFT, false);
    table_row(t);
    table_cell(t, TONE_PLAIN, "%s",
               "a\033[2Jb\nc\xc2\x9b"
               "d\xff"
               "e\x7f");
    CHECK(prints(t, (struct table_look){0, true}, "\033[2mA\033[0m\na?[2Jb?c?d?e?\n"));
    table_free(t);
    struct buf out = BUF_INIT(64);
    table_tone(&out, &(struct table_look){0, false}, TONE_GOOD, "ok\a");
    CHECK(strcmp(buf_str(&out), "ok?") == 0);
    buf_release(&out);
}

static void cells_left_out_are_empty_and_an_empty_table_has_its_titles(void)
{
    struct table *t = table_new();
    table_column(t, "A", TABLE_LEFT, false);
    table_column(t, "B", TABLE_RIGHT, false);
    CHECK(prints(t, (struct table_look){80, false}, "A  B\n"));
    table_row(t);
    table_cell(t, TONE_PLAIN, "x");
    CHECK(prints(t, (struct table_look){80, false}, "A  B\nx\n"));
    table_free(t);
    table_free(NULL);
}

int main(void)
{
    numbers_line_up_on_the_right_and_no_line_ends_in_blanks();
    a_narrow_terminal_cuts_the_flexible_columns_first();
    a_very_narrow_terminal_gets_a_block_a_row();
    wide_characters_count_as_two_columns();
    colour_comes_only_when_asked_for();
    a_remote_text_cannot_steer_the_terminal();
    cells_left_out_are_empty_and_an_empty_table_has_its_titles();
    return DONE();
}
