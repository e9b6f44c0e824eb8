#include "app/status_watch.h"

#include "app/app.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* A page of a platform, on the same loop. */
struct world {
    struct app app;
    struct http_server *server;
    struct status_watch *watch;
    struct timer *deadline;
    const char *json, *feed; /* what is answered; NULL = 404 */
    int asked, said, stop_at;
    char text[512], evidence[1024], platform[32];
    bool late;
};

static void count(struct world *w)
{
    if (w->asked + w->said >= w->stop_at)
        loop_stop(w->app.loop);
}

static void received(struct http_exchange *x, void *arg)
{
    struct world *w = arg;
    const char *path = http_exchange_path(x);
    const char *answer = strcmp(path, "/api/v2/summary.json") == 0 ? w->json
                         : strcmp(path, "/history.atom") == 0      ? w->feed
                                                                   : NULL;

    w->asked++;
    http_exchange_answer(x, answer ? 200 : 404, "text/plain", answer ? answer : "no",
                         answer ? strlen(answer) : 2);
    count(w);
}

static void said(const char *platform, const char *text, const char *evidence, void *arg)
{
    struct world *w = arg;

    w->said++;
    snprintf(w->platform, sizeof(w->platform), "%s", platform);
    snprintf(w->text, sizeof(w->text), "%s", text);
    snprintf(w->evidence, sizeof(w->evidence), "%s", evidence);
    count(w);
}

static void too_late(void *arg)
{
    struct world *w = arg;

    w->late = true;
    loop_stop(w->app.loop);
}

static bool wait_for(struct world *w, int n)
{
    w->stop_at = n;
    if (w->asked + w->said >= n)
        return true;
    timer_start(w->deadline, 20000);
    loop_run(w->app.loop);
    timer_stop(w->deadline);
    return !w->late;
}

static void begin(struct world *w)
{
    struct err e = ERR_INIT;
    char text[128];

    memset(w, 0, sizeof(*w));
    w->app.clock = clock_system;
    w->app.loop = loop_new(NULL);
    w->app.http =
        http_client_new(w->app.loop, &(struct http_client_options){.user_agent = "trine-test"});
    w->server = http_server_new(w->app.loop, &(struct http_server_options){.address = "127.0.0.1"},
                                received, w, &e);
    if (!w->server)
        abort();
    snprintf(text, sizeof(text),
             "{\"bases\": {\"status-netlify\": \"http://127.0.0.1:%u\"},"
             "\"control\": \"http://127.0.0.1:1\"}",
             http_server_port(w->server));
    if (bases_read("test", text, strlen(text), &w->app.bases, &e) < 0)
        abort();
    w->deadline = timer_new(w->app.loop, too_late, w);
    const struct status_watch_options o = {.app = &w->app, .said = said, .arg = w, .every_ms = 5};
    w->watch = status_watch_new(&o);
}

static void finish(struct world *w)
{
    status_watch_free(w->watch);
    http_client_free(w->app.http);
    http_server_free(w->server);
    timer_free(w->deadline);
    bases_free(w->app.bases);
    loop_free(w->app.loop);
}

static void what_a_page_says_is_told_again_and_again_while_it_is_wanted(void)
{
    struct world w;
    begin(&w);
    w.json = "{\"status\": {\"indicator\": \"major\"}, \"incidents\": [{\"name\": \"Builds fail\","
             "\"status\": \"identified\", \"impact\": \"major\", \"shortlink\": \"https://x/1\"}]}";
    status_watch_want(w.watch, "netlify", true);
    status_watch_want(w.watch, "netlify", true);
    CHECK(wait_for(&w, 4));
    CHECK(w.asked >= 2 && w.said >= 1 && strcmp(w.platform, "netlify") == 0);
    CHECK(strcmp(w.text, "Netlify's status page: Builds fail (identified, major)") == 0);
    CHECK(strstr(w.evidence, "\"url\":\"https://x/1\""));
    status_watch_want(w.watch, "netlify", false);
    w.asked = w.said = 0;
    timer_start(w.deadline, 100); /* twenty times as long as between two reads */
    w.stop_at = 3;                /* one may have been under way */
    loop_run(w.app.loop);
    CHECK(w.late && w.said == 0);
    finish(&w);
}

static void a_page_without_incidents_says_so(void)
{
    struct world w;
    begin(&w);
    w.json = "{\"status\": {\"indicator\": \"none\"}, \"incidents\": []}";
    status_watch_want(w.watch, "netlify", true);
    CHECK(wait_for(&w, 2));
    CHECK(strcmp(w.text, "Netlify's status page: no incident is reported there") == 0);
    CHECK(w.evidence[0] == '\0');
    finish(&w);
}

static void a_page_that_does_not_answer_in_its_format_is_read_as_its_feed(void)
{
    struct world w;
    char feed[512], at[32];
    begin(&w);
    clock_format_utc(clock_wall_ms(&clock_system), at);
    snprintf(feed, sizeof(feed),
             "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>Slow builds</title>"
             "<updated>%s</updated><content>Monitoring - a fix is in</content></entry></feed>",
             at);
    w.json = "<html>moved</html>";
    w.feed = feed;
    status_watch_want(w.watch, "netlify", true);
    CHECK(wait_for(&w, 3));
    CHECK(strcmp(w.text, "Netlify's status page: Slow builds (Monitoring): Monitoring - a fix is "
                         "in") == 0);
    finish(&w);
}

static void a_page_that_answers_nothing_useful_says_nothing_and_is_asked_again(void)
{
    struct world w;
    begin(&w);
    status_watch_want(w.watch, "netlify", true);
    CHECK(wait_for(&w, 4));
    CHECK(w.said == 0 && w.asked == 4);
    finish(&w);
}

static void beside_a_simulator_no_real_page_is_read(void)
{
    struct world w;
    begin(&w);
    status_watch_want(w.watch, "vercel", true);   /* no address of it in the bases file */
    status_watch_want(w.watch, "postgres", true); /* no page is known */
    status_watch_want(w.watch, "koyeb", false);
    CHECK(http_in_flight(w.app.http) == 0);
    finish(&w);
}

int main(void)
{
    what_a_page_says_is_told_again_and_again_while_it_is_wanted();
    a_page_without_incidents_says_so();
    a_page_that_does_not_answer_in_its_format_is_read_as_its_feed();
    a_page_that_answers_nothing_useful_says_nothing_and_is_asked_again();
    beside_a_simulator_no_real_page_is_read();
    return DONE();
}
