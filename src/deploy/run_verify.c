#include "deploy/run_internal.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "provider/service.h"

#include <stdio.h>
#include <string.h>

/*
 * Ready, says the platform; live it is when the running app answers with our commit (a platform
 * that measured the old pods is how Argo Rollouts promoted a bad version,
 * argoproj/argo-rollouts#1700).
 *
 * A static site is asked for the file that trine put into its bundle, a service for its health
 * page. A mobile build runs on nobody's server: there the provider has read the build's commit back
 * itself.
 */

enum { ASK_TIMEOUT_MS = 70000, ASK_AGAIN_MS = 1000, LEAST_AGAIN_MS = 50 };

static const char own_file[] = "/.well-known/trine.json";

/* 0: it is ours. -1: *e says what it answered instead. */
static int judge(const struct task *t, const struct http_reply *reply, struct err *e)
{
    const struct run_item *item = t->item;
    bool service = item->cell->app->kind == APP_SERVICE;
    const char *field = service ? item->cell->app->commit_field : "commit";

    if (reply->status == 0) {
        *e = reply->err;
        return -1;
    }
    if (reply->status != 200)
        return err_set(e, ERR_NO, "%s answered %d instead of 200", t->url, reply->status);
    json_t *json = json_read(reply->body, reply->len, t->url, e);
    if (!json) {
        return err_set(e, ERR_NO, "%s did not answer with JSON, so its commit is not known%s",
                       t->url, service ? "; let the health page report it (commit_field)" : "");
    }
    const char *commit = json_str(json, field, "");
    const char *digest = service ? item->digest : json_str(json, "digest", "");
    int rc = 0;
    if (!commit[0])
        rc = err_set(e, ERR_NO, "%s has no member \"%s\" that tells the commit%s", t->url, field,
                     service ? "; add it to the health page, or name another one (commit_field)"
                             : "");
    else if (!commit_same(commit, item->want->commit))
        rc = err_set(e, ERR_NO, "%s still runs commit %.12s, not %.12s", t->url, commit,
                     item->want->commit);
    else if (strcmp(digest, item->digest) != 0)
        rc = err_set(e, ERR_NO, "%s still serves another bundle of commit %.12s", t->url, commit);
    json_decref(json);
    return rc;
}

static void asked(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct task *t = arg;
    struct err e = ERR_INIT;

    (void)id;
    t->verify_id = 0;
    if (judge(t, reply, &e) == 0) {
        task_live(t);
        return;
    }
    if (clock_mono_ms(loop_clock(t->run->o.loop)) > t->deadline) {
        task_fail(t, &e);
        return;
    }
    run_tell(t, RUN_VERIFY, "%s", e.text);
    int64_t wait = run_our_ms(t->run, ASK_AGAIN_MS);
    task_later(t, wait < LEAST_AGAIN_MS ? LEAST_AGAIN_MS : wait);
}

void verify_begin(struct task *t)
{
    struct run_item *item = t->item;
    const struct manifest_app *app = item->cell->app;
    struct http_request *request = &t->request;
    struct err e = ERR_INIT;

    if (app->kind == APP_MOBILE) {
        task_live(t);
        return;
    }
    const char *url =
        item->want->url && item->want->url[0] ? item->want->url : item->deployment.url;
    if (!url[0]) {
        (void)err_set(&e, ERR_REMOTE,
                      "%s does not tell where it answers; give `url:` in the manifest",
                      item->ops->title);
        task_fail(t, &e);
        return;
    }
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    (void)snprintf(t->url, sizeof(t->url), "%.*s%s", (int)n, url,
                   app->kind == APP_SERVICE ? app->health : own_file);
    run_tell(t, RUN_VERIFY, "asking %s", t->url);
    http_request_release(request);
    *request = (struct http_request){.method = "GET",
                                     .timeout_ms = ASK_TIMEOUT_MS,
                                     .max_reply = 1 << 20,
                                     .follow_redirects = true};
    http_request_url(request, "%s", t->url);
    http_request_header(request, "Accept", "application/json");
    http_request_header(request, "Cache-Control", "no-cache");
    t->verify_id = http_send(t->run->o.http, "", request, 0, asked, t);
}
