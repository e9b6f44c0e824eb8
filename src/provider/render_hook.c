#include "provider/render.h"

#include "base/json.h"
#include "base/text.h"
#include "provider/service.h"

#include <string.h>

/*
 * Render with only a deploy hook (render.com/docs/deploy-hooks): its URL is the secret and the
 * whole API. It cannot be asked what became of the deploy, so the running app is asked which commit
 * it is until it says ours.
 *
 * When the hook's own answer got lost, nothing tells whether it was heard but that same app: the
 * hook is called again only after the app had the time that a deploy takes.
 */

static const struct poll_pace pace = {5000, 20000};

enum hook_step {
    HOOK_CALL = RENDER_HOOK_FIRST,
    HOOK_UNCLEAR, /* no answer to the hook */
    HOOK_ASK_UNCLEAR,
    HOOK_AWAIT, /* the hook was accepted */
    HOOK_ASK,
    HOOK_LIVE,
};

enum {
    ASKED_ENOUGH = 50,  /* 10 minutes: longer than most builds on the free plan take */
    ASK_MOST = 110,     /* half an hour */
    SLEEPER_MS = 70000, /* an instance that sleeps takes up to a minute to answer */
};

static void call_hook(const struct deployment *d, const struct want *w, struct call *c)
{
    bool image = w->image[0] != '\0';

    call_begin_http(c, d->step, "POST", "%s%c%s=%s", w->deploy_hook,
                    strchr(w->deploy_hook, '?') ? '&' : '?', image ? "imgURL" : "ref",
                    call_encode(c, image ? w->image : w->commit));
    call_once(c, HOOK_UNCLEAR);
    c->cost = "deploy";
}

/* Asks the running app itself; while it is being replaced it may answer anything. */
static void ask_app(const struct deployment *d, const struct want *w, struct call *c)
{
    static const int also[] = {404, 500, 502, 503};
    size_t n = strlen(w->url);

    while (n > 0 && w->url[n - 1] == '/')
        n--;
    call_begin_http(c, d->step, "GET", "%.*s%s", (int)n, w->url, w->health[0] ? w->health : "/");
    c->http.timeout_ms = SLEEPER_MS;
    c->http.follow_redirects = true;
    memcpy(c->also, also, sizeof(also));
}

enum turn render_hook_next(struct deployment *d, const struct want *w, struct call *ret,
                           int64_t *ret_wait_ms, struct err *e)
{
    if (d->step < RENDER_HOOK_FIRST) {
        (void)text_copy(d->url, sizeof(d->url), w->url);
        d->step = HOOK_CALL;
    }
    switch ((enum hook_step)d->step) {
    case HOOK_CALL:
        call_hook(d, w, ret);
        break;
    case HOOK_ASK:
    case HOOK_ASK_UNCLEAR:
        ask_app(d, w, ret);
        break;
    case HOOK_UNCLEAR:
        return poll_wait(d, HOOK_ASK_UNCLEAR, &pace, ret_wait_ms);
    case HOOK_AWAIT:
        return poll_wait(d, HOOK_ASK, &pace, ret_wait_ms);
    case HOOK_LIVE:
        return TURN_DONE;
    }
    return turn_send(d, ret, "Render", e);
}

/* Any 2xx says that the hook was accepted; the deploy's id is welcome but not needed. */
static int take_hook(struct deployment *d, const struct http_reply *reply)
{
    struct err ignored = ERR_INIT;
    json_t *json = json_read(reply->body, reply->len, "deploy hook", &ignored);

    (void)text_copy(d->remote_id, sizeof(d->remote_id), json_str(json, "deploy.id", ""));
    json_decref(json);
    d->polls = 0;
    d->step = HOOK_AWAIT;
    return 0;
}

/* What the app answers is its own affair; it is ours when the answer holds our commit. In the end
 * the runner asks once more and says exactly what is wrong. */
static int take_app(struct deployment *d, const struct want *w, int step,
                    const struct http_reply *reply)
{
    char shortened[8];

    (void)text_copy(shortened, sizeof(shortened), w->commit);
    status_seen(d, "not seen yet");
    if (reply->status == 200 && shortened[0] && strstr(reply->body, shortened)) {
        (void)text_copy(d->word, sizeof(d->word), "seen");
        d->step = HOOK_LIVE;
    } else if (step == HOOK_ASK) {
        d->step = d->polls < ASK_MOST ? HOOK_AWAIT : HOOK_LIVE;
    } else {
        bool enough = d->polls >= ASKED_ENOUGH;
        d->step = enough ? HOOK_CALL : HOOK_UNCLEAR;
        d->polls = enough ? 0 : d->polls;
    }
    return 0;
}

int render_hook_take(struct deployment *d, const struct want *w, const struct call *c,
                     const struct http_reply *reply)
{
    return c->tag == HOOK_CALL ? take_hook(d, reply) : take_app(d, w, (int)c->tag, reply);
}
