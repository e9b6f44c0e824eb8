#pragma once

#include "base/json.h"
#include "provider/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A conversation with one translator, without sockets: asks() says what it wants to send, answer()
 * hands it a reply as the runner would.
 */
struct talk {
    const struct provider_ops *ops;
    struct want want;
    struct deployment d;
    struct call call;
    struct err e;
    enum turn turn;
    int64_t wait_ms;
    unsigned waits; /* TURN_WAIT seen since the last request */
};

static inline struct want talk_want(void)
{
    static const struct want_variable variables[] = {{"DATABASE_URL", "postgres://secret@db/shop"}};

    return (struct want){
        .project_name = "shop-uat",
        .app = "backend",
        .instance = "backend",
        .environment = "uat",
        .branch = "develop",
        .commit = "0123456789abcdef0123456789abcdef01234567",
        .message = "Sell more",
        .marker = "trine uat-7",
        .token = "secret-token",
        .account = "",
        .team = "",
        .region = "",
        .plan = "",
        .channel = "uat",
        .deploy_hook = "",
        .url = "",
        .project = "",
        .repository = "https://github.com/shop/shop.git",
        .image = "",
        .dockerfile = "Dockerfile",
        .run = "",
        .path = "src/Backend",
        .app_id = "7b1d6f0a-3c52-4e8e-9a41-5d0f2c9e6b13",
        .workflow = "build.yml",
        .profile = "",
        .mode = "",
        .deploy = "",
        .status = "",
        .rollback = "",
        .port = 5024,
        .health = "/health",
        .variables = variables,
        .n_variables = 1,
    };
}

static inline struct talk talk_with(const struct provider_ops *ops)
{
    return (struct talk){.ops = ops, .want = talk_want()};
}

static inline void talk_end(struct talk *t)
{
    call_release(&t->call);
    provider_release(&t->d);
}

/* The next turn that is not a wait. */
static inline enum turn turn(struct talk *t)
{
    call_release(&t->call);
    t->waits = 0;
    do {
        t->call = (struct call){0};
        t->e = ERR_INIT;
        t->turn = t->ops->next(&t->d, &t->want, &t->call, &t->wait_ms, &t->e);
        if (t->turn == TURN_WAIT)
            call_release(&t->call);
    } while (t->turn == TURN_WAIT && ++t->waits < 3);
    return t->turn;
}

/* True when the next request is of that method and URL; "program" stands for a program. */
static inline bool asks(struct talk *t, const char *line)
{
    char is[2300];

    if (turn(t) != TURN_SEND)
        (void)snprintf(is, sizeof(is), "turn %d: %s", t->turn, t->e.text);
    else if (!t->call.http.method)
        (void)snprintf(is, sizeof(is), "program");
    else
        (void)snprintf(is, sizeof(is), "%s %s", t->call.http.method, t->call.http.url);
    if (strcmp(is, line) == 0)
        return true;
    printf("# asks: %s\n", is);
    return false;
}

/* What the runner does with a reply. 0: taken. -1: take() refused it. 1: it went to refused(). */
static inline int answer(struct talk *t, int status, const char *body)
{
    struct http_reply reply = {.status = status, .sent = true, .body = body, .len = strlen(body)};
    bool also = status / 100 == 2;

    t->e = ERR_INIT;
    for (size_t i = 0; i < 4; i++)
        also = also || t->call.also[i] == status;
    if (also)
        return t->ops->take(&t->d, &t->want, &t->call, &reply, &t->e);
    (void)err_set(&t->e, ERR_REMOTE, "answered %d", status);
    t->e.retry = status == 429 || status >= 500;
    t->ops->refused(&t->d, &t->call, &reply, &t->e);
    return 1;
}

/* No answer came, or the process was killed after sending: only what was stored is left. */
static inline void lost(struct talk *t)
{
    json_t *stored = provider_save(&t->d);

    if (t->call.once)
        json_object_set_new(stored, "step", json_integer(t->call.unclear));
    provider_release(&t->d);
    t->d = (struct deployment){0};
    (void)provider_load(&t->d, stored, &t->e);
    json_decref(stored);
}

static inline bool body_has(const struct talk *t, const char *text)
{
    return t->call.http.n_parts == 1 && strstr(t->call.http.parts[0].data, text) != NULL;
}

static inline bool says(const struct talk *t, const char *text)
{
    if (strstr(t->e.text, text))
        return true;
    printf("# says: %s\n", t->e.text);
    return false;
}
