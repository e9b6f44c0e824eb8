#include "app/app.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Reads "trine [options] COMMAND [options] [arguments]" with long and short options in any order.
 */

struct reader {
    int argc, at;
    char **argv;
    struct options *o;
    const struct command *command;
    enum option_id asked;
};

static const struct option_row *row_by_name(const char *name, size_t len)
{
    for (const struct option_row *r = option_rows; r->name; r++)
        if (strlen(r->name) == len && strncmp(r->name, name, len) == 0)
            return r;
    return NULL;
}

static const struct option_row *row_by_letter(char letter)
{
    for (const struct option_row *r = option_rows; r->name; r++)
        if (r->letter == letter)
            return r;
    return NULL;
}

static int add_environments(struct options *o, char *list, struct err *e)
{
    char *rest = NULL;

    for (char *w = strtok_r(list, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
        if (o->n_environments == sizeof(o->environments) / sizeof(o->environments[0]))
            return err_set(e, ERR_USAGE, "-e: more than %zu environments", o->n_environments);
        o->environments[o->n_environments++] = w;
    }
    return 0;
}

static int read_span(const char *name, const char *value, int64_t *ret, struct err *e)
{
    if (text_duration_ms(value, ret, e) < 0 || *ret <= 0)
        return err_set(e, ERR_USAGE, "--%s %.40s: give a span as 30s, 5m or 2h", name, value);
    return 0;
}

/* Plain decimals only: strtod would take "nan", hexadecimal and leading blanks too. */
static int read_rate(const char *value, double *ret)
{
    char *end;

    if (strspn(value, "0123456789.") != strlen(value))
        return -1;
    double v = strtod(value, &end);
    if (*end != '\0' || v < 0.001 || v > 1e6)
        return -1;
    *ret = v;
    return 0;
}

/* One more of an option that may be repeated. */
static int add_word(const char **list, size_t *n, size_t most, const struct option_row *r,
                    const char *value, struct err *e)
{
    if (*n == most)
        return err_set(e, ERR_USAGE, "--%s: more than %zu of them", r->name, most);
    list[(*n)++] = value;
    return 0;
}

static int apply_value(struct options *o, const struct option_row *r, char *value, struct err *e)
{
    switch (r->id) {
    case OPTION_ENVIRONMENT:
        return add_environments(o, value, e);
    case OPTION_ENV_FILE:
        return add_word(o->env_files, &o->n_env_files,
                        sizeof(o->env_files) / sizeof(o->env_files[0]), r, value, e);
    case OPTION_HOST:
        return add_word(o->hosts, &o->n_hosts, sizeof(o->hosts) / sizeof(o->hosts[0]), r, value, e);
    case OPTION_CONTROL:
        return add_word(o->controls, &o->n_controls, sizeof(o->controls) / sizeof(o->controls[0]),
                        r, value, e);
    case OPTION_FOR:
        return read_span(r->name, value, &o->for_ms, e);
    case OPTION_DURATION:
        return read_span(r->name, value, &o->duration_ms, e);
    case OPTION_RATE:
        if (read_rate(value, &o->rate) < 0)
            return err_set(e, ERR_USAGE, "--rate %.40s: give requests a second, as 50 or 0.5",
                           value);
        return 0;
    case OPTION_EVERY:
        return read_span(r->name, value, &o->every_ms, e);
    case OPTION_COUNT:
        if (text_int(value, 1, 1000000000, &o->count) < 0)
            return err_set(e, ERR_USAGE, "--count %.40s: give a whole number from 1", value);
        return 0;
    case OPTION_DAYS:
        if (text_int(value, 1, 100000, &o->days) < 0)
            return err_set(e, ERR_USAGE, "--days %.40s: give a whole number from 1", value);
        return 0;
    default:
        break;
    }
    const struct {
        enum option_id id;
        const char **to;
    } texts[] = {{OPTION_FILE, &o->file},
                 {OPTION_APP, &o->app},
                 {OPTION_STATE, &o->state},
                 {OPTION_BASES, &o->bases},
                 {OPTION_COMMIT, &o->commit},
                 {OPTION_OUTPUT, &o->output},
                 {OPTION_FROM, &o->from},
                 {OPTION_UNTIL, &o->until},
                 {OPTION_LISTEN, &o->listen},
                 {OPTION_SCOPE, &o->scope},
                 {OPTION_ROUTE, &o->route},
                 {OPTION_WHY, &o->why},
                 {OPTION_FORMAT, &o->format},
                 {OPTION_FAULT, &o->fault},
                 {OPTION_SERVER, &o->server},
                 {OPTION_NAME, &o->name},
                 {OPTION_TOKEN_FILE, &o->token_file}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].id == r->id)
            *texts[i].to = value;
    return 0;
}

static void apply_flag(struct reader *in, const struct option_row *r)
{
    struct options *o = in->o;

    o->json |= r->id == OPTION_JSON;
    o->dry_run |= r->id == OPTION_DRY_RUN;
    o->quiet |= r->id == OPTION_QUIET;
    o->verbose += r->id == OPTION_VERBOSE;
    o->force |= r->id == OPTION_FORCE;
    o->build_only |= r->id == OPTION_BUILD_ONLY;
    o->self_test |= r->id == OPTION_SELF_TEST;
    if (r->id == OPTION_HELP || r->id == OPTION_VERSION)
        in->asked = r->id;
}

/* NULL when there is none. */
static char *next_value(struct reader *in, const struct option_row *r, char *attached,
                        struct err *e)
{
    char *value = attached;

