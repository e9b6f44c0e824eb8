#include "app/app.h"

#include <string.h>

/* Every word of --help, of the man page and of the shells' completion comes from these tables. */

const struct option_row option_rows[] = {
    {OPTION_FILE, 'f', "file", "FILE", "read this manifest instead of trine.yaml"},
    {OPTION_ENVIRONMENT, 'e', "environment", "ENV[,ENV]",
     "only these environments; a manual one must be named"},
    {OPTION_APP, 'a', "app", "GLOB", "only apps, or app/instance, that match this pattern"},
    {OPTION_JSON, 0, "json", NULL, "print JSON on standard output"},
    {OPTION_DRY_RUN, 'n', "dry-run", NULL, "say what would happen and do nothing"},
    {OPTION_QUIET, 'q', "quiet", NULL, "no progress, only results and errors"},
    {OPTION_VERBOSE, 'v', "verbose", NULL, "say more; twice: every retry"},
    {OPTION_STATE, 0, "state", "DIR",
     "folder of the store, journal and build cache (TRINE_STATE; default .trine beside the "
     "manifest)"},
    {OPTION_BASES, 0, "bases", "FILE", "reach platforms at other addresses (TRINE_BASES)"},
    {OPTION_ENV_FILE, 0, "env-file", "FILE",
     "read secrets from NAME=value lines before the process environment; may be repeated"},
    {OPTION_COMMIT, 0, "commit", "ID", "the commit that is deployed, when git cannot tell"},
    {OPTION_OUTPUT, 'o', "output", "PATH", "write to this file or folder"},
    {OPTION_FROM, 0, "from", "TIME",
     "begin of the window: RFC 3339, or a span back from now as 24h or 7d"},
    {OPTION_UNTIL, 0, "until", "TIME", "end of the window; default now"},
    {OPTION_FOR, 0, "for", "SPAN", "stop after this long, as 60s or 2h"},
    {OPTION_EVERY, 0, "every", "SPAN", "probe at this interval instead of the manifest's"},
    {OPTION_COUNT, 0, "count", "N", "stop after N, or show at most N"},
    {OPTION_FORCE, 0, "force", NULL, "do it all the same: overwrite, or use up an allowance"},
    {OPTION_BUILD_ONLY, 0, "build-only", NULL, "run the builds and stop"},
    {OPTION_RATE, 0, "rate", "N", "requests a second to each environment; default 10"},
    {OPTION_DURATION, 0, "duration", "SPAN", "how long, as 60s; default: the manifest's requests"},
    {OPTION_LISTEN, 0, "listen", "ADDRESS:PORT",
     "listen there instead of 127.0.0.1:7467; port 0 picks one"},
    {OPTION_HOST, 0, "host", "NAME",
     "also answer requests for this host name, as behind a proxy; may be repeated"},
    {OPTION_SCOPE, 0, "scope", "read|operate|agent", "what the token may do; default read"},
    {OPTION_SELF_TEST, 0, "self-test", NULL,
     "compare environments with themselves and say how often a winner is named wrongly"},
    {OPTION_DAYS, 0, "days", "N", "days that the self-test simulates; default 200"},
    {OPTION_ROUTE, 0, "route", "NAME", "this route; not needed when the manifest has one"},
    {OPTION_WHY, 0, "why", "TEXT", "kept with the order, for whoever asks later"},
    {OPTION_FORMAT, 0, "format", "haproxy|nginx",
     "whose configuration is printed; default haproxy"},
    {OPTION_FAULT, 0, "fault", "stop|hang|errors|slow|grey|drain",
     "what the drill does; default drain"},
    {OPTION_SERVER, 0, "server", "URL", "the trine serve that the agent measures for"},
    {OPTION_NAME, 0, "name", "NAME", "what this vantage point is called; default: as its token"},
    {OPTION_TOKEN_FILE, 0, "token-file", "FILE",
     "read the token from this file instead of TRINE_TOKEN"},
    {OPTION_CONTROL, 0, "control", "URL",
     "an address that tells a broken uplink of this machine from a broken target, instead of the "
     "server's; may be repeated"},
    {OPTION_HELP, 'h', "help", NULL, "show help"},
    {OPTION_VERSION, 'V', "version", NULL, "show the version"},
    {OPTION_END, 0, NULL, NULL, NULL},
};

