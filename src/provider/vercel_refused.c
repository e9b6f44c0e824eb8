#include "provider/static_host.h"
#include "provider/vercel.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>

enum { LONGEST_WAIT_S = 900 }; /* for a rate limit's window; what opens later ends the deployment */

/* An allowance is used up: trying again would only use up the next one. The code stands in
 * error.code, or in the message behind `code: `. */
static const struct {
    const char *code, *text;
} used_up[] = {
    {"api-upload-free", "the free plan's 5,000 file uploads in 24 hours are used up"},
    {"api-deployments-free-per-day", "the free plan's 100 deployments in 24 hours are used up"},
    {"builds_rate_limited", "the plan's builds are used up for now"},
};

/* Room again so soon that the runner can wait for it: then it is no day's allowance. */
static bool soon_again(const struct http_reply *reply)
{
    const char *after = http_reply_header(reply, "retry-after");
    int64_t seconds;

    return after && text_int(after, 0, LONGEST_WAIT_S, &seconds) == 0;
}

static const char *what_is_used_up(const char *code, const char *message)
{
    for (size_t i = 0; i < sizeof(used_up) / sizeof(used_up[0]); i++)
        if (strcmp(code, used_up[i].code) == 0 || strstr(message, used_up[i].code))
            return used_up[i].text;
    return NULL;
}

void vercel_say_refused(const struct http_reply *reply, bool creates_project, struct err *e)
{
    json_t *json = reply_peek(reply);
    const json_t *error = json_at(json, "error");
    const char *code = json_str(error, "code", ""), *message = json_str(error, "message", "");

    if (!message[0])
        message = json_str(json, "err.message", code[0] ? code : "no message");
    const char *stop = soon_again(reply) ? NULL : what_is_used_up(code, message);
    if (stop) {
        refusal_say(e,
                    "%s: %.200s (%.60s); run the same command again tomorrow to go on, or use a "
                    "paid plan",
                    stop, message, code);
        e->retry = false;
    } else if (reply->status == 401 || reply->status == 403) {
        refusal_of_token(e, message,
                         "`token` (it must reach the team) and `team` (the team's id or slug)");
    } else if (reply->status == 409 && creates_project) {
        refusal_say(e, "the project cannot be created: %.300s; choose another `name`", message);
    } else {
        refusal_say(e, "answered %d: %.300s (%.60s)", reply->status, message,
                    code[0] ? code : "no code");
    }
    json_decref(json);
}
