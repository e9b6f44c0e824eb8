#include "../test.h"
#include "talk.h"

/* Whether a service is awake, as its platform tells: one request, one reply, no state. */

struct row {
    const char *body;
    enum service_state state;
};

static void answers(const struct provider_ops *ops, const struct deployment *d,
                    const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct http_reply reply = {
            .status = 200, .sent = true, .body = rows[i].body, .len = strlen(rows[i].body)};
        struct err e = ERR_INIT;
        enum service_state is = SERVICE_UNKNOWN;
        CHECK(ops->take_awake(d, &reply, &is, &e) == 0 && is == rows[i].state);
    }
}

static void garbage_is_refused(const struct provider_ops *ops, const struct deployment *d)
{
    static const char *const garbage[] = {"",
                                          "<html>",
                                          "[]",
                                          "{}",
                                          "{\"instances\": 5}",
                                          "{\"data\": []}",
                                          "{\"data\": {\"serviceInstance\": null}}",
                                          "{\"data\": null, \"errors\": [{\"message\": \"no\"}]}"};

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct http_reply reply = {
            .status = 200, .sent = true, .body = garbage[i], .len = strlen(garbage[i])};
        struct err e = ERR_INIT;
        enum service_state is = SERVICE_ASLEEP;
        CHECK(ops->take_awake(d, &reply, &is, &e) == -1 && is == SERVICE_ASLEEP && e.text[0]);
    }
}

static void koyeb_is_asked_for_the_instances_of_the_service(void)
{
    static const struct row rows[] = {
        {"{\"instances\":[{\"status\":\"SLEEPING\"}]}", SERVICE_ASLEEP},
        {"{\"instances\":[{\"status\":\"HEALTHY\"}]}", SERVICE_AWAKE},
        {"{\"instances\":[{\"status\":\"UNHEALTHY\"}]}", SERVICE_AWAKE},
        {"{\"instances\":[{\"status\":\"SLEEPING\"},{\"status\":\"HEALTHY\"}]}", SERVICE_AWAKE},
        {"{\"instances\":[{\"status\":\"HEALTHY\"},{\"status\":\"SLEEPING\"}]}", SERVICE_AWAKE},
        {"{\"instances\":[{\"status\":\"STARTING\"}]}", SERVICE_UNKNOWN},
        {"{\"instances\":[{\"status\":\"STOPPED\"}]}", SERVICE_UNKNOWN},
        {"{\"instances\":[{\"status\":\"DREAMING\"},{}]}", SERVICE_UNKNOWN},
        {"{\"instances\":[]}", SERVICE_UNKNOWN},
    };
    struct talk t = talk_with(&provider_koyeb);

    CHECK(provider_koyeb.awake(&t.d, &t.want, &t.call, &t.e) == -1 && says(&t, "deploy it once"));
    (void)snprintf(t.d.extra, sizeof(t.d.extra), "s 1");
    CHECK(provider_koyeb.awake(&t.d, &t.want, &t.call, &t.e) == 0);
    CHECK(strcmp(t.call.http.method, "GET") == 0);
    CHECK(strcmp(t.call.http.url, "/v1/instances?service_id=s%201&limit=100") == 0);
    CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
    CHECK(!t.call.once);
    answers(&provider_koyeb, &t.d, rows, sizeof(rows) / sizeof(rows[0]));
    garbage_is_refused(&provider_koyeb, &t.d);
    talk_end(&t);
}

#define LATEST(word)                                                                               \
    "{\"data\":{\"serviceInstance\":{\"latestDeployment\":{\"status\":\"" word "\"}}}}"

static void railway_is_asked_for_the_latest_deployment(void)
{
    static const struct row rows[] = {
        {LATEST("SLEEPING"), SERVICE_ASLEEP},
        {LATEST("SUCCESS"), SERVICE_AWAKE},
        {LATEST("BUILDING"), SERVICE_UNKNOWN},
        {LATEST("CRASHED"), SERVICE_UNKNOWN},
        {LATEST("DREAMING"), SERVICE_UNKNOWN},
        {"{\"data\":{\"serviceInstance\":{\"latestDeployment\":null}}}", SERVICE_UNKNOWN}};
    struct talk t = talk_with(&provider_railway);

    CHECK(provider_railway.awake(&t.d, &t.want, &t.call, &t.e) == -1 && says(&t, "deploy it once"));
    (void)snprintf(t.d.account_id, sizeof(t.d.account_id), "e1");
    (void)snprintf(t.d.extra, sizeof(t.d.extra), "p+s1");
    CHECK(provider_railway.awake(&t.d, &t.want, &t.call, &t.e) == 0);
    CHECK(strcmp(t.call.http.method, "POST") == 0);
    CHECK(strcmp(t.call.http.url, "/graphql/v2") == 0);
    CHECK(body_has(&t, "latestDeployment") && body_has(&t, "\"environmentId\":\"e1\"") &&
          body_has(&t, "\"serviceId\":\"s1\""));
    CHECK(strcmp(http_request_find(&t.call.http, "project-access-token"), "secret-token") == 0);
    call_release(&t.call);
    t.call = (struct call){0};
    (void)snprintf(t.d.extra, sizeof(t.d.extra), "b-s1");
    CHECK(provider_railway.awake(&t.d, &t.want, &t.call, &t.e) == 0);
    CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
    answers(&provider_railway, &t.d, rows, sizeof(rows) / sizeof(rows[0]));
    garbage_is_refused(&provider_railway, &t.d);
    talk_end(&t);
}

static void the_verb_is_there_whole_or_not_at_all(void)
{
    for (size_t i = 0; i < provider_count(); i++) {
        const struct provider_ops *ops = provider_at(i);
        CHECK(!ops->awake == !ops->take_awake);
        CHECK(!ops->awake || ops->sleep_after_ms > 0);
    }
    CHECK(!provider_render.awake); /* it sleeps, but its API has no word for it */
}

int main(void)
{
    koyeb_is_asked_for_the_instances_of_the_service();
    railway_is_asked_for_the_latest_deployment();
    the_verb_is_there_whole_or_not_at_all();
    return DONE();
}
