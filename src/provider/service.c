#include "provider/service.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SHORTEST_COMMIT = 7, POLLS_A_STEP = 10 };

void call_begin_http(struct call *c, int tag, const char *method, const char *fmt, ...)
{
    va_list ap;
    char url[2048];

    va_start(ap, fmt);
    (void)vsnprintf(url, sizeof(url), fmt, ap);
    va_end(ap);
    c->tag = tag;
    c->http.method = method;
    c->cost = "";
    http_request_url(&c->http, "%s", url);
}

void call_bearer(struct call *c, const char *token)
{
    http_request_header(&c->http, "Authorization", "Bearer %s", token);
}

void call_json(struct call *c, json_t *body)
{
    http_request_json(&c->http, body);
    json_decref(body);
}

void call_once(struct call *c, int unclear)
{
    c->once = true;
    c->unclear = unclear;
}

const char *call_encode(struct call *c, const char *text)
{
    struct buf b = BUF_INIT(4096);

    text_percent_encode(&b, text, false);
    const char *copy = arena_strdup(&c->http.arena, buf_str(&b));
    buf_release(&b);
    return copy;
}

const char *or_null(const char *s)
{
    return s && s[0] ? s : NULL;
}

json_t *reply_read(const struct http_reply *r, const char *title, struct err *e)
{
    json_t *json = json_read(r->body, r->len, title, e);

    if (!json) {
        e->retry = true; /* a proxy's page or a cut reply: the platform itself answers JSON */
        return NULL;
    }
    if (json_is_object(json) || json_is_array(json))
        return json;
    json_decref(json);
    (void)err_set(e, ERR_REMOTE, "%s: the reply is neither a JSON object nor an array", title);
    e->retry = true;
    return NULL;
}

void refusal_say(struct err *e, const char *fmt, ...)
{
    struct err before = *e;
    char text[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)err_set(e, ERR_REMOTE, "%s", text);
    e->retry = before.retry;
    e->code = before.code;
    e->retry_after = before.retry_after;
}

void refusal_of_token(struct err *e, const char *message, const char *keys)
{
    refusal_say(e, "the token was refused: %.200s; look at %s", message[0] ? message : "no message",
                keys);
}

bool text_last_line(const char *text, char *ret, size_t n)
{
    size_t end = strlen(text), begin;

    while (end > 0 && strchr(" \t\r\n", text[end - 1]))
        end--;
    for (begin = end; begin > 0 && text[begin - 1] != '\n';)
        begin--;
    if (begin == end || end - begin >= n)
        return false;
    memcpy(ret, text + begin, end - begin);
    ret[end - begin] = '\0';
    return true;
}

void program_refused(const struct http_reply *r, const char *what, struct err *e)
{
    char line[400];

    e->retry = false;
    if (text_last_line(r->body, line, sizeof(line)))
        refusal_say(e, "%s failed: %s", what, line);
    else
        refusal_say(e, "%s failed", what);
}

enum verdict status_verdict(const struct status_word *table, const char *word)
{
    for (; table->word; table++)
        if (strcmp(table->word, word) == 0)
            return table->verdict;
    return VERDICT_RUNNING;
}

void status_seen(struct deployment *d, const char *word)
{
    (void)text_copy(d->word, sizeof(d->word), word);
    d->polls++;
}

enum turn poll_wait(struct deployment *d, int step, const struct poll_pace *pace,
                    int64_t *ret_wait_ms)
{
    int64_t wait = pace->first_ms;

    for (uint32_t i = 0; i < d->polls / POLLS_A_STEP && wait < pace->most_ms; i++)
        wait += wait / 2;
    *ret_wait_ms = wait < pace->most_ms ? wait : pace->most_ms;
    d->step = step;
    return TURN_WAIT;
}

enum turn turn_send(const struct deployment *d, const struct call *c, const char *title,
                    struct err *e)
{
    if (c->tag == d->step)
        return TURN_SEND;
    (void)err_set(
        e, ERR_STORE,
        "%s: the stored progress has step %d, which this version does not know; deploy again "
        "with a new release",
        title, d->step);
    return TURN_FAILED;
}

