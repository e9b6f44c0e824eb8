#include "../unit/test.h"

#include "base/json.h"
#include "base/mem.h"
#include "drive.h"

#include <stdlib.h>

/* What is the same for every platform: faults, the stream of requests, books, ports, reset. */

static const char token[] = "Authorization: Bearer sim-netlify-token-0001";

static bool set_faults(const struct drive *d, const char *rules)
{
    return drive_status("POST", drive_base(d, "control"), "/faults", NULL, rules) == 200;
}

static struct drive_reply get_user(const struct drive *d)
{
    return drive_call("GET", drive_base(d, "netlify"), "/user", token, NULL);
}

/* GET /user under that rule: what came back. */
static struct drive_reply under(const struct drive *d, const char *rule)
{
    char *rules = mem_printf("[{\"platform\":\"netlify\",%s}]", rule);
    struct drive_reply r = {0};

    if (set_faults(d, rules))
        r = get_user(d);
    free(rules);
    return r;
}

static int sites_named(const struct drive *d, const char *name)
{
    char *path = mem_printf("/sites?name=%s", name);
    json_t *list = drive_json(200, "GET", drive_base(d, "netlify"), path, token, NULL);
    int n = (int)json_array_size(list);

    json_decref(list);
    free(path);
    return n;
}

static void each_kind_of_fault_spoils_the_answer_in_its_way(const struct drive *d)
{
    struct drive_reply r = under(d, "\"status\":503,\"retry_after\":7");

    CHECK(r.status == 503 && strstr(r.headers, "Retry-After: 7\r\n") &&
          json_int(r.json, "code", 0) == 503);
    drive_reply_release(&r);
    r = under(d, "\"status\":429");
    CHECK(r.status == 429 && strstr(r.headers, "X-RateLimit-Remaining: 0\r\n"));
    drive_reply_release(&r);
    r = under(d, "\"expired_token\":true");
    CHECK(r.status == 401);
    drive_reply_release(&r);
    r = under(d, "\"garbage\":true");
    CHECK(r.status == 200 && r.broken == false && !r.json && r.text[0]);
    drive_reply_release(&r);
    r = under(d, "\"truncate\":true");
    CHECK(r.broken && !r.json);
    drive_reply_release(&r);
    r = under(d, "\"slow_body\":2000");
    CHECK(r.status == 200 && json_str(r.json, "id", NULL) != NULL);
    drive_reply_release(&r);
    r = under(d, "\"delay_ms\":30,\"method\":\"POST\"");
    CHECK(r.status == 200); /* for another method */
    drive_reply_release(&r);
    CHECK(!set_faults(d, "[{\"stal\":true}]"));
}

static void a_close_tells_nothing_about_what_was_done(const struct drive *d)
{
    const char *base = drive_base(d, "netlify");

    CHECK(set_faults(d, "[{\"method\":\"POST\",\"close\":\"before\",\"times\":1}]"));
    CHECK(drive_status("POST", base, "/sites", token, "{\"name\":\"before\"}") == 0);
    CHECK(set_faults(d, "[{\"method\":\"POST\",\"close\":\"after\",\"times\":1}]"));
    CHECK(drive_status("POST", base, "/sites", token, "{\"name\":\"after\"}") == 0);
    CHECK(sites_named(d, "before") == 0);
    CHECK(sites_named(d, "after") == 1);
    CHECK(drive_status("POST", base, "/sites", token, "{\"name\":\"before\"}") == 201);
}

static void an_unknown_word_takes_the_place_of_states(const struct drive *d)
{
    const char *base = drive_base(d, "netlify");
    json_t *sites = drive_json(200, "GET", base, "/sites?name=after", token, NULL), *deploy;
    char *path = mem_printf("/sites/%s/deploys", json_str(sites, "0.id", ""));

    CHECK(set_faults(d, "[{\"path\":\"/sites/*/deploys\",\"unknown_status\":\"pondering\"}]"));
    deploy = drive_json(200, "POST", base, path, token, "{\"files\":{}}");
    CHECK(strcmp(json_str(deploy, "state", ""), "pondering") == 0);
    CHECK(set_faults(d, "[]"));
    json_decref(deploy);
    deploy = drive_json(200, "GET", base, path, token, NULL);
    CHECK(strcmp(json_str(deploy, "0.state", "pondering"), "pondering") != 0);
    json_decref(deploy);
    json_decref(sites);
    free(path);
}

