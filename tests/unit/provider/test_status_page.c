#include "base/clock.h"
#include "base/text.h"
#include "provider/status_page.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct status_report report;
static struct err err;
static int64_t now_ms;

static int read_text(enum status_format f, const char *text)
{
    status_report_release(&report);
    err = ERR_INIT;
    return status_report_read(f, text, strlen(text), now_ms, &report, &err);
}

static void every_platform_with_a_public_page_is_in_the_catalogue(void)
{
    static const char *const platforms[] = {"cloudflare-pages", "r2",      "koyeb",  "neon",
                                            "upstash",          "netlify", "render", "supabase",
                                            "vercel",           "railway", "expo",   "github"};
    struct status_pages *p = status_pages_new();
    struct status_page page;

    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        bool found = status_pages_find(p, platforms[i], &page);
        CHECK(found && strncmp(page.base, "https://", 8) == 0 && page.path[0] == '/');
        CHECK(found && page.name[0] && page.source[0] && page.format != STATUS_ATOM);
        CHECK(found && (page.feed[0] == '/' || page.feed[0] == '\0'));
    }
    CHECK(!status_pages_find(p, "postgres", &page) && !status_pages_find(p, "", &page));
    CHECK(strlen(status_pages_read_on(p)) == 10);
    status_pages_free(p);
}

static void statuspage_tells_what_is_not_over(void)
{
    CHECK(
        read_text(STATUS_STATUSPAGE,
                  "{\"page\": {}, \"status\": {\"indicator\": \"major\", \"description\": \"x\"},"
                  "\"incidents\": [{\"name\": \"Elevated <b>errors</b>\\nof builds\","
                  "\"status\": \"investigating\", \"impact\": \"major\","
                  "\"shortlink\": \"https://stspg.io/1\","
                  "\"updated_at\": \"2026-11-22T10:00:00.000Z\","
                  "\"incident_updates\": [{\"body\": \"We look into it.\"}, {\"body\": \"old\"}]},"
                  "{\"name\": \"An old one\", \"status\": \"resolved\"}]}") == 0);
    CHECK(report.n == 1 && strcmp(report.lines[0].title, "Elevated errors of builds") == 0);
    CHECK(strcmp(report.lines[0].state, "investigating") == 0);
    CHECK(strcmp(report.lines[0].impact, "major") == 0);
    CHECK(strcmp(report.lines[0].text, "We look into it.") == 0);
    CHECK(strcmp(report.lines[0].url, "https://stspg.io/1") == 0);
    CHECK(report.lines[0].at_ms > 0);
}

static void statuspage_without_incidents_tells_its_indicator(void)
{
    CHECK(read_text(STATUS_STATUSPAGE, "{\"status\": {\"indicator\": \"none\", \"description\":"
                                       "\"All Systems Operational\"}, \"incidents\": []}") == 0);
    CHECK(report.n == 0);
    CHECK(read_text(STATUS_STATUSPAGE, "{\"status\": {\"indicator\": \"minor\", \"description\":"
                                       "\"Partial System Outage\"}}") == 0);
    CHECK(report.n == 1 && strcmp(report.lines[0].title, "Partial System Outage") == 0);
}

static void instatus_tells_its_active_incidents(void)
{
    CHECK(read_text(STATUS_INSTATUS,
                    "{\"page\": {\"name\": \"Koyeb\", \"status\": \"HASISSUES\"},"
                    "\"activeIncidents\": [{\"name\": \"Deployments fail\", \"status\":"
                    "\"IDENTIFIED\", \"impact\": \"MAJOROUTAGE\", \"url\": \"https://x/1\"}]}") ==
          0);
    CHECK(report.n == 1 && strcmp(report.lines[0].impact, "MAJOROUTAGE") == 0);
    CHECK(read_text(STATUS_INSTATUS, "{\"page\": {\"status\": \"UP\"}}") == 0 && report.n == 0);
}

static void an_incident_of_several_regions_is_one_line(void)
{
    static const char one[] =
        "{\"summary\": {\"ongoing_incidents\": [{\"name\": \"Computes do not start\","
        "\"status\": \"investigating\", \"url\": \"https://neonstatus.com/incidents/1\","
        "\"last_update_message\": \"Being looked at\"}]}}";
    char text[1024];

    snprintf(text, sizeof(text), "{\"page_title\": \"Neon\", \"subpages\": [%s, %s]}", one, one);
    CHECK(read_text(STATUS_WIDGET, text) == 0);
    CHECK(report.n == 1 && strcmp(report.lines[0].text, "Being looked at") == 0);
    CHECK(read_text(STATUS_WIDGET, "{\"page_title\": \"Neon\", \"ongoing_incidents\": []}") == 0);
    CHECK(report.n == 0);
}

static const char feed_head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                                "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Status</title>"
                                "<updated>2026-11-22T12:00:00Z</updated>";

