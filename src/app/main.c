#include "app/app.h"

#include "base/buf.h"
#include "base/redact.h"

#include <stdio.h>

/* The only place that ends the process: reads the command line, runs one command, tells the error.
 */

static int print(const struct buf *b)
{
    return fputs(buf_str(b), stdout) == EOF || fflush(stdout) == EOF ? err_exit_code(ERR_STORE) : 0;
}

static int show_help(const struct command *c)
{
    struct buf b = BUF_INIT(1 << 20);

    if (c)
        help_command(c, &b);
    else
        help_overview(&b);
    int rc = print(&b);
    buf_release(&b);
    return rc;
}

static int fail(const char *command, const struct err *e)
{
    (void)fprintf(stderr, "trine%s%s: %s\n", command[0] ? " " : "", command, e->text);
    return err_exit_code(e->kind);
}

static int run(const struct command *c, const struct options *o)
{
    struct err e = ERR_INIT;
    struct app a;

    app_init(&a, c, o);
    int rc = c->run(&a, &e);
    if (rc < 0) {
        redact_text(a.redactor, e.text, sizeof(e.text));
        rc = fail(c->name, &e);
    }
    app_close(&a);
    return rc;
}

int main(int argc, char **argv)
{
    const struct command *command = NULL;
    enum option_id asked = OPTION_END;
    struct options o;
    struct err e = ERR_INIT;

    if (options_read(argc, argv, &o, &command, &asked, &e) < 0)
        return fail("", &e);
    if (asked == OPTION_VERSION)
        return printf("trine %s\n", TRINE_VERSION) < 0;
    if (asked == OPTION_HELP)
        return show_help(command);
    if (!command) {
        (void)show_help(NULL);
        return err_exit_code(ERR_USAGE);
    }
    return run(command, &o);
}
