#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "manifest/matrix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What one run of the program has: the only place where things are made and put together. Commands
 * get a `struct app` and open what they need of it with app_open_*; app_close closes what is open.
 */
struct loop;
struct http_client;
struct redactor;
struct secrets;
struct bases;
struct store;

/* The command line, read once (options.c). Strings are borrowed from argv or the environment. */
struct options {
    const char *file;  /* -f; default "trine.yaml" */
    const char *state; /* --state, TRINE_STATE; default ".trine" beside the manifest */
    const char *bases; /* --bases, TRINE_BASES */
    const char *environments[64];
    size_t n_environments; /* -e */
    const char *app;       /* -a */
    const char *env_files[16];
    size_t n_env_files; /* --env-file */
    bool json, dry_run, quiet;
    int verbose;              /* -v, -vv */
    const char *commit;       /* deploy, plan: --commit */
    const char *output;       /* report, init: -o */
    const char *from, *until; /* compare, report */
    int64_t for_ms, every_ms; /* probe: --for, --every */
    int64_t duration_ms;      /* bench: --duration */
    double rate;              /* bench: --rate, requests a second; 0 = not given */
    int64_t count;            /* probe, releases: -n is dry run, so --count / --limit */
    bool force, build_only;
    const char *listen;   /* serve: --listen */
    const char *hosts[8]; /* serve: --host */
    size_t n_hosts;
    const char *scope;                        /* token: --scope */
    bool self_test;                           /* compare: --self-test */
    int64_t days;                             /* compare: --days */
    const char *route, *why, *format, *fault; /* traffic */
    const char *server, *name, *token_file;   /* agent */
    const char *controls[8];                  /* agent: --control */
    size_t n_controls;
    const char *arguments[8];
    size_t n_arguments;
};

struct app {
    const struct command *command;
    struct options o;
    struct clock clock;
    struct loop *loop;
    struct http_client *http;
    struct redactor *redactor;
    struct secrets *secrets;
    struct bases *bases;
    struct store *store;
    struct manifest *manifest;
    char state[4096]; /* absolute folder, once app_open_store or app_state_dir was called */
    bool colour;      /* of standard output */
    bool terminal, colour_err; /* of standard error */
    size_t width;              /* columns */
    bool interrupted;
};

/* --- The command table (commands.c) -------------------------------------------------------------
 */

enum option_id {
    OPTION_FILE,
    OPTION_ENVIRONMENT,
    OPTION_APP,
    OPTION_JSON,
    OPTION_DRY_RUN,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_STATE,
    OPTION_BASES,
    OPTION_ENV_FILE,
    OPTION_COMMIT,
    OPTION_OUTPUT,
    OPTION_FROM,
    OPTION_UNTIL,
    OPTION_FOR,
    OPTION_EVERY,
    OPTION_COUNT,
    OPTION_FORCE,
    OPTION_BUILD_ONLY,
    OPTION_LISTEN,
    OPTION_HOST,
    OPTION_SCOPE,
    OPTION_RATE,
    OPTION_DURATION,
    OPTION_SELF_TEST,
    OPTION_DAYS,
    OPTION_ROUTE,
    OPTION_WHY,
    OPTION_FORMAT,
    OPTION_FAULT,
    OPTION_SERVER,
    OPTION_NAME,
    OPTION_TOKEN_FILE,
    OPTION_CONTROL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_END
};

struct option_row {
    enum option_id id;
    char letter;       /* 0 = none */
    const char *name;  /* "environment" */
    const char *value; /* "ENV[,ENV]"; NULL = takes none */
    const char *help;  /* one sentence, without full stop */
};

struct command {
    const char *name;
    const char *arguments;         /* "[FOLDER]"; "" = none */
    const char *summary;           /* one line */
    const char *help;              /* paragraphs, separated by blank lines */
    const enum option_id *options; /* beyond the ones every command takes; ended by OPTION_END */
    size_t least, most;            /* positional arguments */
    const char *example;
    int (*run)(struct app *a, struct err *e); /* -1: *e; otherwise the exit status */
};

extern const struct option_row option_rows[]; /* ended by name == NULL */
extern const enum option_id common_options[]; /* ended by OPTION_END */
extern const struct command commands[]; /* ended by name == NULL; in the order of a day's work */
const struct command *command_find(const char *name); /* also those that no help lists */
bool command_takes(const struct command *c, enum option_id id);

/* --- Reading the command line (options.c) ----------------------------------------------------- */

/* ERR_USAGE names the wrong word and what is near it. *ret_command NULL: none was given. */
int options_read(int argc, char **argv, struct options *ret, const struct command **ret_command,
                 enum option_id *ret_asked /* OPTION_HELP, OPTION_VERSION or OPTION_END */,
                 struct err *e);

/* --- Help, man page, completion from the same table (help.c) ---------------------------------- */

struct buf;
void help_overview(struct buf *out);
void help_command(const struct command *c, struct buf *out);
void help_man(struct buf *out); /* mdoc */
int help_completion(const char *shell, struct buf *out, struct err *e);

/* --- Opening things (app.c) ------------------------------------------------------------------- */

void app_init(struct app *a, const struct command *c, const struct options *o);
void app_close(struct app *a);

/* Loads the manifest; on problems prints all of them to stderr and fails with their number. */
int app_open_manifest(struct app *a, struct err *e);
int app_open_secrets(struct app *a, struct err *e); /* reads --env-file */
/* All that the chosen environments need is there, or every missing name is printed. */
int app_check_secrets(struct app *a, const struct matrix *x, struct err *e);
int app_open_net(struct app *a, struct err *e); /* loop, HTTP client, bases */
int app_open_store(struct app *a, struct err *e);
/* As many open files as the system lets this process have, once so many connections may be open at
 * the same time; says so when that is not enough. */
void app_allow_files(const struct app *a, size_t connections);
int app_state_dir(struct app *a, struct err *e);
int app_matrix(struct app *a, struct matrix *ret, struct err *e); /* -e and -a applied */

/* Human words on stderr (nothing with -q), redacted. */
void app_say(const struct app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Machine or table output on stdout, redacted. ERR_STORE when it cannot be written (closed pipe).
 */
int app_print(const struct app *a, const struct buf *b, struct err *e);
/* Prints the tree, indented, and drops it. */
struct json_t;
int app_print_json(const struct app *a, struct json_t *json, struct err *e);

int cmd_init(struct app *a, struct err *e);
int cmd_validate(struct app *a, struct err *e);
int cmd_plan(struct app *a, struct err *e);
int cmd_deploy(struct app *a, struct err *e);
int cmd_status(struct app *a, struct err *e);
int cmd_releases(struct app *a, struct err *e);
int cmd_probe(struct app *a, struct err *e);
int cmd_bench(struct app *a, struct err *e);
int cmd_compare(struct app *a, struct err *e);
int cmd_report(struct app *a, struct err *e);
int cmd_serve(struct app *a, struct err *e);
int cmd_token(struct app *a, struct err *e);
int cmd_agent(struct app *a, struct err *e);
int cmd_incidents(struct app *a, struct err *e);
int cmd_alerts(struct app *a, struct err *e);
int cmd_traffic(struct app *a, struct err *e);
int cmd_traffic_drill(struct app *a, struct err *e); /* its words drill and drills */
int cmd_completion(struct app *a, struct err *e);
int cmd_man(struct app *a, struct err *e);
int cmd_schema(struct app *a, struct err *e);
int cmd_failover_table(struct app *a, struct err *e);
