#include "base/json.h"
#include "base/text.h"
#include "provider/service.h"

#include <string.h>

/*
 * Any other platform: the user's own commands, each run by /bin/sh in the app's folder.
 *
 *   deploy    brings the commit to the platform. It may wait until it is live or return at once.
 *   status    tells how far the deployment of TRINE_RELEASE is; may be absent.
 *
 * In the environment: the app's variables, and TRINE_PROJECT, TRINE_APP, TRINE_INSTANCE,
 * TRINE_ENVIRONMENT, TRINE_BRANCH, TRINE_COMMIT, TRINE_RELEASE, TRINE_URL, TRINE_ID (what `deploy`
 * told as id) and TRINE_TOKEN (where a token is given). For a static app also TRINE_BUNDLE, the
 * folder to publish, and TRINE_IDENTITY, a file to publish with it as /.well-known/trine.json:
 * trine asks the running site for it.
 *
 * A command that fails exits with a status other than 0 and says why in its last line. The last
 * line of standard output may be a JSON object
 *
 *     {"url": "https://...", "id": "...", "state": "live"}
 *
 * with state one of live, in_progress, failed, absent (status only: no such deployment). Without it
 * a deploy is live when there is no status command, and in progress when there is one.
 *
 * When it is not known whether `deploy` ran to its end (a power cut), `status` is asked first.
 * Without one, `deploy` runs again: it must bear that.
 */

enum exec_step {
    EXEC_DEPLOY,
    EXEC_LOOK, /* no outcome of deploy: what does status say? */
    EXEC_AWAIT,
    EXEC_STATUS,
    EXEC_LIVE,
    EXEC_FAILED,
};

static const char title[] = "exec";
static const struct poll_pace pace = {2000, 15000};

static const struct status_word words[] = {
    {"live", VERDICT_GOOD},
    {"failed", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

static const struct rate_limit limits[] = {{NULL, 0, 0, NULL}};
static const char *const needs[] = {"deploy", NULL};

static int exec_check(const struct want *w, struct err *e)
{
    if (!w->deploy[0])
        return err_set(e, ERR_MANIFEST, "the platform \"exec\" needs `deploy`, the command to run");
    return 0;
}

static enum turn exec_next(struct deployment *d, const struct want *w, struct call *ret,
                           int64_t *ret_wait_ms, struct err *e)
{
    switch ((enum exec_step)d->step) {
    case EXEC_DEPLOY:
        call_once(ret, w->status[0] ? EXEC_LOOK : EXEC_DEPLOY);
        break;
    case EXEC_LOOK:
    case EXEC_STATUS:
        break;
    case EXEC_AWAIT:
        return poll_wait(d, EXEC_STATUS, &pace, ret_wait_ms);
    case EXEC_LIVE:
        return TURN_DONE;
    case EXEC_FAILED:
        return service_failed(d, e);
    default:
        return turn_send(d, ret, title, e);
    }
    ret->tag = d->step;
    ret->cost = "";
    return TURN_SEND;
}

/* trine's own file lies outside the folder, which may be another program's. */
static const char *identity_file(const struct want *w)
{
    for (size_t i = 0; w->bundle && i < w->bundle->n; i++)
        if (strcmp(w->bundle->files[i].path, ".well-known/trine.json") == 0)
            return w->bundle->files[i].source;
    return "";
}

static int exec_command(const struct deployment *d, const struct want *w, struct arena *arena,
                        struct program *ret, struct err *e)
{
    const char *command = d->step == EXEC_DEPLOY ? w->deploy : w->status;
    const struct want_variable own[] = {
        {"TRINE_PROJECT", w->project_name},   {"TRINE_APP", w->app},
        {"TRINE_INSTANCE", w->instance},      {"TRINE_ENVIRONMENT", w->environment},
        {"TRINE_BRANCH", w->branch},          {"TRINE_URL", d->url[0] ? d->url : w->url},
        {"TRINE_ID", d->remote_id},           {"TRINE_BUNDLE", w->bundle_dir ? w->bundle_dir : ""},
        {"TRINE_IDENTITY", identity_file(w)}, {"TRINE_TOKEN", w->token},
    };
    const size_t n_own = sizeof(own) / sizeof(own[0]) - !w->token[0];
    const struct want_variable *given;
    size_t n = service_variables(w, arena, &given);
    struct want_variable *env = arena_array(arena, n + n_own, sizeof(*env));
    const char **argv = arena_array(arena, 4, sizeof(*argv));

    if (!command[0])
        return err_set(e, ERR_BUG, "exec: step %d has no command", d->step);
    memcpy(env, given, n * sizeof(*env)); /* holds TRINE_RELEASE and TRINE_COMMIT */
    memcpy(env + n, own, n_own * sizeof(*env));
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = command;
    *ret = (struct program){.argv = argv, .env = env, .n_env = n + n_own, .dir = w->path};
    return 0;
}

static const char *state_otherwise(const struct want *w, int step)
{
    return step == EXEC_DEPLOY && !w->status[0] ? "live" : "in_progress";
}

static void take_text(char *ret, size_t n, const char *told)
{
    if (told[0])
        (void)text_copy(ret, n, told);
}

static int exec_take(struct deployment *d, const struct want *w, const struct call *c,
                     const struct http_reply *reply, struct err *e)
{
    int step = (int)c->tag;
    struct err ignored = ERR_INIT;
    char line[1024];
    json_t *json = NULL;

    (void)e;
    if (text_last_line(reply->body, line, sizeof(line)) && line[0] == '{')
        json = json_read(line, strlen(line), title, &ignored);
    const char *state = json_str(json, "state", state_otherwise(w, step));
    status_seen(d, state);
    take_text(d->url, sizeof(d->url), json_str(json, "url", d->url[0] ? "" : w->url));
    take_text(d->remote_id, sizeof(d->remote_id), json_str(json, "id", ""));
    switch (status_verdict(words, state)) {
    case VERDICT_GOOD:
        d->step = EXEC_LIVE;
        break;
    case VERDICT_BAD:
        d->step = step == EXEC_LOOK ? EXEC_DEPLOY : EXEC_FAILED;
        break;
    case VERDICT_RUNNING:
        if (step == EXEC_LOOK && strcmp(state, "absent") == 0)
            d->step = EXEC_DEPLOY;
        else
            d->step = w->status[0] ? EXEC_AWAIT : EXEC_LIVE;
        break;
    }
    json_decref(json);
    return 0;
}

static void exec_refused(struct deployment *d, const struct call *c, const struct http_reply *reply,
                         struct err *e)
{
    (void)d;
    program_refused(reply, c->tag == EXEC_DEPLOY ? "the deploy command" : "the status command", e);
    e->retry = c->tag != EXEC_DEPLOY; /* asking again does no harm */
}

const struct provider_ops provider_exec = {
    .name = "exec",
    .title = "exec",
    .base = "",
    .hosts_static = true,
    .hosts_service = true,
    .hosts_mobile = true,
    .in_flight = 1,
    .limits = limits,
    .needs = needs,
    .check = exec_check,
    .next = exec_next,
    .take = exec_take,
    .refused = exec_refused,
    .command = exec_command,
};
