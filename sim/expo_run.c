#include "expo.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- Phases: faster than in life, where a build takes a quarter of an hour -------------------- */

static const struct rollout_plan plans[] = {
    {"build", {{"NEW", 1000}, {"IN_QUEUE", 8000}, {"IN_PROGRESS", 90000}, {"FINISHED", 0}}},
    {"cancel", {{"PENDING_CANCEL", 1000}, {"CANCELED", 0}}},
    {NULL, {{NULL, 0}}},
};

/* The file that the build made can be fetched. */
static void publish(const struct rollout *o)
{
    struct arena arena = ARENA_INIT;
    const char *id = json_str(o->record, "id", "");
    bool ios = strcmp(json_str(o->record, "platform", ""), "IOS") == 0;
    const char *name = ios ? "/app.ipa" : "/app.aab";
    const char *host = arena_printf(&arena, "%s.artifacts.expo.localhost", id);
    const char *bytes =
        arena_printf(&arena, "A simulated %s build of commit %s\n", ios ? "iOS" : "Android",
                     json_str(o->record, "gitCommitHash", ""));
    char origin[320];
    (void)sim_blob_put(o->sim, "expo", id, bytes, strlen(bytes));
    json_t *files = json_pack("{s:s}", name, id);
    sim_site_static(o->sim, o->platform, host, "expo", files);
    json_decref(files);
    sim_site_origin(o->sim, host, origin);
    const char *url = arena_printf(&arena, "%s%s", origin, name);
    json_object_set_new(o->record, "artifacts",
                        json_pack("{s:s, s:s}", "buildUrl", url, "applicationArchiveUrl", url));
    arena_release(&arena);
}

static void became_finished(const struct rollout *o)
{
    json_t *line =
        json_object_get(sim_member(o->account, "lines"), json_str(o->record, "sim.line", ""));
    json_t *older =
        json_object_get(sim_member(o->account, "deployments"), json_str(line, "live", ""));
    if (older)
        rest_set_live(older, false);
    if (line)
        json_object_set(line, "live", json_object_get(o->record, "id"));
    rest_set_live(o->record, true);
    publish(o);
}

static void entered(const struct rollout *o)
{
    bool finished = strcmp(o->status, "FINISHED") == 0;
    rest_stamp(o->record, "updatedAt", o->at_ms);
    if (strcmp(o->status, "IN_QUEUE") == 0)
        rest_stamp(o->record, "enqueuedAt", o->at_ms);
    if (strcmp(o->status, "IN_PROGRESS") == 0)
        rest_stamp(o->record, "workerStartedAt", o->at_ms);
    if (rollout_moving(o->record))
        return;
    rest_stamp(o->record, "completedAt", o->at_ms);
    if (finished)
        became_finished(o);
    else
        json_object_set_new(o->record, "error",
                            json_pack("{s:s, s:s}", "errorCode", "EAS_BUILD_UNKNOWN_ERROR",
                                      "message", "The simulated build ended without an app"));
}

const struct rollout_rules expo_rules = {plans, entered};

/* --- What a workflow builds ------------------------------------------------------------------- */

static const char *file_error(const char *file)
{
    const char *dot = strrchr(file, '.');
    if (strchr(file, '/') || !dot || (strcmp(dot, ".yml") != 0 && strcmp(dot, ".yaml") != 0))
        return "fileName must be the name of a .yml or .yaml file in .eas/workflows";
    return NULL;
}

/* Which of the two platforms are built; NULL when the inputs ask for another one. */
static const char *platforms_of(const char *file, json_t *inputs)
{
    const char *asked = json_str(inputs, "platform", NULL);
    if (asked && strcasecmp(asked, "ios") == 0)
        return "IOS";
    if (asked && strcasecmp(asked, "android") == 0)
        return "ANDROID";
    if (asked)
        return strcasecmp(asked, "all") == 0 ? "IOS ANDROID" : NULL;
    if (strstr(file, "android"))
        return "ANDROID";
    return strstr(file, "ios") ? "IOS" : "IOS ANDROID";
}

