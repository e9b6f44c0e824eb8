#include "deploy/commit.h"

#include "base/text.h"
#include "net/loop.h"
#include "net/process.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    struct loop *loop;
    char text[1024];
    int status;
    struct err err;
};

static void answered(const struct process_result *r, void *arg)
{
    struct answer *a = arg;

    a->err = r->err;
    a->status = r->timed_out ? -1 : r->exit_status;
    (void)text_copy(a->text, sizeof(a->text), r->out);
    if (r->exit_status != 0 && r->err_len > 0)
        (void)text_copy(a->text, sizeof(a->text), r->err_out);
    a->text[strcspn(a->text, "\r\n")] = '\0';
    loop_stop(a->loop);
}

static int ask(struct loop *loop, const char *dir, const char *const *args, struct answer *ret)
{
    const char *argv[12] = {"git", "-C", dir};
    struct process_options o = {
        .argv = argv, .env = (const char *const *)environ, .timeout_ms = 30000};

    for (size_t i = 0; i < 8 && args[i]; i++)
        argv[3 + i] = args[i];
    *ret = (struct answer){.loop = loop};
    (void)process_start(loop, &o, answered, ret);
    (void)loop_run(loop);
    return ret->err.kind == ERR_NONE && ret->status == 0 ? 0 : -1;
}

int commit_read(struct loop *loop, const char *dir, struct commit *ret, struct err *e)
{
    static const char *const log[] = {"log", "-1", "--format=%H %ct %s", NULL};
    static const char *const branch[] = {"symbolic-ref", "--short", "-q", "HEAD", NULL};
    static const char *const status[] = {"status", "--porcelain", "--untracked-files=no",
                                         "--",     ".",           NULL};
    struct commit c = {0};
    struct answer a;

    if (ask(loop, dir, log, &a) < 0)
        return err_set(e, ERR_MANIFEST, "%s: git does not know the commit (%s); give --commit ID",
                       dir, a.err.kind ? a.err.text : a.text);
    char *end = NULL;
    size_t n = strcspn(a.text, " ");
    if (n < 7 || n >= sizeof(c.id) || a.text[n] != ' ')
        return err_set(e, ERR_MANIFEST, "%s: git answered \"%.60s\"; give --commit ID", dir,
                       a.text);
    memcpy(c.id, a.text, n);
    c.committed_at = strtoll(a.text + n + 1, &end, 10) * 1000;
    (void)text_copy(c.subject, sizeof(c.subject), *end == ' ' ? end + 1 : end);
    if (ask(loop, dir, branch, &a) == 0)
        (void)text_copy(c.branch, sizeof(c.branch), a.text);
    if (ask(loop, dir, status, &a) == 0)
        c.dirty = a.text[0] != '\0';
    *ret = c;
    return 0;
}

int commit_parse(const char *id, struct commit *ret, struct err *e)
{
    size_t n = strlen(id);
    struct commit c = {0};

    if (n < 7 || n > 64 || strspn(id, "0123456789abcdefABCDEF") != n)
        return err_set(e, ERR_USAGE, "--commit %.70s: give 7 to 64 hexadecimal digits", id);
    for (size_t i = 0; i < n; i++)
        c.id[i] = (char)tolower((unsigned char)id[i]);
    *ret = c;
    return 0;
}
