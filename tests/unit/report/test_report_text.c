#include "report/report.h"

#include "base/buf.h"
#include "base/text.h"
#include "sample.h"
#include "test.h"

static char *printed(int n, struct table_look look, bool endpoints)
{
    struct buf out = BUF_INIT(1 << 20);
    struct comparison *c = sample_comparison(n, "preprod");
    report_text(c, &look, endpoints, &out);
    comparison_free(c);
    return buf_take(&out, NULL);
}

static size_t widest(char *text)
{
    size_t most = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        size_t columns = text_columns(line);
        most = columns > most ? columns : most;
    }
    return most;
}

static void eighty_columns_are_enough(void)
{
    char *text = printed(300, (struct table_look){80, false}, true);
    CHECK(strstr(text, "Warm requests") && strstr(text, "Cold starts") && strstr(text, "Winners"));
    CHECK(strstr(text, "Endpoints") && !strchr(text, '\033'));
    CHECK(widest(text) <= 80);
    free(text);
}

static void a_phone_s_terminal_gets_blocks(void)
{
    char *text = printed(300, (struct table_look){44, false}, false);
    CHECK(strstr(text, "\nMetric       Average\n") && !strstr(text, "Endpoints\n"));
    CHECK(widest(text) <= 44);
    free(text);
}

static void a_winner_and_an_open_question_are_said_in_words(void)
{
    char *text = printed(300, (struct table_look){0, true}, false);
    CHECK(strstr(text, "\033[32muat\033[0m") && strstr(text, "\033[33minconclusive\033[0m"));
    free(text);
    text = printed(5, (struct table_look){0, false}, false);
    CHECK(strstr(text, "are the least for a verdict"));
    free(text);
    text = printed(0, (struct table_look){0, false}, false);
    CHECK(strstr(text, "fewer than two environments were measured"));
    free(text);
}

int main(void)
{
    eighty_columns_are_enough();
    a_phone_s_terminal_gets_blocks();
    a_winner_and_an_open_question_are_said_in_words();
    return DONE();
}