const enum option_id common_options[] = {
    OPTION_FILE,    OPTION_ENVIRONMENT, OPTION_APP,   OPTION_JSON,     OPTION_DRY_RUN, OPTION_QUIET,
    OPTION_VERBOSE, OPTION_STATE,       OPTION_BASES, OPTION_ENV_FILE, OPTION_HELP,    OPTION_END};

static const enum option_id none[] = {OPTION_END};
static const enum option_id init_options[] = {OPTION_OUTPUT, OPTION_FORCE, OPTION_END};
static const enum option_id deploy_options[] = {OPTION_COMMIT, OPTION_BUILD_ONLY, OPTION_END};
static const enum option_id plan_options[] = {OPTION_COMMIT, OPTION_END};
static const enum option_id releases_options[] = {OPTION_COUNT, OPTION_END};
static const enum option_id probe_options[] = {OPTION_FOR, OPTION_EVERY, OPTION_COUNT, OPTION_END};
static const enum option_id bench_options[] = {OPTION_RATE, OPTION_DURATION, OPTION_FORCE,
                                               OPTION_END};
static const enum option_id compare_options[] = {OPTION_FROM, OPTION_UNTIL, OPTION_SELF_TEST,
                                                 OPTION_DAYS, OPTION_END};
static const enum option_id report_options[] = {OPTION_FROM, OPTION_UNTIL, OPTION_OUTPUT,
                                                OPTION_END};

static const enum option_id serve_options[] = {OPTION_LISTEN, OPTION_HOST, OPTION_EVERY,
                                               OPTION_END};
static const enum option_id incidents_options[] = {OPTION_FROM, OPTION_UNTIL, OPTION_COUNT,
                                                   OPTION_END};
static const enum option_id token_options[] = {OPTION_SCOPE, OPTION_END};

static const enum option_id agent_options[] = {OPTION_SERVER, OPTION_NAME, OPTION_TOKEN_FILE,
                                               OPTION_CONTROL, OPTION_END};

static const enum option_id traffic_options[] = {
    OPTION_ROUTE,  OPTION_FOR,  OPTION_WHY,    OPTION_FAULT, OPTION_RATE,
    OPTION_FORMAT, OPTION_FROM, OPTION_OUTPUT, OPTION_FORCE, OPTION_END};

