#include "app/agent.h"

#include "app/agent_spool.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* trine agent: measures from elsewhere for a trine serve. It needs no manifest; see agent.h. */

enum { AGAIN_SAID_MS = 60000, TOKEN_FILE_MAX = 4096, ASSIGNMENT_MAX = 1 << 20 };
#define SPOOL_BYTES (INT64_C(32) << 20)

void agent_say(struct agent *g, enum agent_topic topic, const char *fmt, ...)
{
    int64_t now = clock_mono_ms(&g->app->clock) + 1; /* never 0 */
    char text[1024];
    va_list ap;

    if (g->said_ms[topic] && now - g->said_ms[topic] < AGAIN_SAID_MS)
        return;
    g->said_ms[topic] = now;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    app_say(g->app, "%s", text);
}

void agent_stop(struct agent *g)
{
    g->failed = g->end->kind != ERR_NONE;
    loop_stop(g->app->loop);
}

/* --- The command line ---------------------------------------------------------------------------
 */

/* https anywhere; http only where nobody is on the way. */
static int read_server(struct agent *g, char **ret, struct err *e)
{
    const char *url = g->app->o.server;
    struct endpoint where;
    size_t n;

    if (!url)
        return err_set(e, ERR_USAGE,
                       "trine agent needs --server URL, the address of a trine serve");
    if (!endpoint_read(url, 0, &where) || !*where.host || strpbrk(url, "@?#") ||
        (strcmp(where.scheme, "https") != 0 && strcmp(where.scheme, "http") != 0))
        return err_set(e, ERR_USAGE,
                       "--server %.200s: give an address as https://trine.example.org, without "
                       "user, password or query",
                       url);
    if (strcmp(where.scheme, "http") == 0 && !http_is_loopback(where.host))
        return err_set(e, ERR_USAGE,
                       "--server %.200s: over http everybody on the way can read the token; use "
                       "https (a proxy with a certificate in front of trine serve), or a tunnel "
                       "to this machine's own address",
                       url);
    n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    *ret = mem_printf("%.*s", (int)n, url);
    g->server = *ret;
    return 0;
}

static int read_token_file(struct agent *g, const char *path, struct buf *b, struct err *e)
{
    struct stat st;

    if (buf_read_file(b, path, e) < 0)
        return err_wrap(e, "--token-file");
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        app_say(g->app, "%s: others on this machine may read the token: chmod 600 %s", path, path);
    return 0;
}

/* Never on the command line, which everybody on the machine can read. */
static int read_token(struct agent *g, struct buf *b, struct err *e)
{
    const char *path = g->app->o.token_file, *given = getenv("TRINE_TOKEN");
    size_t blank;

    if (path && read_token_file(g, path, b, e) < 0)
        return -1;
    if (!path && given)
        buf_adds(b, given);
    while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    blank = strspn(buf_str(b), " \t\r\n");
    g->token = buf_str(b) + blank;
    if (!*g->token)
        return err_set(e, ERR_USAGE,
                       "trine agent needs a token: in TRINE_TOKEN, or in a file named with "
                       "--token-file; make one on the server with: trine token create NAME --scope "
                       "agent");
    if (strlen(g->token) > 200 || !http_header_fits("Authorization", g->token))
        return err_set(e, ERR_USAGE, "the token is none: it has a line break, or is too long");
    redactor_add(g->app->redactor, "TRINE_TOKEN", g->token);
    return 0;
}

static int check_options(const struct agent *g, struct err *e)
{
    const struct options *o = &g->app->o;
    struct endpoint where;

    if (o->name && !agent_name_ok(o->name))
        return err_set(e, ERR_USAGE,
                       "--name %.80s: 1 to %d letters, digits, dots, underscores and hyphens",
                       o->name, AGENT_NAME_MAX);
    for (size_t i = 0; i < o->n_controls; i++)
        if (!endpoint_read(o->controls[i], 0, &where) || strncmp(where.scheme, "http", 4) != 0)
            return err_set(e, ERR_USAGE, "--control %.200s: give an http or https address",
                           o->controls[i]);
    return 0;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static int make_boot(struct agent *g, struct err *e)
{
    uint8_t random[16];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return err_set(e, ERR_STORE, "the system gives no random bytes");
    hex_encode(random, sizeof(random), g->boot);
    return 0;
}

static int open_folder(struct agent *g, struct err *e)
{
    struct app *a = g->app;
    struct buf path = BUF_INIT(8192);

    if (!a->o.state)
        a->o.state = ".trine";
    if (app_state_dir(a, e) < 0)
        return -1;
    buf_addf(&path, "%s/agent", a->state);
    int rc = agent_spool_open(buf_str(&path), SPOOL_BYTES, &g->spool, e);
    g->assignment_path = mem_printf("%s/assignment.json", buf_str(&path));
    buf_release(&path);
    return rc;
}

/* Of the run before: measuring begins even while the server is out of reach. */
static void begin_from_before(struct agent *g)
{
    struct buf b = BUF_INIT(ASSIGNMENT_MAX);
    struct agent_assignment a = {0};
    struct err e = ERR_INIT;

    if (buf_read_file(&b, g->assignment_path, &e) == 0 &&
        agent_assignment_read(buf_str(&b), b.len, &a, &e) == 0)
        agent_probe_begin(g, &a);
    agent_assignment_release(&a);
    buf_release(&b);
}

static void interrupted(int signal, void *arg)
{
    struct agent *g = arg;

    (void)signal;
    agent_stop(g);
}

/* Also while a request hangs: a kill takes no more than this. */
static void seal_due(void *arg)
{
    struct agent *g = arg;

    agent_probe_seal(g);
    timer_start(g->seal, AGENT_REPORT_MS);
}

static int run(struct agent *g, struct err *e)
{
    struct app *a = g->app;

    g->end = e;
    g->turn = timer_new(a->loop, agent_link_turn, g);
    g->wall_at_zero = clock_wall_ms(&a->clock) - clock_mono_ms(&a->clock);
    if (agent_spool_waiting(g->spool) > 0)
        app_say(a, "%zu batches of an earlier run wait to be sent", agent_spool_waiting(g->spool));
    begin_from_before(g);
    g->seal = timer_new(a->loop, seal_due, g);
    timer_start(g->seal, AGENT_REPORT_MS);
    timer_start(g->turn, 0);
    loop_on_signal(a->loop, interrupted, g);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    agent_probe_seal(g);       /* the next run sends it */
    http_client_free(a->http); /* before what it calls */
    a->http = NULL;
    agent_probe_end(g);
    timer_free(g->turn);
    timer_free(g->seal);
    http_request_release(&g->request);
    return g->failed ? -1 : 0;
}

int cmd_agent(struct app *a, struct err *e)
{
    struct agent *g = mem_alloc(sizeof(*g));
    struct buf token = BUF_INIT(TOKEN_FILE_MAX);
    char *server = NULL;
    int rc = -1;

    *g = (struct agent){.app = a,
                        .name = a->o.name,
                        .controls = a->o.controls,
                        .n_controls = a->o.n_controls,
                        .next_ms = AGENT_REPORT_MS};
    if (check_options(g, e) == 0 && read_server(g, &server, e) == 0 &&
        read_token(g, &token, e) == 0 && make_boot(g, e) == 0 && open_folder(g, e) == 0 &&
        app_open_net(a, e) == 0)
        rc = a->o.dry_run ? 0 : run(g, e);
    agent_spool_close(g->spool);
    free(g->assignment_path);
    if (token.data)
        explicit_bzero(token.data, token.len);
    buf_release(&token);
    free(server);
    free(g);
    return rc;
}
