#include "base/arena.h"
#include "base/json.h"
#include "provider/provider.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * A whole conversation with any translator, from any step (fuzz_take.c tries one reply in each).
 * The input:
 *
 *     netlify 0 0             the provider's name (or one byte that picks it), the step to begin
 *                             with, and what is wanted: bits, see wanted()
 *     > 200                   one reply to the oldest request on its way: status and headers,
 *     retry-after: 3
 *                             a blank line, the body
 *     {"id": "dpl_1"}
 *     > 0                     no answer came: go on from what was stored
 *
 * Promises (provider/provider.h): no crash, no leak; an error says something; take() that refuses
 * leaves the deployment as it was; what is stored can be loaded again; and a deployment that began
 * at the look-up is not done when nobody ever answered with JSON.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_REPLIES = 40, MOST_HEADERS = 8, MOST_STEPS = 256, MOST_WAITS = 3, MOST_PENDING = 3 };

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_C "cccccccccccccccccccccccccccccccccccccccc"
#define PAGES_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PAGES_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PAGES_C "cccccccccccccccccccccccccccccccc"

static const struct bundle_file files[] = {
    {".well-known/trine.json", "/site/trine.json", 90, 0100644, SHA_A, PAGES_A},
    {"copy of app.js", "/site/copy of app.js", 600, 0100644, SHA_B, PAGES_B},
    {"index.html", "/site/index.html", 200, 0100644, SHA_C, PAGES_C},
    {"js/app.js", "/site/js/app.js", 600, 0100644, SHA_B, PAGES_B},
};
static const struct bundle bundle = {
    files, sizeof(files) / sizeof(files[0]), 1490,
    "0123456789012345678901234567890123456789012345678901234567890123"};
static const struct want_variable variables[] = {{"DATABASE_URL", "postgres://db/shop"}};

static void check(bool promise)
{
    if (!promise)
        abort();
}

static struct want wanted(const struct provider_ops *ops, unsigned bits)
{
    return (struct want){
        .project_name = "shop-uat",
        .app = "admin",
        .instance = ops->hosts_mobile ? "ios" : "admin",
        .environment = "uat",
        .branch = "develop",
        .commit = "0123456789abcdef0123456789abcdef01234567",
        .message = "Sell more",
        .marker = "trine uat-7",
        .token = bits & 2 ? "" : "secret-token",
        .account = bits & 1 ? "" : "acc",
        .team = bits & 1 ? "team_1" : "",
        .region = bits & 1 ? "fra" : "",
        .plan = bits & 1 ? "starter" : "",
        .channel = "uat",
        .deploy_hook = bits & 2 ? "https://api.render.com/deploy/srv-1?key=k" : "",
        .url = bits & 4 ? "https://shop.example" : "",
        .project = "project-1",
        .repository = "https://github.com/shop/shop.git",
        .image = bits & 8 ? "docker.io/shop/shop:1" : "",
        .dockerfile = "Dockerfile",
        .run = "",
        .path = "src/Backend",
        .app_id = "7b1d6f0a-3c52-4e8e-9a41-5d0f2c9e6b13",
        .workflow = "build.yml",
        .profile = bits & 2 ? "preview" : "",
        .mode = bits & 2 ? "cli" : "",
        .deploy = "./deploy",
        .status = bits & 1 ? "" : "./status",
        .rollback = "",
        .port = 5024,
        .health = "/health",
        .variables = variables,
        .n_variables = 1,
        .bundle = ops->hosts_static ? &bundle : NULL,
    };
}

struct talk {
    const struct provider_ops *ops;
    struct want want;
    struct deployment d;
    struct call pending[MOST_PENDING]; /* oldest first */
    size_t n_pending;
    unsigned waits;
    bool began; /* at the look-up, not at a step that was stored when other things were wanted */
    bool over, json_seen;
};

/* --- Promises about what a translator gives out ------------------------------------------------
 */

static void check_error(const struct err *e)
{
    check(e->kind != ERR_NONE && e->text[0] && memchr(e->text, '\0', sizeof(e->text)));
}

