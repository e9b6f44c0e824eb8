#include "net/local.h"

#include "net/loop.h"

#include "../test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A question to a UNIX-domain socket, and a loop that is kept from running meanwhile. */

enum { LIMIT_MS = 1000, SHORT_MS = 50, HELD_UP_US = 1200 * 1000 };

struct peer {
    char dir[32], path[64];
    int fd;
    bool silent;
    pthread_t thread;
};

struct outcome {
    struct loop *loop;
    int done;
    struct err err;
    char reply[64];
};

/* One connection: reads a line, answers and closes; or keeps it until the asker has gone. */
static void *serve(void *arg)
{
    struct peer *p = arg;
    char text[64];
    int fd = accept(p->fd, NULL, NULL);

    while (read(fd, text, sizeof text) > 0 && p->silent)
        ;
    (void)!send(fd, "hello\n", 6, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void begin(struct peer *p, bool silent)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *p = (struct peer){.dir = "/tmp/trine-test-XXXXXX", .silent = silent};
    if (!mkdtemp(p->dir))
        abort();
    snprintf(p->path, sizeof p->path, "%s/socket", p->dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", p->path);
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(p->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(p->fd, 4) == 0);
    pthread_create(&p->thread, NULL, serve, p);
}

static void end(struct peer *p)
{
    pthread_join(p->thread, NULL);
    close(p->fd);
    unlink(p->path);
    rmdir(p->dir);
}

static void done(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct outcome *o = arg;

    (void)len;
    o->done++;
    o->err = *e;
    snprintf(o->reply, sizeof o->reply, "%s", reply);
    loop_stop(o->loop);
}

static struct local_ask *ask(struct outcome *o, const char *path, int64_t timeout_ms)
{
    const struct local_question q = {
        .path = path, .text = "who?\n", .max_reply = 32, .timeout_ms = timeout_ms};

    return local_ask(o->loop, &q, done, o);
}

static void time_before_the_question_does_not_count(void)
{
    struct outcome o = {.loop = loop_new(NULL)};
    struct peer p;

    begin(&p, false);
    usleep(HELD_UP_US);
    ask(&o, p.path, LIMIT_MS);
    CHECK(o.done == 0);
    loop_run(o.loop);
    CHECK(o.done == 1 && o.err.kind == ERR_NONE && strcmp(o.reply, "hello\n") == 0);
    loop_free(o.loop);
    end(&p);
}

static void what_comes_while_the_loop_is_held_up_is_read(void)
{
    struct outcome o = {.loop = loop_new(NULL)};
    struct peer p;

    begin(&p, false);
    ask(&o, p.path, LIMIT_MS);
    usleep(HELD_UP_US);
    loop_run(o.loop);
    CHECK(o.done == 1 && o.err.kind == ERR_NONE && strcmp(o.reply, "hello\n") == 0);
    loop_free(o.loop);
    end(&p);
}

static void a_peer_that_says_nothing_is_given_up(void)
{
    struct outcome o = {.loop = loop_new(NULL)};
    struct peer p;

    begin(&p, true);
    ask(&o, p.path, SHORT_MS);
    loop_run(o.loop);
    CHECK(o.done == 1 && o.err.kind == ERR_NET && o.err.code == ETIMEDOUT && o.err.retry);
    loop_free(o.loop);
    end(&p);
}

static void nobody_and_a_path_that_is_too_long_are_told(void)
{
    struct outcome o = {.loop = loop_new(NULL)};
    char path[200];

    ask(&o, "/nonexistent/socket", LIMIT_MS);
    loop_run(o.loop);
    CHECK(o.done == 1 && o.err.kind == ERR_NET && o.err.code == ENOENT);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    ask(&o, path, LIMIT_MS);
    CHECK(o.done == 1);
    loop_run(o.loop);
    CHECK(o.done == 2 && o.err.kind == ERR_USAGE);
    loop_free(o.loop);
}

static void what_is_cancelled_says_nothing(void)
{
    struct outcome o = {.loop = loop_new(NULL)};
    struct peer p;

    begin(&p, true);
    local_cancel(ask(&o, p.path, LIMIT_MS));
    loop_free(o.loop);
    CHECK(o.done == 0);
    end(&p);
}

int main(void)
{
    time_before_the_question_does_not_count();
    what_comes_while_the_loop_is_held_up_is_read();
    a_peer_that_says_nothing_is_given_up();
    nobody_and_a_path_that_is_too_long_are_told();
    what_is_cancelled_says_nothing();
    return DONE();
}
