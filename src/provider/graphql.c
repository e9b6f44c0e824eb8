#include "provider/graphql.h"

#include "base/json.h"
#include "provider/service.h"

#include <string.h>

void graphql_call(struct call *c, int tag, const char *path, const char *query, json_t *variables)
{
    json_t *body = json_pack("{s:s}", "query", query);

    if (variables)
        json_object_set_new(body, "variables", variables);
    call_begin_http(c, tag, "POST", "%s", path);
    call_json(c, body);
}

/* What Railway says of requests that will never do. Its extensions.code is INTERNAL_SERVER_ERROR
 * all the same (Apollo's word for every error without a code of its own), so the text has to tell.
 * A service or deployment that is "not found" may only be too new. */
static bool said_for_good(const char *message)
{
    static const char *const phrases[] = {
        "not authorized", "unauthorized", "token not found", "project not found", "already exists",
        "already in use", "invalid",      "not allowed",     "permission",        "upgrade"};

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (strcasestr(message, phrases[i]))
            return true;
    return false;
}

bool graphql_is_of_token(const char *message)
{
    return strcasestr(message, "not authorized") || strcasestr(message, "unauthorized");
}

/* Codes of Apollo and of Expo's server for what is not the request's fault. */
static bool passing(const json_t *error)
{
    static const char *const codes[] = {"INTERNAL_SERVER_ERROR", "RATE_LIMITED",
                                        "RATE_LIMIT_EXCEEDED", "TOO_MANY_REQUESTS",
                                        "SERVICE_UNAVAILABLE"};
    const char *code = json_str(error, "extensions.code", "");
    const char *message = json_str(error, "message", "");

    if (json_flag(error, "extensions.isTransient", false) || strcasestr(message, "rate limit"))
        return true;
    if (said_for_good(message))
        return false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

enum graphql_outcome graphql_read(const struct http_reply *r, const char *title, json_t **ret,
                                  struct err *e)
{
    json_t *json = reply_read(r, title, e);
    const json_t *error = json_at(json, "errors.0");
    enum graphql_outcome outcome = GRAPHQL_DATA;

    if (!json)
        return GRAPHQL_UNREADABLE;
    if (error) {
        (void)err_set(e, ERR_REMOTE, "%s", json_str(error, "message", "refused without a message"));
        e->retry = passing(error);
        outcome = e->retry ? GRAPHQL_UNREADABLE : GRAPHQL_REFUSED;
    } else if (!json_is_object(json_at(json, "data"))) {
        (void)err_set(e, ERR_REMOTE, "%s: the reply has neither data nor errors", title);
        e->retry = true;
        outcome = GRAPHQL_UNREADABLE;
    } else {
        *ret = json_incref(json_at(json, "data"));
    }
    json_decref(json);
    return outcome;
}

bool graphql_refused(const struct http_reply *r, const char *title, struct err *e)
{
    struct err ignored = ERR_INIT;
    json_t *json = json_read(r->body, r->len, title, &ignored);
    const char *message = json_str(json, "errors.0.message", json_str(json, "message", ""));
    bool told = message[0] != '\0';

    if (told)
        refusal_say(e, "answered %d: %s", r->status, message);
    json_decref(json);
    return told;
}
