#include "sim.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Upstash: Redis over REST (upstash.com/docs/redis/features/restapi). A command is a path of parts
 * or a JSON array; /pipeline and /multi-exec take arrays of commands and answer each in its place,
 * so a reply of status 200 may hold errors. Every command of a pipeline counts against the month.
 *
 * An account's state: keys {name: {value, expires_ms}}, month and commands (of that month).
 */

enum { COMMANDS_A_MONTH = 500000, MONTH_MS_DAYS = 30, ARGUMENTS_MAX = 64, PIPELINE_MAX = 1000 };

static json_t *account_of(struct sim_request *r)
{
    return sim_member(sim_member(sim_state(r->sim, r->platform), "accounts"), r->account);
}

static json_t *say_error(const char *text)
{
    return json_pack("{s:s}", "error", text);
}

static json_t *say_result(json_t *result) /* steals it */
{
    return json_pack("{s:o}", "result", result);
}

/* --- Commands ------------------------------------------------------------------------------------
 */

struct command {
    struct sim_request *r;
    json_t *account;
    const char *words[ARGUMENTS_MAX];
    size_t n;
};

/* The live record of a key, or NULL. */
static json_t *record_of(struct command *c, const char *key)
{
    json_t *keys = sim_member(c->account, "keys"), *record = json_object_get(keys, key);
    int64_t expires = json_int(record, "expires_ms", 0);

    if (!record || expires == 0 || expires > sim_now_ms(c->r->sim))
        return record;
    json_object_del(keys, key);
    return NULL;
}

static json_t *run_set(struct command *c)
{
    int64_t expires = 0;
    bool pairs = c->n == 3 || c->n == 5;

    if (c->n == 5) {
        int64_t amount = strtoll(c->words[4], NULL, 10);
        bool seconds = strcasecmp(c->words[3], "EX") == 0;
        pairs = amount > 0 && amount < INT32_MAX && (seconds || !strcasecmp(c->words[3], "PX"));
        expires = sim_now_ms(c->r->sim) + (seconds ? 1000 * amount : amount);
    }
    if (!pairs)
        return say_error("ERR syntax error");
    json_object_set_new(
        sim_member(c->account, "keys"), c->words[1],
        json_pack("{s:s, s:I}", "value", c->words[2], "expires_ms", (json_int_t)expires));
    return say_result(json_string("OK"));
}

static json_t *run_get(struct command *c)
{
    json_t *record = record_of(c, c->words[1]);

    return say_result(record ? json_incref(json_object_get(record, "value")) : json_null());
}

static json_t *run_del(struct command *c)
{
    json_int_t gone = 0;

    for (size_t i = 1; i < c->n; i++) {
        bool there = record_of(c, c->words[i]) != NULL;
        gone += there;
        if (there)
            json_object_del(sim_member(c->account, "keys"), c->words[i]);
    }
    return say_result(json_integer(gone));
}

static json_t *run_ping(struct command *c)
{
    return say_result(json_string(c->n > 1 ? c->words[1] : "PONG"));
}

static json_t *run_publish(struct command *c)
{
    (void)c;
    return say_result(json_integer(0)); /* nobody listens over REST */
}

static json_t *run_command(struct command *c)
{
    static const struct {
        const char *name;
        size_t least;
        json_t *(*run)(struct command *c);
    } table[] = {{"PING", 1, run_ping},
                 {"SET", 3, run_set},
                 {"GET", 2, run_get},
                 {"DEL", 2, run_del},
                 {"PUBLISH", 3, run_publish}};
    char text[200];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcasecmp(table[i].name, c->words[0]) != 0)
            continue;
        if (c->n >= table[i].least)
            return table[i].run(c);
        (void)snprintf(text, sizeof(text), "ERR wrong number of arguments for '%s' command",
                       table[i].name);
        return say_error(text);
    }
    (void)snprintf(text, sizeof(text), "ERR Command is not available: '%.80s'", c->words[0]);
    return say_error(text);
}

/* Counts one command; false when the month's are spent. */
static bool count_command(struct command *c)
{
    int64_t month = sim_now_ms(c->r->sim) / ((int64_t)MONTH_MS_DAYS * 24 * 3600 * 1000);
    bool same = json_int(c->account, "month", -1) == month;
    int64_t commands = same ? json_int(c->account, "commands", 0) : 0;

    if (commands >= COMMANDS_A_MONTH)
        return false;
    json_object_set_new(c->account, "month", json_integer(month));
    json_object_set_new(c->account, "commands", json_integer(commands + 1));
    sim_changed(c->r->sim);
    return true;
}