static void a_feed_tells_entries_of_the_day_that_are_not_over(void)
{
    char text[4096];

    snprintf(text, sizeof(text),
             "%s<entry><id>1</id><title>Slow &amp; failing builds</title>"
             "<updated>2026-11-22T11:00:00Z</updated>"
             "<link rel=\"alternate\" href=\"https://x/1\"/>"
             "<content type=\"html\">&lt;p&gt;&lt;strong&gt;Identified&lt;/strong&gt; - a cause is "
             "found&lt;/p&gt;&lt;p&gt;Investigating - we look&lt;/p&gt;</content></entry>"
             "<entry><title>Over</title><updated>2026-11-22T11:00:00Z</updated>"
             "<content>Resolved - all is well. Investigating - we look</content></entry>"
             "<entry><title>Long ago</title><updated>2026-11-20T11:00:00Z</updated>"
             "<content>Investigating - forgotten</content></entry></feed>",
             feed_head);
    CHECK(read_text(STATUS_ATOM, text) == 0);
    CHECK(report.n == 1 && strcmp(report.lines[0].title, "Slow & failing builds") == 0);
    CHECK(strcmp(report.lines[0].state, "Identified") == 0);
    CHECK(strstr(report.lines[0].text, "a cause is found") && !strchr(report.lines[0].text, '<'));
    CHECK(strcmp(report.lines[0].url, "https://x/1") == 0);
    snprintf(text, sizeof(text), "%s</feed>", feed_head);
    CHECK(read_text(STATUS_ATOM, text) == 0 && report.n == 0);
}

static void what_is_no_answer_is_refused_and_named(void)
{
    static const struct {
        enum status_format format;
        const char *text, *why;
    } rows[] = {
        {STATUS_STATUSPAGE, "<html>", "status page"},
        {STATUS_STATUSPAGE, "{}", "no \"status\""},
        {STATUS_STATUSPAGE, "[1]", "no \"status\""},
        {STATUS_INSTATUS, "{\"status\": {}}", "no \"page\""},
        {STATUS_WIDGET, "{\"page\": {}}", "no \"ongoing_incidents\""},
        {STATUS_ATOM, "", "no XML"},
        {STATUS_ATOM, "{}", "no XML"},
        {STATUS_ATOM, "<feed>", "no XML"},
        {STATUS_ATOM, "<feed/>", "no Atom feed"},
        {STATUS_ATOM, "<rss version=\"2.0\"/>", "no Atom feed"},
        {STATUS_ATOM, "<!DOCTYPE feed [<!ENTITY a \"aaaa\">]><feed/>", "document type"},
        {STATUS_ATOM, "<!DOCTYPE feed SYSTEM \"http://x/y.dtd\"><feed/>", "document type"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(read_text(rows[i].format, rows[i].text) == -1);
        CHECK(strstr(err.text, rows[i].why) && report.n == 0);
    }
}

static void nests_floods_and_long_texts_are_bounded(void)
{
    size_t size = 1 << 20, len = 0;
    char *text = malloc(size);

    len = (size_t)snprintf(text, size, "%s", feed_head);
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, size - len, "<a>");
    CHECK(read_text(STATUS_ATOM, text) == -1 && strstr(err.text, "nested too deeply"));

    len = (size_t)snprintf(text, size, "%s", feed_head);
    for (int i = 0; i < 600; i++)
        len += (size_t)snprintf(text + len, size - len, "<entry></entry>");
    snprintf(text + len, size - len, "</feed>");
    CHECK(read_text(STATUS_ATOM, text) == -1 && strstr(err.text, "too many entries"));

    len = (size_t)snprintf(text, size, "%s", feed_head);
    for (int i = 0; i < 50; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "<entry><title>t</title><updated>2026-11-22T11:00:00Z</updated>"
                                "<content>");
        memset(text + len, 'x', 5000);
        len += 5000;
        len += (size_t)snprintf(text + len, size - len, "</content></entry>");
    }
    snprintf(text + len, size - len, "</feed>");
    CHECK(read_text(STATUS_ATOM, text) == 0 && report.n == STATUS_LINES_MAX);
    CHECK(strlen(report.lines[0].text) <= STATUS_TEXT_MAX);
    status_report_release(&report);
    CHECK(status_report_read(STATUS_ATOM, text, STATUS_ANSWER_MAX + 1, now_ms, &report, &err) ==
          -1);
    free(text);
}

static void a_long_title_of_another_script_is_cut_between_characters(void)
{
    char text[2048];
    size_t len =
        (size_t)snprintf(text, sizeof(text), "{\"page\": {}, \"activeIncidents\": [{\"name\": \"a");

    for (int i = 0; i < STATUS_TEXT_MAX / 3 + 20; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "\u969c"); /* of three bytes */
    snprintf(text + len, sizeof(text) - len, "\"}]}");
    CHECK(read_text(STATUS_INSTATUS, text) == 0 && report.n == 1);
    CHECK(strlen(report.lines[0].title) == STATUS_TEXT_MAX - 2);
    CHECK(text_is_utf8(report.lines[0].title, strlen(report.lines[0].title), NULL));
}

int main(void)
{
    CHECK(clock_parse_utc("2026-11-22T12:00:00Z", &now_ms) == 0);
    every_platform_with_a_public_page_is_in_the_catalogue();
    statuspage_tells_what_is_not_over();
    statuspage_without_incidents_tells_its_indicator();
    instatus_tells_its_active_incidents();
    an_incident_of_several_regions_is_one_line();
    a_feed_tells_entries_of_the_day_that_are_not_over();
    what_is_no_answer_is_refused_and_named();
    nests_floods_and_long_texts_are_bounded();
    a_long_title_of_another_script_is_cut_between_characters();
    status_report_release(&report);
    return DONE();
}