enum turn service_failed(const struct deployment *d, struct err *e)
{
    const char *colon = d->detail[0] ? ": " : "", *word = d->word[0] ? d->word : "failed";

    if (d->remote_id[0])
        (void)err_set(e, ERR_REMOTE, "deployment %s ended as %s%s%s", d->remote_id, word, colon,
                      d->detail);
    else
        (void)err_set(e, ERR_REMOTE, "%s%s%s", word, colon, d->detail);
    return TURN_FAILED;
}

bool commit_same(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), n = na < nb ? na : nb;

    return n >= SHORTEST_COMMIT && strncasecmp(a, b, n) == 0;
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

bool repository_read(const char *text, struct repository *ret)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://", "git://"};
    struct repository r = {.host = "github.com"};
    const char *rest = text, *at, *slash;

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (after(rest, schemes[i])) {
            rest = after(rest, schemes[i]);
            break;
        }
    at = strchr(rest, '@'); /* a user, and with it perhaps a password, is not part of the name */
    if (at && at < rest + strcspn(rest, "/"))
        rest = at + 1;
    slash = rest + strcspn(rest, "/:");
    if (*slash && memchr(rest, '.', (size_t)(slash - rest))) {
        size_t n = (size_t)(slash - rest);
        if (n >= sizeof(r.host))
            return false;
        memcpy(r.host, rest, n);
        r.host[n] = '\0';
        rest = slash + 1;
    }
    if (!text_copy(r.path, sizeof(r.path), rest))
        return false;
    size_t n = strlen(r.path);
    if (n > 4 && strcmp(r.path + n - 4, ".git") == 0)
        r.path[n - 4] = '\0';
    slash = strchr(r.path, '/');
    if (!slash || slash == r.path || !slash[1])
        return false;
    *ret = r;
    return true;
}

static bool variable_given(const struct want *w, const char *name)
{
    for (size_t i = 0; i < w->n_variables; i++)
        if (strcmp(w->variables[i].name, name) == 0)
            return true;
    return false;
}

size_t service_variables(const struct want *w, struct arena *arena,
                         const struct want_variable **ret)
{
    struct want_variable *all = arena_array(arena, w->n_variables + 3, sizeof(*all));
    size_t n = 0;

    for (size_t i = 0; i < w->n_variables; i++)
        if (strcmp(w->variables[i].name, "TRINE_RELEASE") != 0 &&
            strcmp(w->variables[i].name, "TRINE_COMMIT") != 0)
            all[n++] = w->variables[i];
    if (w->port > 0 && !variable_given(w, "PORT"))
        all[n++] = (struct want_variable){"PORT", arena_printf(arena, "%d", w->port)};
    all[n++] = (struct want_variable){"TRINE_RELEASE", w->marker};
    all[n++] = (struct want_variable){"TRINE_COMMIT", w->commit};
    *ret = all;
    return n;
}

json_t *service_variables_list(const struct want *w)
{
    struct arena arena = ARENA_INIT;
    const struct want_variable *all;
    size_t n = service_variables(w, &arena, &all);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "key", all[i].name, "value", all[i].value));
    arena_release(&arena);
    return list;
}

json_t *service_variables_map(const struct want *w)
{
    struct arena arena = ARENA_INIT;
    const struct want_variable *all;
    size_t n = service_variables(w, &arena, &all);
    json_t *map = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(map, all[i].name, json_string(all[i].value));
    arena_release(&arena);
    return map;
}

int service_check(const struct want *w, const char *title, struct err *e)
{
    struct repository r;

    if (w->image[0])
        return 0;
    if (!w->repository[0])
        return err_set(e, ERR_MANIFEST,
                       "%s builds from a repository or runs an image; give `repository` or `image`",
                       title);
    if (!repository_read(w->repository, &r))
        return err_set(e, ERR_MANIFEST,
                       "%s: \"%s\" is no repository; write it as https://github.com/OWNER/NAME",
                       title, w->repository);
    if (!w->commit[0])
        return err_set(
            e, ERR_MANIFEST,
            "%s deploys a commit, but none is known; run trine inside the git repository", title);
    return 0;
}
