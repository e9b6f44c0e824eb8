#include "app/app.h"

#include "base/buf.h"
#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Help, manual page and completions: three writings of the same tables. */

enum { HELP_WIDTH = 78, HELP_INDENT = 2 };

static const struct option_row *row_of(enum option_id id)
{
    for (const struct option_row *r = option_rows; r->name; r++)
        if (r->id == id)
            return r;
    abort(); /* an id without a row is a bug of the tables */
}

/* Wraps words at HELP_WIDTH; `indent` spaces before each line but the first. */
static void wrap(struct buf *out, const char *text, size_t column, size_t indent)
{
    bool first = true;

    while (*text) {
        size_t word = strcspn(text, " \n");
        if (!first && column + 1 + word > HELP_WIDTH) {
            buf_addf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, text, word);
        column += word;
        text += word;
        text += strspn(text, " \n");
        first = false;
    }
    buf_addc(out, '\n');
}

static void option_line(struct buf *out, enum option_id id)
{
    const struct option_row *r = row_of(id);
    char head[64];

    (void)snprintf(head, sizeof(head), "%s%c%s--%s%s%s", r->letter ? "-" : " ",
                   r->letter ? r->letter : ' ', r->letter ? ", " : "  ", r->name,
                   r->value ? " " : "", r->value ? r->value : "");
    if (strlen(head) > 26)
        buf_addf(out, "  %s\n%29s", head, "");
    else
        buf_addf(out, "  %-26s ", head);
    wrap(out, r->help, 29, 29);
}

void help_overview(struct buf *out)
{
    buf_adds(out, "trine deploys one application set to several hosting environments, measures and "
                  "compares\nthem, and says which one should become production.\n\n"
                  "usage: trine COMMAND [options]\n\ncommands:\n");
    for (const struct command *c = commands; c->name; c++)
        buf_addf(out, "  %-11s %s\n", c->name, c->summary);
    buf_adds(out, "\noptions of every command:\n");
    for (const enum option_id *id = common_options; *id != OPTION_END; id++)
        option_line(out, *id);
    buf_adds(
        out,
        "\nexit status: 0 done; 1 the answer is no; 2 command line or manifest; 3 network or "
        "platform;\n4 store; 70 a bug. \"trine COMMAND --help\" says more; \"trine man | man -l "
        "-\" says all.\n");
}

static void usage(const struct command *c, struct buf *out)
{
    buf_addf(out, "trine %s [options]%s%s", c->name, c->arguments[0] ? " " : "", c->arguments);
}

void help_command(const struct command *c, struct buf *out)
{
    buf_adds(out, "usage: ");
    usage(c, out);
    buf_addf(out, "\n\n%s\n\n", c->summary);
    wrap(out, c->help, 0, 0);
    buf_adds(out, "\noptions:\n");
    for (const enum option_id *id = c->options; *id != OPTION_END; id++)
        option_line(out, *id);
    for (const enum option_id *id = common_options; *id != OPTION_END; id++)
        option_line(out, *id);
    buf_addf(out, "\nexample:\n  %s\n", c->example);
}

/* --- mdoc (mandoc(1), mdoc(7)) ---------------------------------------------------------------- */

static bool sentence_ends(const char *text)
{
    return text[0] == '.' && text[1] == ' ' && isupper((unsigned char)text[2]);
}

/* Text lines may not begin with a control character, a backslash is an escape, and every sentence
 * begins a line: its end is spaced wider. */
static void mdoc_text(struct buf *out, const char *text)
{
    const char *begin = text;

    for (; *text; text++)
        if (text > begin && *text == ' ' && sentence_ends(text - 1))
            buf_addc(out, '\n');
        else if (*text == '\\')
            buf_adds(out, "\\e");
        else if (*text == '\n')
            buf_adds(out, text[1] == '\n' ? "\n.Pp" : "\n");
        else
            buf_addc(out, *text);
    buf_addc(out, '\n');
}

static void mdoc_options(struct buf *out, const enum option_id *ids)
{
    for (; *ids != OPTION_END; ids++) {
        const struct option_row *r = row_of(*ids);
        buf_adds(out, ".It ");
        if (r->letter)
            buf_addf(out, "Fl %c , ", r->letter);
        buf_addf(out, "Fl -%s", r->name);
        if (r->value)
            buf_addf(out, " Ar %s", r->value);
        buf_addc(out, '\n');
        mdoc_text(out, r->help);
    }
}

static void mdoc_command(struct buf *out, const struct command *c)
{
    buf_addf(out, ".Ss trine %s%s%s\n", c->name, c->arguments[0] ? " " : "", c->arguments);
    mdoc_text(out, c->help);
    if (c->options[0] != OPTION_END) {
        buf_adds(out, ".Bl -tag -width Ds\n");
        mdoc_options(out, c->options);
        buf_adds(out, ".El\n");
    }
    buf_adds(out, ".Pp\n.Dl ");
    mdoc_text(out, c->example);
}