static bool is_sha(const char *ref)
{
    return strlen(ref) == 40 && strspn(ref, "0123456789abcdef") == 40;
}

static const char *channel_of(json_t *inputs)
{
    const char *profile = json_str(inputs, "profile", "production");
    const char *channel = json_str(inputs, "channel", "");
    return *channel ? channel : profile;
}

/* The key of the line that a build belongs to; the line is made when it is new. */
static const char *line_of(const struct expo *w, json_t *run, const char *platform)
{
    json_t *inputs = json_object_get(run, "inputs");
    const char *name = arena_printf(w->r->arena, "%s %s %s", json_str(run, "sim.file", ""),
                                    platform, channel_of(inputs));
    const char *key = arena_printf(w->r->arena, "%s %s", json_str(run, "sim.app", ""), name);
    json_t *line = sim_member(sim_member(w->account, "lines"), key);
    json_object_set_new(line, "name", json_string(name));
    return key;
}

static void build_start(const struct expo *w, json_t *run, const char *platform)
{
    json_t *inputs = json_object_get(run, "inputs");
    struct rollout o = {.sim = w->r->sim, .platform = w->r->platform, .account = w->account};
    const char *line = line_of(w, run, platform);
    char id[37];
    sim_uuid(o.sim, id);
    o.at_ms = sim_now_ms(o.sim);
    o.record = json_pack("{s:s, s:s, s:s, s:s, s:O, s:s, s:s?, s:s, s:{s:s, s:O, s:s}}", "id", id,
                         "platform", platform, "channel", channel_of(inputs), "buildProfile",
                         json_str(inputs, "profile", "production"), "gitCommitHash",
                         json_object_get(run, "gitCommitHash"), "gitRef",
                         json_str(run, "requestedGitRef", ""), "message",
                         json_str(inputs, "release", NULL), "line", line, "sim", "line", line,
                         "run", json_object_get(run, "id"), "app", json_str(run, "sim.app", ""));
    rest_stamp(o.record, "createdAt", o.at_ms);
    rollout_set_outcome(o.record, json_str(inputs, "sim_outcome", NULL));
    json_object_set_new(sim_member(w->account, "deployments"), id, o.record);
    json_array_append_new(json_at(run, "sim.builds"), json_string(id));
    rollout_start(&expo_rules, o, "build");
}

static json_t *run_make(const struct expo *w, json_t *app, const char *file, const char *git_ref,
                        json_t *inputs)
{
    const char *app_id = json_str(app, "id", "");
    char id[37], head[41];
    sim_uuid(w->r->sim, id);
    rest_branch_head(app_id, git_ref, head);
    json_t *run =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:{s:s, s:s, s:[]}}", "id", id, "name", file,
                  "requestedGitRef", git_ref, "gitCommitHash", is_sha(git_ref) ? git_ref : head,
                  "triggerEventType", "MANUAL", "inputs",
                  json_is_object(inputs) ? json_deep_copy(inputs) : json_object(), "sim", "app",
                  app_id, "file", file, "builds");
    rest_stamp(run, "createdAt", sim_now_ms(w->r->sim));
    rest_stamp(run, "updatedAt", sim_now_ms(w->r->sim));
    json_object_set_new(sim_member(w->account, "runs"), id, run);
    return run;
}

json_t *expo_run_start(const struct expo *w, json_t *app, const char *file, const char *git_ref,
                       json_t *inputs, const char **ret_why)
{
    const char *platforms = platforms_of(file, inputs);
    *ret_why = file_error(file);
    if (!*ret_why && !*git_ref)
        *ret_why = "gitRef is required";
    if (!*ret_why && !platforms)
        *ret_why = "inputs.platform must be one of ios, android, all";
    if (*ret_why)
        return NULL;
    json_t *run = run_make(w, app, file, git_ref, inputs);
    if (strstr(platforms, "IOS"))
        build_start(w, run, "IOS");
    if (strstr(platforms, "ANDROID"))
        build_start(w, run, "ANDROID");
    sim_changed(w->r->sim);
    return run;
}

