#include "base/json.h"
#include "check_rig.h"
#include "net/http_server.h"
#include "servers.h"

#include <jansson.h>

/* The check against a server that answers as Upstash's REST interface does, on the same loop. */

#define TOKEN "canary-upstash-token"

static struct target target(const char *url)
{
    return (struct target){.kind = CHECK_UPSTASH,
                           .environment = "uat",
                           .app = "cache",
                           .instance = "",
                           .check = "rest",
                           .url = url,
                           .token = TOKEN,
                           .every_ms = 60000,
                           .timeout_ms = 10000};
}

struct site {
    int commands, requests;
    int status;       /* 0: as Upstash does */
    const char *body; /* with a status */
};

static bool is_command(const json_t *pipeline, size_t i, const char *name)
{
    const json_t *word = json_array_get(json_array_get(pipeline, i), 0);

    return word && strcmp(json_string_value(word), name) == 0;
}

static void serve(struct http_exchange *x, void *arg)
{
    struct site *s = arg;
    struct err e = ERR_INIT;
    size_t len;
    const char *body = http_exchange_body(x, &len);
    const char *auth = http_exchange_header(x, "Authorization");
    char text[300];

    s->requests++;
    if (s->status) {
        http_exchange_answer(x, s->status, "application/json", s->body, strlen(s->body));
        return;
    }
    json_t *pipeline = json_read(body, len, "pipeline", &e);
    s->commands += (int)json_array_size(pipeline);
    CHECK(strcmp(http_exchange_method(x), "POST") == 0);
    CHECK(strcmp(http_exchange_path(x), "/pipeline") == 0);
    CHECK(auth && strcmp(auth, "Bearer " TOKEN) == 0);
    CHECK(is_command(pipeline, 0, "SET") && is_command(pipeline, 1, "GET"));
    CHECK(strcmp(json_str(pipeline, "0.1", "a"), json_str(pipeline, "1.1", "b")) == 0);
    CHECK(strncmp(json_str(pipeline, "0.1", ""), "trine:", 6) == 0);
    CHECK(strcmp(json_str(pipeline, "0.3", ""), "EX") == 0);
    (void)snprintf(text, sizeof(text), "[{\"result\":\"OK\"},{\"result\":\"%s\"}]",
                   json_str(pipeline, "0.2", ""));
    http_exchange_answer(x, 200, "application/json", text, strlen(text));
    json_decref(pipeline);
}

static struct rig ask(struct site *s, const char *after)
{
    struct rig r;
    struct err e = ERR_INIT;
    char url[100];

    rig_begin(&r, NULL);
    struct http_server *server = http_server_new(
        r.loop, &(struct http_server_options){.address = "127.0.0.1"}, serve, s, &e);
    if (!server)
        abort();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(server), after);
    struct target t = target(url);
    CHECK(check_upstash.start(&r.tools, &t, 0, rig_answered, &r) != NULL && r.calls == 0);
    rig_wait(&r);
    http_server_free(server);
    rig_end(&r);
    CHECK(r.calls == 1 && r.answer.ok == (r.reason[0] == '\0'));
    CHECK(!strstr(r.reason, "canary"));
    return r;
}

static void a_round_trip_of_two_commands_in_one_request(void)
{
    struct site s = {0};
    struct rig r = ask(&s, "/");

    CHECK(r.answer.ok && r.answer.answered && r.answer.status == 200);
    CHECK(s.requests == 1 && s.commands == CHECK_UPSTASH_COMMANDS);
    CHECK(r.answer.first_byte >= r.answer.connect && r.answer.total > 0);
}

static void what_is_wrong_is_said_without_the_token(void)
{
    static const struct {
        int status;
        const char *body, *why;
    } rows[] = {
        {401, "{\"error\":\"WRONGPASS invalid token " TOKEN "\"}", "look at the cache's token"},
        {401, "", "the token is refused"},
        {400, "{\"error\":\"ERR max requests limit exceeded. Limit: 500000\"}", "are spent"},
        {200, "[{\"error\":\"ERR max daily request limit exceeded\"},{\"error\":\"x\"}]",
         "are spent"},
        {200, "[{\"result\":\"OK\"},{\"result\":null}]", "did not give back"},
        {200, "[{\"result\":\"OK\"},{\"error\":\"ERR no\"}]", "ERR no"},
        {200, "[]", "is not Upstash"},
        {200, "{}", "is not Upstash"},
        {200, "<html>welcome</html>", "is not Upstash"},
        {200, "", "is not Upstash"},
        {503, "<html>later</html>", "answered 503"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site s = {.status = rows[i].status, .body = rows[i].body};
        struct rig r = ask(&s, "");
        CHECK(!r.answer.ok && r.answer.answered);
        CHECK(strstr(r.reason, rows[i].why) != NULL);
        if (!strstr(r.reason, rows[i].why))
            printf("# says: %s\n", r.reason);
    }
}

static void a_reply_without_end_is_cut(void)
{
    static char large[100000];
    struct site s = {.status = 200, .body = large};

    memset(large, 'x', sizeof(large) - 1);
    struct rig r = ask(&s, "");
    CHECK(!r.answer.ok && r.answer.answered);
}

static void a_dead_port_refuses(void)
{
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", server_free_port());
    struct target t = target(url);
    struct rig r = rig_run(&check_upstash, &t, NULL);
    CHECK(!r.answer.ok && r.answer.sent && r.answer.total == -1);
}

int main(void)
{
    a_round_trip_of_two_commands_in_one_request();
    what_is_wrong_is_said_without_the_token();
    a_reply_without_end_is_cut();
    a_dead_port_refuses();
    return DONE();
}