static void the_stream_shows_requests_without_credentials(const struct drive *d)
{
    struct drive_reply r = get_user(d), shown;

    drive_reply_release(&r);
    shown = drive_call("GET", drive_base(d, "control"), "/requests?follow=0", NULL, NULL);
    CHECK(strstr(shown.text, "\"path\":\"/api/v1/user\"") != NULL);
    CHECK(strstr(shown.text, "\"body_sha256\":\"e3b0c442") != NULL);
    CHECK(strstr(shown.text, "\"body\":{\"name\":\"after\"}") != NULL);
    CHECK(strstr(shown.text, "sim-netlify-token") == NULL);
    CHECK(strcasestr(shown.text, "\"authorization\"") == NULL);
    drive_reply_release(&shown);
    shown =
        drive_call("GET", drive_base(d, "control"), "/requests?follow=0&since=1000000", NULL, NULL);
    CHECK(shown.status == 200 && shown.text[0] == '\0');
    drive_reply_release(&shown);
}

static bool asleep(const struct drive *d)
{
    json_t *sites = drive_json(200, "GET", drive_base(d, "control"), "/sites", NULL, NULL);
    bool is = json_flag(sites, "0.asleep", false);

    json_decref(sites);
    return is;
}

static void a_service_sleeps_when_told_and_wakes_when_visited(const struct drive *d)
{
    static const char hook[] = "/deploy/srv-simhook0000000000001?key=sim-render-hook-0001";
    static const char host[] = "Host: simhook.onrender.localhost";
    const char *sites = drive_base(d, "sites");
    json_t *health;

    CHECK(drive_status("POST", drive_base(d, "render"), hook, NULL, "") == 200);
    CHECK(drive_wait(drive_base(d, "control"), "/sites", NULL, "0.host", host + strlen("Host: ")));
    CHECK(drive_status("POST", drive_base(d, "control"), "/sleep", NULL,
                       "{\"host\":\"simhook.onrender.localhost\"}") == 200);
    CHECK(asleep(d));
    health = drive_json(200, "GET", sites, "/health", host, NULL);
    CHECK(strcmp(json_str(health, "status", ""), "ok") == 0 && json_str(health, "commit", NULL));
    CHECK(!asleep(d));
    CHECK(drive_status("OPTIONS", sites, "/api/v1/stores", host, NULL) == 204);
    CHECK(drive_status("GET", sites, "/nothing", host, NULL) == 404);
    json_decref(health);
}

static void only_services_can_be_put_to_sleep(const struct drive *d)
{
    const char *base = drive_base(d, "control");

    CHECK(drive_status("POST", base, "/sleep", NULL, "{\"host\":\"after.netlify.localhost\"}") ==
          404);
    CHECK(drive_status("POST", base, "/sleep", NULL, "{}") == 400);
    CHECK(drive_status("POST", base, "/nothing", NULL, "{}") == 404);
}

static void a_restart_keeps_ports_and_faults_and_a_reset_forgets_all_but_ports(struct drive *d,
                                                                               const char *program)
{
    char before[100];

    CHECK(set_faults(d, "[{\"path\":\"/never\",\"stall\":true}]"));
    snprintf(before, sizeof(before), "%s", drive_base(d, "netlify"));
    drive_restart(d, program, 100);
    CHECK(strcmp(before, drive_base(d, "netlify")) == 0);
    struct drive_reply r = drive_call("GET", drive_base(d, "control"), "/faults", NULL, NULL);
    CHECK(json_array_size(r.json) == 1);
    drive_reply_release(&r);
    CHECK(sites_named(d, "after") == 1);
    CHECK(drive_status("POST", drive_base(d, "control"), "/reset", NULL, "") == 200);
    CHECK(sites_named(d, "after") == 0);
    r = drive_call("GET", drive_base(d, "control"), "/faults", NULL, NULL);
    CHECK(json_is_array(r.json) && json_array_size(r.json) == 0);
    drive_reply_release(&r);
    drive_restart(d, program, 100);
    CHECK(strcmp(before, drive_base(d, "netlify")) == 0);
}

int main(int argc, char **argv)
{
    struct drive d;

    drive_start(&d, argc > 1 ? argv[1] : NULL, 100);
    a_service_sleeps_when_told_and_wakes_when_visited(&d);
    each_kind_of_fault_spoils_the_answer_in_its_way(&d);
    a_close_tells_nothing_about_what_was_done(&d);
    an_unknown_word_takes_the_place_of_states(&d);
    the_stream_shows_requests_without_credentials(&d);
    only_services_can_be_put_to_sleep(&d);
    a_restart_keeps_ports_and_faults_and_a_reset_forgets_all_but_ports(&d, argv[1]);
    drive_stop(&d);
    return DONE();
}