/* --- How it gets on --------------------------------------------------------------------------- */

static json_t *build_at(const struct expo *w, json_t *run, size_t i)
{
    const char *id = json_string_value(json_array_get(json_at(run, "sim.builds"), i));
    return json_object_get(sim_member(w->account, "deployments"), id ? id : "");
}

/* A build's word as a job of a workflow says it. */
static const char *job_status(json_t *build)
{
    static const struct {
        const char *build, *job;
    } words[] = {
        {"NEW", "NEW"},
        {"IN_QUEUE", "IN_PROGRESS"},
        {"IN_PROGRESS", "IN_PROGRESS"},
        {"FINISHED", "SUCCESS"},
        {"CANCELED", "CANCELED"},
        {"PENDING_CANCEL", "PENDING_CANCEL"},
        {NULL, NULL},
    };
    const char *status = json_str(build, "status", "");
    for (size_t i = 0; words[i].build; i++) {
        if (strcmp(words[i].build, status) == 0)
            return words[i].job;
    }
    return "FAILURE";
}

const char *expo_run_status(const struct expo *w, json_t *run)
{
    size_t n = json_array_size(json_at(run, "sim.builds")), done = 0, fresh = 0;
    const char *bad = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *status = job_status(build_at(w, run, i));
        done += strcmp(status, "SUCCESS") == 0;
        fresh += strcmp(status, "NEW") == 0;
        if (strcmp(status, "FAILURE") == 0 || strcmp(status, "CANCELED") == 0)
            bad = status;
    }
    if (bad)
        return bad;
    return done == n ? "SUCCESS" : fresh == n ? "NEW" : "IN_PROGRESS";
}

void expo_build_cancel(const struct expo *w, json_t *build)
{
    struct rollout o = {.sim = w->r->sim,
                        .platform = w->r->platform,
                        .account = w->account,
                        .record = build,
                        .at_ms = sim_now_ms(w->r->sim)};
    if (rollout_moving(build))
        rollout_start(&expo_rules, o, "cancel");
    sim_changed(o.sim);
}

/* --- What clients see ------------------------------------------------------------------------- */

static json_t *job_shown(const struct expo *w, json_t *build)
{
    bool ios = strcmp(json_str(build, "platform", ""), "IOS") == 0;
    const char *key = ios ? "build_ios" : "build_android";
    return json_pack(
        "{s:O, s:s, s:s, s:s, s:s, s:[], s:O, s:O, s:o}", "id", json_object_get(build, "id"), "key",
        key, "name", ios ? "Build for iOS" : "Build for Android", "type", "BUILD", "status",
        job_status(build), "errors", "createdAt", json_object_get(build, "createdAt"), "updatedAt",
        json_object_get(build, "updatedAt"), "turtleBuild", expo_build_shown(w, build));
}

json_t *expo_run_shown(const struct expo *w, json_t *run)
{
    json_t *shown = json_copy(run), *jobs = json_array();
    for (size_t i = 0; i < json_array_size(json_at(run, "sim.builds")); i++)
        json_array_append_new(jobs, job_shown(w, build_at(w, run, i)));
    json_object_set_new(shown, "jobs", jobs);
    json_object_set_new(shown, "errors", json_array());
    json_object_set_new(shown, "status", json_string(expo_run_status(w, run)));
    return shown;
}

json_t *expo_build_shown(const struct expo *w, json_t *build)
{
    json_t *shown = json_copy(build);
    bool queued = strcmp(json_str(build, "status", ""), "IN_QUEUE") == 0;
    int64_t left = json_int(build, "sim.since", 0) + plans[0].phases[1].ms - sim_now_ms(w->r->sim);
    json_object_del(shown, "line");
    json_object_set_new(shown, "queuePosition", queued ? json_integer(1) : json_null());
    json_object_set_new(shown, "estimatedWaitTimeLeftSeconds",
                        queued ? json_integer((json_int_t)(left / 1000)) : json_null());
    return shown;
}
