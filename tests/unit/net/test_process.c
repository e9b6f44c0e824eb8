#include "net/process.h"

#include "net/loop.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct outcome {
    int calls, exit_status, signal;
    bool timed_out;
    struct err err;
    char out[256], err_out[256], lines[256];
    size_t out_len;
    uint64_t out_dropped;
    struct process *process;
};

static void keep(const struct process_result *r, void *arg)
{
    struct outcome *o = arg;

    o->calls++;
    o->exit_status = r->exit_status;
    o->signal = r->signal;
    o->timed_out = r->timed_out;
    o->err = r->err;
    o->out_len = r->out_len;
    o->out_dropped = r->out_dropped;
    snprintf(o->out, sizeof o->out, "%s", r->out);
    snprintf(o->err_out, sizeof o->err_out, "%s", r->err_out);
}

static void keep_line(const char *line, bool is_stderr, void *arg)
{
    struct outcome *o = arg;
    size_t len = strlen(o->lines);

    snprintf(o->lines + len, sizeof o->lines - len, "%d<%.20s>", is_stderr, line);
}

static const char *const environment[] = {"PATH=/usr/bin:/bin", "SECRET=in the environment", NULL};

static struct outcome run(struct process_options o, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct loop *loop = loop_new(NULL);
    struct outcome out = {0};

    if (!o.argv)
        o.argv = argv;
    o.env = environment;
    process_start(loop, &o, keep, &out);
    if (out.calls != 0)
        out.calls = 100;
    loop_run(loop);
    loop_free(loop);
    return out;
}

static void a_program_runs_with_exactly_the_environment_it_is_given(void)
{
    setenv("OURS", "leaked", 1);

    struct outcome o =
        run((struct process_options){0}, "echo \"$SECRET${OURS}\"; echo bad >&2; exit 3");

    CHECK(o.calls == 1 && o.err.kind == ERR_NONE);
    CHECK(o.exit_status == 3 && o.signal == 0 && !o.timed_out);
    CHECK(strcmp(o.out, "in the environment\n") == 0);
    CHECK(strcmp(o.err_out, "bad\n") == 0);
}

static void its_folder_is_the_one_asked_for(void)
{
    struct outcome o = run((struct process_options){.dir = "/"}, "pwd; cat");

    CHECK(strcmp(o.out, "/\n") == 0); /* and cat ended: standard input is empty */
}

static void a_program_that_is_not_there_is_named(void)
{
    const char *argv[] = {"no-such-program-here", "x", NULL};
    struct outcome o = run((struct process_options){.argv = argv}, NULL);

    CHECK(o.calls == 1 && o.err.kind != ERR_NONE && o.exit_status == -1);
    CHECK(strstr(o.err.text, "no-such-program-here") != NULL && o.err.code == ENOENT);
    o = run((struct process_options){.dir = "/no/such/folder"}, "true");
    CHECK(o.calls == 1 && o.err.kind != ERR_NONE);
    CHECK(strstr(o.err.text, "/no/such/folder") != NULL);
}

static void only_the_end_of_a_long_output_is_kept(void)
{
    struct outcome o =
        run((struct process_options){.max_out = 8},
            "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i + 1)); done; printf END");

    CHECK(strcmp(o.out, "99\nEND") == 0 || o.out_len == 8);
    CHECK(strcmp(o.out, "4999\nEND") == 0);
    CHECK(o.out_dropped == 23890 + 3 - 8);
}

static void lines_come_as_they_are_written(void)
{
    struct outcome o = run((struct process_options){.line = keep_line},
                           "printf 'one\\r\\ntwo\\n'; printf 'no end'; exec 1>&-; echo e >&2");

    CHECK(strstr(o.lines, "0<one>0<two>") != NULL && strstr(o.lines, "0<no end>") != NULL);
    CHECK(strstr(o.lines, "1<e>") != NULL);
}

static void a_timeout_ends_the_whole_group(void)
{
    /* the grandchild holds the output open: were it not ended, the callback would not come */
    struct outcome o = run((struct process_options){.timeout_ms = 50, .grace_ms = 20000},
                           "sleep 600 & echo started; wait");

    CHECK(o.calls == 1 && o.timed_out && o.signal == SIGTERM && o.exit_status == -1);
    CHECK(strcmp(o.out, "started\n") == 0);
}

static void what_ignores_sigterm_is_killed(void)
{
    struct outcome o = run((struct process_options){.timeout_ms = 100, .grace_ms = 50},
                           "trap '' TERM; while :; do sleep 600 & wait; done");

    CHECK(o.timed_out && o.signal == SIGKILL);
}

static void what_stays_behind_does_not_keep_the_result(void)
{
    struct outcome o = run((struct process_options){.grace_ms = 30}, "sleep 600 & echo done");

    CHECK(o.calls == 1 && !o.timed_out && o.exit_status == 0);
    CHECK(strcmp(o.out, "done\n") == 0);
}

static void kill_when_it_speaks(const char *line, bool is_stderr, void *arg)
{
    struct outcome *o = arg;

    (void)line;
    (void)is_stderr;
    process_kill(o->process);
    process_kill(o->process); /* twice is fine */
}

static void a_kill_is_not_a_timeout(void)
{
    const char *argv[] = {"sh", "-c", "echo here; sleep 600", NULL};
    struct loop *loop = loop_new(NULL);
    struct outcome out = {0};
    struct process_options o = {.argv = argv, .env = environment, .line = kill_when_it_speaks};

    out.process = process_start(loop, &o, keep, &out);
    loop_run(loop);
    CHECK(out.calls == 1 && !out.timed_out && out.signal == SIGTERM);
    loop_free(loop);
}

int main(void)
{
    a_program_runs_with_exactly_the_environment_it_is_given();
    its_folder_is_the_one_asked_for();
    a_program_that_is_not_there_is_named();
    only_the_end_of_a_long_output_is_kept();
    lines_come_as_they_are_written();
    a_timeout_ends_the_whole_group();
    what_ignores_sigterm_is_killed();
    what_stays_behind_does_not_keep_the_result();
    a_kill_is_not_a_timeout();
    return DONE();
}