    if (!value && in->at + 1 < in->argc)
        value = in->argv[++in->at];
    if (value && *value)
        return value;
    err_set(e, ERR_USAGE, "--%s needs a value: %s", r->name, r->value);
    return NULL;
}

static int unknown_option(const char *word, struct err *e)
{
    const char *names[OPTION_END + 1];
    size_t n = 0;

    for (const struct option_row *r = option_rows; r->name; r++)
        names[n++] = r->name;
    const char *near = text_did_you_mean(word + strspn(word, "-"), names, n);
    return err_set(e, ERR_USAGE, "unknown option %.60s%s%s; see trine --help", word,
                   near ? "; did you mean --" : "", near ? near : "");
}

static int read_long(struct reader *in, char *word, struct err *e)
{
    char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    const struct option_row *r = row_by_name(word + 2, len);
    char *value;

    if (!r)
        return unknown_option(word, e);
    if (!r->value) {
        if (equals)
            return err_set(e, ERR_USAGE, "--%s takes no value", r->name);
        apply_flag(in, r);
        return 0;
    }
    value = next_value(in, r, equals ? equals + 1 : NULL, e);
    return value ? apply_value(in->o, r, value, e) : -1;
}

static int read_short(struct reader *in, char *word, struct err *e)
{
    for (char *c = word + 1; *c; c++) {
        const struct option_row *r = row_by_letter(*c);
        if (!r)
            return unknown_option(word, e);
        if (!r->value) {
            apply_flag(in, r);
            continue;
        }
        char *value = next_value(in, r, c[1] ? c + 1 : NULL, e);
        return value ? apply_value(in->o, r, value, e) : -1;
    }
    return 0;
}

static int read_word(struct reader *in, char *word, struct err *e)
{
    struct options *o = in->o;

    if (in->command) {
        if (o->n_arguments == in->command->most)
            return err_set(e, ERR_USAGE, "trine %s: what is \"%.60s\" for? see trine %s --help",
                           in->command->name, word, in->command->name);
        o->arguments[o->n_arguments++] = word;
        return 0;
    }
    in->command = command_find(word);
    if (in->command)
        return 0;
    const char *names[64];
    size_t n = 0;
    for (const struct command *c = commands; c->name && n < 64; c++)
        names[n++] = c->name;
    const char *near = text_did_you_mean(word, names, n);
    return err_set(e, ERR_USAGE, "unknown command %.60s%s%s; see trine --help", word,
                   near ? "; did you mean " : "", near ? near : "");
}

static void defaults(struct options *o)
{
    const char *state = getenv("TRINE_STATE"), *bases = getenv("TRINE_BASES");

    *o = (struct options){.file = "trine.yaml"};
    if (state && state[0])
        o->state = state;
    if (bases && bases[0])
        o->bases = bases;
}

/* Options that were given but mean nothing to the command. */
static int check_taken(const struct reader *in, struct err *e)
{
    const struct options *o = in->o;
    const struct {
        enum option_id id;
        bool given;
    } special[] = {{OPTION_COMMIT, o->commit},
                   {OPTION_OUTPUT, o->output},
                   {OPTION_FROM, o->from},
                   {OPTION_UNTIL, o->until},
                   {OPTION_FOR, o->for_ms},
                   {OPTION_EVERY, o->every_ms},
                   {OPTION_RATE, o->rate > 0},
                   {OPTION_DURATION, o->duration_ms},
                   {OPTION_COUNT, o->count},
                   {OPTION_FORCE, o->force},
                   {OPTION_BUILD_ONLY, o->build_only},
                   {OPTION_LISTEN, o->listen},
                   {OPTION_HOST, o->n_hosts > 0},
                   {OPTION_SCOPE, o->scope},
                   {OPTION_ROUTE, o->route},
                   {OPTION_WHY, o->why},
                   {OPTION_FORMAT, o->format},
                   {OPTION_FAULT, o->fault},
                   {OPTION_SERVER, o->server},
                   {OPTION_NAME, o->name},
                   {OPTION_TOKEN_FILE, o->token_file},
                   {OPTION_CONTROL, o->n_controls > 0}};

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (special[i].given && !command_takes(in->command, special[i].id))
            for (const struct option_row *r = option_rows; r->name; r++)
                if (r->id == special[i].id)
                    return err_set(e, ERR_USAGE, "trine %s takes no --%s; see trine %s --help",
                                   in->command->name, r->name, in->command->name);
    if (o->n_arguments < in->command->least)
        return err_set(e, ERR_USAGE, "trine %s needs %s", in->command->name,
                       in->command->arguments);
    return 0;
}

int options_read(int argc, char **argv, struct options *ret, const struct command **ret_command,
                 enum option_id *ret_asked, struct err *e)
{
    struct reader in = {.argc = argc, .argv = argv, .o = ret, .asked = OPTION_END};
    bool only_words = false;

    defaults(ret);
    for (in.at = 1; in.at < argc; in.at++) {
        char *word = argv[in.at];
        int rc = 0;
        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (!only_words && strncmp(word, "--", 2) == 0)
            rc = read_long(&in, word, e);
        else if (!only_words && word[0] == '-' && word[1])
            rc = read_short(&in, word, e);
        else
            rc = read_word(&in, word, e);
        if (rc < 0)
            return -1;
    }
    if (in.command && in.asked == OPTION_END && check_taken(&in, e) < 0)
        return -1;
    *ret_command = in.command;
    *ret_asked = in.asked;
    return 0;
}
