#include "deploy/run_internal.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/redact.h"
#include "net/loop.h"
#include "net/process.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Calls that are programs: the user's own commands (exec) or the user's `eas` (expo). The outcome
 * is turned into a reply (provider.h, struct program), so that the rest of the runner sees no
 * difference.
 */

enum { COMMAND_TIMEOUT_MS = 45 * 60 * 1000, MOST_OUTPUT = 1 << 20 };

static const char **environment(const struct run *r, const struct program *p, struct arena *a)
{
    size_t n = 0, kept = 0;

    while (r->o.env && r->o.env[n])
        n++;
    const char **env = arena_array(a, n + p->n_env + 1, sizeof(*env));
    for (size_t i = 0; i < n; i++)
        if (!redact_find(r->o.redactor, r->o.env[i], strlen(r->o.env[i]), NULL))
            env[kept++] = r->o.env[i];
    for (size_t i = 0; i < p->n_env; i++)
        env[kept++] = arena_printf(a, "%s=%s", p->env[i].name, p->env[i].value);
    return env;
}

/* Outlives its attempt: the process reports once whatever became of who started it. */
struct command {
    struct attempt *attempt; /* NULL: abandoned */
    struct process *process;
};

void command_abandon(struct command *c)
{
    c->attempt = NULL;
    process_kill(c->process);
}

static void ended(const struct process_result *r, void *arg)
{
    struct command *c = arg;
    struct attempt *a = c->attempt;
    struct http_reply reply = {.sent = true, .body = "", .len = 0};

    free(c);
    if (!a)
        return;
    a->command = NULL;
    if (r->err.kind != ERR_NONE) {
        reply.err = r->err;
        reply.sent = false;
    } else if (r->timed_out) {
        (void)err_set(&reply.err, ERR_NET, "the command ran out of time");
        reply.err.retry = true;
    } else if (r->exit_status == 0) {
        reply.status = 200;
        reply.body = r->out;
        reply.len = r->out_len;
    } else {
        reply.status = 500;
        reply.body = r->err_len ? r->err_out : r->out;
        reply.len = r->err_len ? r->err_len : r->out_len;
    }
    attempt_answered(a, &reply);
}

static void not_started(void *arg)
{
    struct attempt *a = arg;
    struct http_reply reply = {.body = "", .err = a->trouble};

    attempt_answered(a, &reply);
}

void command_begin(struct attempt *a)
{
    struct task *t = a->task;
    const struct provider_ops *ops = t->item->ops;
    struct arena arena = ARENA_INIT;
    struct program p = {0};
    char dir[4096];

    a->trouble = ERR_INIT;
    assert(ops->command); /* a call without a method is only made by those that have one */
    if (ops->command(&t->item->deployment, t->item->want, &arena, &p, &a->trouble) < 0) {
        timer_free(a->timer);
        a->timer = timer_new(t->run->o.loop, not_started, a);
        timer_start(a->timer, 0);
        arena_release(&arena);
        return;
    }
    (void)snprintf(dir, sizeof(dir), "%s/%s", t->run->o.dir ? t->run->o.dir : ".",
                   p.dir ? p.dir : "");
    struct process_options o = {
        .argv = p.argv,
        .env = environment(t->run, &p, &arena),
        .dir = dir,
        .timeout_ms = COMMAND_TIMEOUT_MS,
        .max_out = MOST_OUTPUT,
    };
    a->command = mem_alloc(sizeof(*a->command));
    a->command->attempt = a;
    a->command->process = process_start(t->run->o.loop, &o, ended, a->command);
    arena_release(&arena);
}