static const char man_end[] =
    ".Sh ENVIRONMENT\n.Bl -tag -width TRINE_STATE\n"
    ".It Ev TRINE_STATE\nFolder of the store, the journal and the build cache.\n"
    ".It Ev TRINE_BASES\nA bases file, as\n.Fl -bases .\n"
    ".It Ev NO_COLOR\nWhen set and not empty, no colours.\n"
    ".It any secret that the manifest names\nIts value, unless an\n.Fl -env-file\nhas it.\n.El\n"
    ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
    ".It 0\nDone.\n.It 1\nThe answer is no: unhealthy, not feasible, target missed, held by "
    "another run.\n"
    ".It 2\nCommand line or manifest.\n.It 3\nNetwork or platform.\n.It 4\nStore or local files.\n"
    ".It 70\nA bug in trine.\n.El\n";

void help_man(struct buf *out)
{
    buf_adds(out,
             ".Dd November 22, 2026\n.Dt TRINE 1\n.Os\n.Sh NAME\n.Nm trine\n"
             ".Nd run one application set on several hosting environments and compare them\n"
             ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Sh DESCRIPTION\n.Nm\n"
             "reads one manifest,\n.Pa trine.yaml ,\n"
             "and deploys all apps to all environments that it names, measures them at the same "
             "moments, and compares them.\n"
             ".Ss Options of every command\n.Bl -tag -width Ds\n");
    mdoc_options(out, common_options);
    buf_adds(out, ".El\n.Sh COMMANDS\n");
    for (const struct command *c = commands; c->name; c++)
        mdoc_command(out, c);
    buf_adds(out, ".Sh MANIFEST\n");
    manifest_schema_mdoc(out);
    buf_adds(out, man_end);
}

int cmd_man(struct app *a, struct err *e)
{
    struct buf b = BUF_INIT(4 << 20);

    help_man(&b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

/* --- Completion ------------------------------------------------------------------------------- */

static void option_words(struct buf *out, const enum option_id *ids)
{
    for (; *ids != OPTION_END; ids++)
        buf_addf(out, " --%s", row_of(*ids)->name);
}

static void complete_bash(struct buf *out)
{
    buf_adds(
        out,
        "_trine() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local common='");
    option_words(out, common_options);
    buf_adds(out, "'\n    case $prev in\n    -f|--file|--bases|--env-file|--state|-o|--output)\n"
                  "        COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n    esac\n"
                  "    case ${COMP_WORDS[1]} in\n");
    for (const struct command *c = commands; c->name; c++) {
        buf_addf(out, "    %s) COMPREPLY=($(compgen -W \"$common", c->name);
        option_words(out, c->options);
        if (strchr(c->arguments, '|'))
            buf_addf(out, " %s", "bash zsh fish");
        buf_adds(out, "\" -- \"$cur\")) ;;\n");
    }
    buf_adds(out, "    *) COMPREPLY=($(compgen -W \"");
    for (const struct command *c = commands; c->name; c++)
        buf_addf(out, "%s ", c->name);
    buf_adds(out, "\" -- \"$cur\")) ;;\n    esac\n}\ncomplete -F _trine trine\n");
}

static void complete_fish(struct buf *out)
{
    for (const struct command *c = commands; c->name; c++)
        buf_addf(out, "complete -c trine -f -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
                 c->summary);
    for (const struct option_row *r = option_rows; r->name; r++) {
        buf_addf(out, "complete -c trine -l %s", r->name);
        if (r->letter)
            buf_addf(out, " -s %c", r->letter);
        buf_addf(out, "%s -d \"%s\"\n", r->value ? " -r" : "", r->help);
    }
}

static void complete_zsh(struct buf *out)
{
    buf_adds(out, "#compdef trine\n_trine() {\n    local -a commands\n    commands=(\n");
    for (const struct command *c = commands; c->name; c++)
        buf_addf(out, "        \"%s:%s\"\n", c->name, c->summary);
    buf_adds(out, "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
                  "    else\n        _arguments");
    for (const struct option_row *r = option_rows; r->name; r++)
        buf_addf(out, " \\\n            '--%s[%s]%s%s'", r->name, r->help,
                 r->value ? ":value:" : "", r->value ? "_files" : "");
    buf_adds(out, "\n    fi\n}\ncompdef _trine trine\n");
}

int help_completion(const char *shell, struct buf *out, struct err *e)
{
    if (strcmp(shell, "bash") == 0)
        complete_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        complete_zsh(out);
    else if (strcmp(shell, "fish") == 0)
        complete_fish(out);
    else
        return err_set(e, ERR_USAGE, "no completion for %.40s; there is bash, zsh and fish", shell);
    return 0;
}

int cmd_completion(struct app *a, struct err *e)
{
    struct buf b = BUF_INIT(1 << 20);
    int rc = help_completion(a->o.arguments[0], &b, e);

    if (rc == 0)
        rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}
