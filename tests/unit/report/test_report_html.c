#include "report/report.h"

#include "base/buf.h"
#include "base/text.h"
#include "sample.h"
#include "test.h"

static char *page(int n, const char *last)
{
    struct buf out = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = sample_comparison(n, last);
    report_html(c, &out);
    comparison_free(c);
    CHECK(!buf_over(&out));
    return buf_take(&out, NULL);
}

static int count(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

static bool balanced(const char *text, const char *element)
{
    char open[32], open_more[32], close[32];
    snprintf(open, sizeof open, "<%s>", element);
    snprintf(open_more, sizeof open_more, "<%s ", element);
    snprintf(close, sizeof close, "</%s>", element);
    return count(text, open) + count(text, open_more) == count(text, close);
}

static bool all_balanced(const char *text)
{
    static const char *const elements[] = {
        "html", "head",  "body",  "main",  "section", "article", "div", "figure", "svg", "g",
        "text", "table", "thead", "tbody", "tr",      "th",      "td",  "ul",     "li",  "dl",
        "dt",   "dd",    "p",     "span",  "title",   "desc",    "h1",  "h2",     "h3",  "small"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (!balanced(text, elements[i])) {
            printf("# <%s> is not balanced\n", elements[i]);
            return false;
        }
    return true;
}

static void the_page_needs_nothing_from_outside(void)
{
    char *text = page(300, "preprod");
    static const char *const outside[] = {"http://", "https://", "src=",  "href=", "url(",
                                          "@import", "<script",  "<link", "<img",  "<iframe"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        CHECK(!strstr(text, outside[i]));
    CHECK(strstr(text, "default-src 'none'"));
    CHECK(text_is_utf8(text, strlen(text), NULL));
    CHECK(all_balanced(text));
    free(text);
}

static void every_plot_tells_a_screen_reader_what_it_shows(void)
{
    char *text = page(300, "preprod");
    CHECK(count(text, "role=\"img\"") == 4);
    CHECK(count(text, "<desc id=") == 4 && count(text, "<title id=") == 4);
    CHECK(strstr(text, "lang=\"en\"") && strstr(text, "width=device-width"));
    CHECK(strstr(text, "prefers-color-scheme:dark"));
    free(text);
}

static void what_is_concluded_stands_in_words(void)
{
    char *text = page(300, "preprod");
    CHECK(strstr(text, "Recommendation for production") && strstr(text, "Not decided"));
    CHECK(strstr(text, "Every two environments") && strstr(text, "▲ better"));
    CHECK(strstr(text, "By time of the day") && strstr(text, "weight 40%"));
    CHECK(strstr(text, "@media print") && !strstr(text, "Against the window before"));
    free(text);
}

static void coordinates_are_always_numbers(void)
{
    static const int sizes[] = {0, 1, 2, 7, 300, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = page(sizes[i], "preprod");
        CHECK(!strstr(text, "nan") && !strstr(text, "inf ") && !strstr(text, "\"inf"));
        CHECK(all_balanced(text));
        free(text);
    }
}

static void names_cannot_become_markup(void)
{
    char *text = page(100, "\"><script>alert('x')</script>&");
    CHECK(!strstr(text, "<script") && strstr(text, "&lt;script&gt;"));
    CHECK(strstr(text, "shop &amp; co") && !strstr(text, "shop & co"));
    CHECK(all_balanced(text));
    free(text);
}

static void a_page_without_data_says_so(void)
{
    char *text = page(0, "preprod");
    CHECK(strstr(text, "No answered request in this window yet."));
    CHECK(strstr(text, "fewer than two environments were measured"));
    free(text);
}

static void a_comparison_without_environments_is_a_page_too(void)
{
    struct comparison_options o = {.project = "x", .from_ms = 0, .until_ms = 1};
    struct comparison *c = comparison_finish(comparison_begin(&o));
    struct buf out = BUF_INIT(REPORT_MAX_BYTES);
    report_html(c, &out);
    report_json(c, &out);
    report_text(c, &(struct table_look){80, false}, true, &out);
    CHECK(out.len > 0 && !buf_over(&out));
    buf_release(&out);
    comparison_free(c);
}

int main(void)
{
    the_page_needs_nothing_from_outside();
    every_plot_tells_a_screen_reader_what_it_shows();
    what_is_concluded_stands_in_words();
    coordinates_are_always_numbers();
    names_cannot_become_markup();
    a_page_without_data_says_so();
    a_comparison_without_environments_is_a_page_too();
    return DONE();
}
