#include "base/json.h"
#include "drive.h"
#include "test.h"

#include <jansson.h>
#include <stdlib.h>

static const char token[] = "Authorization: Bearer sim-upstash-token-0001";

static bool gives(const char *base, int status, const char *path, const char *body,
                  const char *json_path, const char *value)
{
    json_t *json = drive_json(status, "POST", base, path, token, body);
    const json_t *at = json_at(json, json_path);
    char *is = at ? json_dumps(at, JSON_ENCODE_ANY) : NULL;
    bool same = is && strcmp(is, value) == 0;

    if (!same)
        printf("# %s %s: %s\n", body, json_path, is ? is : "nothing");
    free(is);
    json_decref(json);
    return same;
}

static void a_pipeline_sets_and_gets(const char *base)
{
    static const char both[] = "[[\"SET\", \"k\", \"v\", \"EX\", 60], [\"GET\", \"k\"]]";

    CHECK(gives(base, 200, "/pipeline", both, "0.result", "\"OK\""));
    CHECK(gives(base, 200, "/pipeline", both, "1.result", "\"v\""));
    CHECK(gives(base, 200, "/", "[\"GET\", \"k\"]", "result", "\"v\""));
    CHECK(gives(base, 200, "/", "[\"DEL\", \"k\", \"l\"]", "result", "1"));
    CHECK(gives(base, 200, "/", "[\"GET\", \"k\"]", "result", "null"));
    CHECK(gives(base, 200, "/", "[\"PING\"]", "result", "\"PONG\""));
}

static void a_failing_command_keeps_its_place_in_a_pipeline(const char *base)
{
    static const char mixed[] = "[[\"PING\"], [\"FLY\"], [\"SET\", \"k\"], 7]";

    CHECK(gives(base, 200, "/pipeline", mixed, "0.result", "\"PONG\""));
    CHECK(
        gives(base, 200, "/pipeline", mixed, "1.error", "\"ERR Command is not available: 'FLY'\""));
    CHECK(gives(base, 200, "/pipeline", mixed, "2.error",
                "\"ERR wrong number of arguments for 'SET' command\""));
    CHECK(gives(base, 200, "/pipeline", mixed, "3.error", "\"ERR failed to parse command\""));
    CHECK(drive_status("POST", base, "/", token, "[\"FLY\"]") == 400);
    CHECK(drive_status("POST", base, "/pipeline", token, "{}") == 400);
}

static void paths_are_commands_and_keys_expire(const char *base)
{
    CHECK(drive_status("GET", base, "/set/short/v/PX/1", token, NULL) == 200);
    CHECK(drive_wait(base, "/get/short", token, "result", "")); /* null is no text */
    CHECK(drive_status("GET", base, "/set/long/v", token, NULL) == 200);
    CHECK(drive_wait(base, "/get/long", token, "result", "v"));
    CHECK(drive_status("PUT", base, "/get/long", token, NULL) == 405);
}

static void a_token_is_needed_and_each_has_its_own_keys(const char *base)
{
    CHECK(drive_status("GET", base, "/get/long", NULL, NULL) == 401);
    CHECK(drive_status("GET", base, "/get/long", "Authorization: Bearer other", NULL) == 401);
    CHECK(drive_status("GET", base, "/get/long", "Authorization: Bearer sim-upstash-2", NULL) ==
          200);
    CHECK(drive_wait(base, "/get/long", "Authorization: Bearer sim-upstash-2", "result", ""));
}

int main(int argc, char **argv)
{
    struct drive sim;

    (void)argc;
    drive_start(&sim, argv[1], 1);
    const char *base = drive_base(&sim, "upstash");
    a_pipeline_sets_and_gets(base);
    a_failing_command_keeps_its_place_in_a_pipeline(base);
    paths_are_commands_and_keys_expire(base);
    a_token_is_needed_and_each_has_its_own_keys(base);
    drive_stop(&sim);
    return DONE();
}