static json_t *run_counted(struct command *c)
{
    char text[240];

    if (count_command(c))
        return run_command(c);
    (void)snprintf(text, sizeof(text),
                   "ERR max requests limit exceeded. Limit: %d, Usage: %d. See "
                   "https://upstash.com/docs/redis/troubleshooting/max_requests_limit",
                   COMMANDS_A_MONTH, COMMANDS_A_MONTH);
    return say_error(text);
}

/* ["SET", "key", "value", "EX", 60]: numbers are arguments as well. */
static json_t *run_json(struct sim_request *r, const json_t *words)
{
    struct command c = {.r = r, .account = account_of(r)};
    const json_t *word;
    size_t i;

    if (json_array_size(words) == 0 || json_array_size(words) > ARGUMENTS_MAX)
        return say_error("ERR failed to parse command");
    json_array_foreach(words, i, word)
    {
        if (json_is_string(word))
            c.words[c.n++] = json_string_value(word);
        else if (json_is_integer(word))
            c.words[c.n++] = arena_printf(r->arena, "%lld", (long long)json_integer_value(word));
        else
            return say_error("ERR failed to parse command");
    }
    return run_counted(&c);
}

/* --- Requests ------------------------------------------------------------------------------------
 */

static void answer_one(struct sim_request *r, json_t *answer)
{
    sim_answer(r, json_object_get(answer, "error") ? 400 : 200, answer);
}

static void post_command(struct sim_request *r)
{
    answer_one(r, run_json(r, r->json));
}

static void post_pipeline(struct sim_request *r)
{
    json_t *answers;
    const json_t *words;
    size_t i;

    if (json_array_size(r->json) == 0 || json_array_size(r->json) > PIPELINE_MAX) {
        sim_answer(r, 400, say_error("ERR failed to parse pipeline request"));
        return;
    }
    answers = json_array();
    json_array_foreach(r->json, i, words) json_array_append_new(answers, run_json(r, words));
    sim_answer(r, 200, answers);
}

static void get_command(struct sim_request *r)
{
    struct command c = {.r = r, .account = account_of(r), .n = r->n_segments};

    for (size_t i = 0; i < r->n_segments; i++)
        c.words[i] = r->segments[i];
    answer_one(r, c.n ? run_counted(&c) : say_error("ERR empty command"));
}

static const struct sim_endpoint routes[] = {
    {"POST", "/", post_command},
    {"POST", "/pipeline", post_pipeline},
    {"POST", "/multi-exec", post_pipeline},
    {"GET", "/**", get_command},
    {NULL, NULL, NULL},
};

/* --- The platform --------------------------------------------------------------------------------
 */

static const char *upstash_authenticate(struct sim_request *r)
{
    return sim_account(r, sim_bearer(r));
}

static void upstash_unauthorised(struct sim_request *r)
{
    sim_answer(r, 401, say_error("Unauthorized"));
}

static void upstash_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    (void)retry_after_ms;
    sim_answer(r, 429, say_error("ERR max requests per second limit exceeded"));
}

static void upstash_error(struct sim_request *r, int status)
{
    sim_answer(r, status, say_error("ERR internal error"));
}

static void upstash_handle(struct sim_request *r)
{
    if (!sim_dispatch(r, routes))
        sim_answer(r, 405, say_error("ERR method not allowed"));
}

static void upstash_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    json_t *accounts = sim_member(sim_state(s, p), "accounts"), *account;
    json_int_t commands = 0;
    const char *name;

    json_object_foreach(accounts, name, account) commands += json_int(account, "commands", 0);
    json_object_set_new(into, "projects", json_integer(0)); /* it hosts nothing */
    json_object_set_new(into, "deployments", json_integer(0));
    json_object_set_new(into, "live", json_integer(0));
    json_object_set_new(into, "commands", json_integer(commands));
}

static const struct sim_rate rates[] = {
    {NULL, NULL, 10000, 1000, "requests", .by_part = 0},
    {NULL, NULL, 0, 0, NULL, .by_part = 0},
};

const struct sim_platform sim_upstash = {
    .name = "upstash",
    .base_path = "",
    .site_suffix = ".upstash.localhost",
    .rates = rates,
    .authenticate = upstash_authenticate,
    .unauthorised = upstash_unauthorised,
    .too_many = upstash_too_many,
    .error = upstash_error,
    .handle = upstash_handle,
    .books = upstash_books,
};