static bool ended(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static char *stored(const struct deployment *d)
{
    json_t *json = provider_save(d);
    char *text = json_text(json);
    json_decref(json);
    return text;
}

static void check_deployment(const struct deployment *d)
{
    struct deployment again = {0};
    struct err e = ERR_INIT;

    check(ended(d->account_id, sizeof(d->account_id)));
    check(ended(d->project_id, sizeof(d->project_id)));
    check(ended(d->remote_id, sizeof(d->remote_id)) && ended(d->before, sizeof(d->before)));
    check(ended(d->url, sizeof(d->url)) && ended(d->word, sizeof(d->word)));
    check(ended(d->detail, sizeof(d->detail)) && ended(d->extra, sizeof(d->extra)));
    check(ended(d->session, sizeof(d->session)));
    check(d->uploads_done <= d->uploads_total && d->bytes_done <= d->bytes_total);

    json_t *saved = provider_save(d);
    check(provider_load(&again, saved, &e) == 0);
    json_decref(saved);
    char *one = stored(d), *other = stored(&again);
    check(strcmp(one, other) == 0);
    free(one);
    free(other);
}

static void check_call(const struct talk *t, const struct call *c)
{
    struct arena arena = ARENA_INIT;
    struct program p = {0};
    struct err e = ERR_INIT;

    if (c->http.method) {
        const char *url = c->http.url;
        check(url && strpbrk(url, " \t\r\n") == NULL);
        check(!t->began || url[0] == '/' || strncmp(url, "https://", 8) == 0);
    } else {
        check(t->ops->command != NULL);
        if (t->ops->command(&t->d, &t->want, &arena, &p, &e) == 0)
            check(p.argv && p.argv[0]);
        else
            check_error(&e);
    }
    arena_release(&arena);
}

/* --- The runner's part -------------------------------------------------------------------------
 */

static void drop_calls(struct talk *t)
{
    for (size_t i = 0; i < t->n_pending; i++)
        call_release(&t->pending[i]);
    t->n_pending = 0;
}

static void finish(struct talk *t, enum turn turn)
{
    /* With a hook alone the app's health page is searched for the commit, whatever its form is; the
     * runner then asks it properly. */
    bool hook = t->want.deploy_hook[0] && !t->want.token[0];

    t->over = true;
    check(turn != TURN_DONE || !t->began || t->json_seen || hook);
}

/* Asks for requests until one must be answered before the next. */
static void ask(struct talk *t)
{
    while (!t->over && t->n_pending < MOST_PENDING &&
           (t->n_pending == 0 || t->pending[t->n_pending - 1].parallel)) {
        struct call c = {0};
        struct err e = ERR_INIT;
        int64_t wait_ms = 0;
        enum turn turn = t->ops->next(&t->d, &t->want, &c, &wait_ms, &e);

        check_deployment(&t->d);
        if (turn == TURN_SEND) {
            check_call(t, &c);
            t->waits = 0;
            t->pending[t->n_pending++] = c;
            continue;
        }
        call_release(&c);
        if (turn == TURN_WAIT) {
            check(wait_ms >= 0);
            check(t->n_pending > 0 || ++t->waits <= MOST_WAITS); /* it must get somewhere */
            if (t->n_pending > 0)
                return;
            continue;
        }
        if (turn == TURN_FAILED)
            check_error(&e);
        finish(t, turn);
    }
}

static bool handed_to_take(const struct call *c, int status)
{
    for (size_t i = 0; i < 4; i++)
        if (c->also[i] == status)
            return true;
    return status / 100 == 2;
}

static void take(struct talk *t, const struct call *c, const struct http_reply *reply)
{
    struct err e = ERR_INIT;
    struct deployment before;

    memcpy(&before, &t->d, sizeof(before));
    if (t->ops->take(&t->d, &t->want, c, reply, &e) != 0) {
        check_error(&e);
        check(memcmp(&before, &t->d, sizeof(before)) == 0);
        t->over = true;
    }
}

/* A refusal ends it, leads to another step, or lets the same call be sent again. */
static void refuse(struct talk *t, struct call *c, const struct http_reply *reply)
{
    struct err e = ERR_INIT;
    int step = t->d.step;

    (void)err_set(&e, ERR_REMOTE, "answered %d", reply->status);
    e.retry = reply->status == 429 || reply->status >= 500;
    t->ops->refused(&t->d, c, reply, &e);
    check_error(&e);
    if (t->d.step != step)
        return;
    t->over = !e.retry;
    memmove(t->pending + 1, t->pending, t->n_pending * sizeof(*c));
    t->pending[0] = *c;
    t->n_pending++;
    *c = (struct call){0};
}

/* The process was killed, or no answer came: only what was stored is left. */
static void lose(struct talk *t, const struct call *c)
{
    struct err e = ERR_INIT;

    if (c->once)
        t->d.step = c->unclear;
    json_t *saved = provider_save(&t->d);
    drop_calls(t);
    provider_release(&t->d);
    t->d = (struct deployment){0};
    check(provider_load(&t->d, saved, &e) == 0);
    json_decref(saved);
}

static void answer(struct talk *t, const struct http_reply *reply)
{
    struct call c = t->pending[0];
    struct rate_facts facts;

    t->n_pending--;
    memmove(t->pending, t->pending + 1, t->n_pending * sizeof(c));
    t->json_seen = t->json_seen || strpbrk(reply->body, "[{"); /* a program may print more */
    provider_rate_facts(reply, 1763800000000, &facts);
    check(facts.remaining >= -1 && facts.reset_ms >= -1 && facts.retry_after_ms >= -1);
    if (reply->status == 0)
        lose(t, &c);
    else if (handed_to_take(&c, reply->status))
        take(t, &c, reply);
    else
        refuse(t, &c, reply);
    check_deployment(&t->d);
    call_release(&c);
}

/* --- The conversation --------------------------------------------------------------------------
 */

/* Cuts the next line off. */
static char *cut_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');

    if (end)
        *end = '\0';
    *rest = end ? end + 1 : line + strlen(line);
    return line;
}