const struct command commands[] = {
    {"init", "", "write a first manifest for this folder",
     "Looks at the folder for apps (package.json with a vite or expo dependency, Dockerfile) and "
     "writes "
     "a trine.yaml that trine validate accepts, with one environment to be completed. Writes "
     "nothing "
     "over an existing file without --force.",
     init_options, 0, 0, "trine init", cmd_init},
    {"validate", "", "check the manifest, show every problem at once",
     "Reads the manifest and reports all problems as FILE:LINE:COLUMN: KEY: why. With -v prints "
     "the normal "
     "form: every key with its value, defaults included; it parses back to the same manifest.",
     none, 0, 0, "trine validate -v", cmd_validate},
    {"plan", "", "show what a deploy would create, change, leave alone, or cannot do",
     "Compares the manifest and the built bundles with what the store knows to be live. Sends no "
     "request "
     "and runs no build: a bundle that has still to be built is shown as such. Also says what the "
     "checks and the "
     "checking of each route cost in a month: requests, hours awake, commands, and the share of "
     "the "
     "platform's free "
     "allowance, beside that of a check every 200 ms. Exit status 1 when something cannot be done.",
     plan_options, 0, 0, "trine plan -e uat", cmd_plan},
    {"deploy", "", "build, upload, switch, and ask every running app for its commit",
     "Builds what is not built yet, uploads only files that the platform does not have, deploys "
     "what "
     "differs from what is live, and counts a deployment as live only when the running app "
     "answered with "
     "the new commit. A run that was interrupted or killed is gone on with by the next one; "
     "nothing is "
     "created twice. Environments marked manual deploy only when named with -e.",
     deploy_options, 0, 0, "trine deploy -e uat,beta", cmd_deploy},
    {"status", "", "show every deployment with its state, release, commit and address",
     "What the store knows. Exit status 1 when a deployment is not live.", none, 0, 0,
     "trine status --json", cmd_status},
    {"releases", "", "list releases with the time from commit to live",
     "Newest first. With -v also each release's deployments and journal.", releases_options, 0, 0,
     "trine releases -e uat --count 5", cmd_releases},
    {"probe", "", "measure all environments at the same ticks and keep the samples",
     "Runs the manifest's checks against what is live, at fixed times, all environments of one app "
     "in the "
     "same tick, until --for or --count ends it (or for ever). Latency counts from the intended "
     "time; a "
     "slot that could not be served is recorded as missed.",
     probe_options, 0, 0, "trine probe --for 60s --every 1s", cmd_probe},
    {"bench", "[NAME]", "put the same load on several environments at once and compare their times",
     "An open loop: request i is sent at start + i / rate whatever became of the ones before, and "
     "its time counts from that moment, so a stall shows in every request that had to wait. Asks "
     "each environment once before, which wakes it and tells how large an answer is; refuses, with "
     "the arithmetic, a run that the platform's terms forbid or that takes more than 5 % of a free "
     "allowance, unless --force. Leaves an environment alone as soon as it answers 429 or half of "
     "its requests fail. NAME is an entry under bench: in the manifest. Exit status 1 when an "
     "environment did not stand it.",
     bench_options, 0, 1, "trine bench -e uat,beta --rate 50 --duration 60s", cmd_bench},
    {"compare", "", "compare the environments over a window, with ranges and verdicts",
     "Average, median, p95, success rate, uptime and database query time of each environment with "
     "their 95 % ranges; cold starts apart; targets met, missed or not decided yet. Every two "
     "environments are compared in the same stretches of time and called better or worse only "
     "where p, corrected for all that is shown, allows it and the difference matters; otherwise "
     "inconclusive, with the samples still needed. Then the change against the window before, and "
     "which environment should become production, by the weights of the manifest's score. -v adds "
     "every endpoint.\n\n"
     "--self-test compares each environment with itself, on stored and on simulated data, and "
     "prints how often a winner is named where there is none.\n\n"
     "Exit status 1 when a target is missed, or when -e names two environments and the first is "
     "worse.",
     compare_options, 0, 0, "trine compare --from 24h", cmd_compare},
    {"report", "", "write environment_comparison.html and environment_comparison.json",
     "The comparison as a page that needs no network to be opened, and as JSON for tracking. -o "
     "names the "
     "folder; default is the current one.",
     report_options, 0, 0, "trine report -o reports --from 7d", cmd_report},
    {"serve", "", "measure all the time and show it live in the browser",
     "Runs the manifest's checks until it is told to end, keeps samples, outages and history, "
     "and serves the dashboard, its API (docs/api.md) and /metrics on one port of 127.0.0.1. What "
     "another process deploys is picked up by itself; SIGHUP reads the manifest again, and SIGTERM "
     "ends it. Once a day it tests its verdicts on its own data. Prints its "
     "address on standard output.\n\n"
     "On an address that others reach, reading needs a token of scope read; what changes something "
     "needs one of scope operate everywhere. There is no TLS in it: put a proxy in front, and name "
     "its host with --host.",
     serve_options, 0, 0, "trine serve --listen 127.0.0.1:7467", cmd_serve},
    {"traffic",
     "status | weights ENV=N... | drain | restore | override up|down | drill | drills | accept-dns "
     "| export",
     "see and steer which environment gets how much of the traffic",
     "status shows every route: where its requests go, the state of each environment and why, who "
     "would take over, what checking costs, and what each agent saw beside what trine serve saw "
     "itself (of the last hour, or since --from). weights, drain and override give an order that "
     "stands above every measurement until --for is over or restore takes it back (all of the "
     "route's, or those of -e); trine serve follows within a second. drain sends an environment "
     "(-e) nothing new; override says that it counts as up or down whatever the checks find, for "
     "an hour unless --for says otherwise. accept-dns lets the next move replace what somebody "
     "else has put into the DNS.\n\n"
     "drill rehearses a failure (--fault, --for) with a canary client and prints what it would "
     "have "
     "cost users; drills lists what was measured. Against real platforms only drain is done. "
     "export prints a configuration for a team that runs HAProxy or nginx itself.\n\n"
     "Exit status 1 when an environment is down, nobody steers, or a drill missed its bound.",
     traffic_options, 1, 8, "trine traffic drain -e uat --for 30m --why 'database move'",
     cmd_traffic},
    {"agent", "", "measure from elsewhere and vote on what is down",
     "Runs on another machine, without a manifest: asks a trine serve which http, tls and tcp "
     "checks of its routes to measure, measures them on the same clock, and reports what it finds "
     "every five seconds, every second while something is in doubt. With its vote an environment "
     "is called down only when several places agree (probe.quorum). It is told no secret: checks "
     "that send one are left out.\n\n"
     "The token, of scope agent and of this agent alone (a token has one vote), is read from "
     "TRINE_TOKEN or --token-file. The server is reached "
     "over https only, except on this machine itself. While it is out of reach, what is measured "
     "waits in the folder --state (at most 32 MiB, then the oldest is dropped and counted) and is "
     "sent later, each once, also after a kill. An agent whose clock is off by more than five "
     "seconds does not count. What it measured is shown by trine traffic status. It asks the "
     "addresses that the server names, from the network where it runs: give its token to a server "
     "that you trust.\n\n"
     "Exit status 3 when the server refuses the token at the start.",
     agent_options, 0, 0, "trine agent --server https://trine.example.org --name fra", cmd_agent},
    {"token", "create NAME | list | revoke NAME", "make, list and revoke tokens for the API",
     "create prints the token once; only a digest of it is kept. --scope agent is for trine agent. "
     "revoke takes effect at once, also in a trine serve that runs.",
     token_options, 1, 2, "trine token create laptop --scope operate", cmd_token},
    {"incidents", "[ID]", "show what went wrong and when; with ID one of them with its timeline",
     "One line an incident, newest first, of the last 7 days or of --from and --until; with -e "
     "those "
     "that are about these environments, or about several. An incident gathers what has one cause: "
     "the checks of one platform that fail in the same minute are one.\n\n"
     "With ID: what happened when (opened, joined, traffic that left and returned, what the "
     "platform's status page said, who was told), and the outages of single checks in it. -v adds "
     "the evidence of each line.",
     incidents_options, 0, 1, "trine incidents 12", cmd_incidents},
    {"alerts", "[list | test [NAME]]", "show what people were told, or send them a test message",
     "Shows each entry under alerts in the manifest with the messages that were sent, that wait "
     "(for another attempt, the end of quiet hours, or the time of repeat), that were given up "
     "after a day, and of which it is unknown whether they arrived, because trine ended while it "
     "sent them. With --json also the last ten messages of each.\n\n"
     "test sends a real message to the alert NAME, or to all, and prints what the other side "
     "answered. Exit status 1 when one did not arrive.",
     none, 0, 2, "trine alerts test ops", cmd_alerts},
    {"completion", "bash|zsh|fish", "print a shell's completion script",
     "Source it, or put it where "
     "the shell looks.",
     none, 1, 1, "trine completion bash > ~/.local/share/bash-completion/completions/trine",
     cmd_completion},
    {"man", "", "print the manual page (mdoc)", "Read it with: trine man | man -l -", none, 0, 0,
     "trine man | man -l -", cmd_man},
    {"schema", "", "print the manifest's JSON Schema for editors",
     "Point your editor's YAML language server at the file.", none, 0, 0,
     "trine schema > trine.schema.json", cmd_schema},
    {0},
};

/* For those who work on trine: not in --help, the manual page or completion. */
static const struct command hidden_commands[] = {
    {"failover-table", "", "print the failover table as a graph (dot language)",
     "What makes an environment go from one state to another, and what is done then. Self-loops "
     "are left out.",
     none, 0, 0, "trine failover-table | dot -Tsvg -o failover.svg", cmd_failover_table},
    {0},
};

static const struct command *find_in(const struct command *table, const char *name)
{
    for (const struct command *c = table; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *c = find_in(commands, name);
    return c ? c : find_in(hidden_commands, name);
}

static bool listed(const enum option_id *ids, enum option_id id)
{
    for (; *ids != OPTION_END; ids++)
        if (*ids == id)
            return true;
    return false;
}

bool command_takes(const struct command *c, enum option_id id)
{
    return listed(common_options, id) || listed(c->options, id);
}