/* The next reply and where it ends; false when there is none. A program's outcome has no other
 * status than 200 and 500. */
static bool next_reply(char **rest, struct http_header headers[MOST_HEADERS],
                       struct http_reply *ret)
{
    char *end, *line = cut_line(rest);

    if (strncmp(line, "> ", 2) != 0)
        return false;
    *ret = (struct http_reply){.sent = true, .headers = headers};
    ret->status = (int)(strtoul(line + 2, NULL, 10) % 600);
    for (line = cut_line(rest); *line; line = cut_line(rest)) {
        char *value = strstr(line, ": ");
        if (!value || ret->n_headers == MOST_HEADERS)
            continue;
        *value = '\0';
        headers[ret->n_headers++] = (struct http_header){line, value + 2};
    }
    ret->body = *rest;
    end = strstr(*rest, "\n> ");
    *rest = end ? end + 1 : *rest + strlen(*rest);
    if (end)
        *end = '\0';
    ret->len = strlen(ret->body);
    return true;
}

/* As the HTTP client gives it: exactly its bytes and a NUL, so that a sanitizer sees more. */
static void answer_exact(struct talk *t, struct http_reply *reply)
{
    char *body = strndup(reply->body, reply->len);

    check(body != NULL);
    reply->body = body;
    answer(t, reply);
    free(body);
}

static const struct provider_ops *chosen(const char *name)
{
    const struct provider_ops *ops = provider_find(name);

    return ops ? ops : provider_at((unsigned char)name[0] % provider_count());
}

static void converse(char *text)
{
    char *rest = text, *line = cut_line(&rest), *step, *bits;
    struct http_header headers[MOST_HEADERS];
    struct http_reply reply;
    struct talk t = {0};

    line = strtok_r(line, " ", &bits);
    if (!line)
        return;
    step = strtok_r(NULL, " ", &bits);
    t.ops = chosen(line);
    t.want = wanted(t.ops, bits ? (unsigned)strtoul(bits, NULL, 10) : 0);
    t.d.step = step ? (int)(strtoul(step, NULL, 10) % MOST_STEPS) : 0;
    /* A command without a status command is believed by its exit status alone. */
    t.json_seen = t.ops == &provider_exec && !t.want.status[0];
    t.began = t.d.step == 0;
    ask(&t);
    for (int i = 0; i < MOST_REPLIES && !t.over && t.n_pending > 0; i++) {
        if (!next_reply(&rest, headers, &reply))
            break;
        answer_exact(&t, &reply);
        ask(&t);
    }
    drop_calls(&t);
    provider_release(&t.d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    converse(text);
    free(text);
    return 0;
}
