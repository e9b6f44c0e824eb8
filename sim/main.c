#include "core.h"
#include "sites.h"
#include "watch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* trine-sim: command line, ports, the ready line, and the end. */

enum { TICK_MS = 1000 };
static const double default_rate = 100;

struct options {
    char address[64];
    uint16_t port;
    const char *dir, *faults, *latency;
    double rate;
};

static const char usage[] =
    "usage: trine-sim --listen 127.0.0.1:PORT --state DIR [--faults FILE] [--latency FILE]\n"
    "                 [--clock-rate N]\n"
    "\n"
    "The hosting platforms' own APIs on loopback, and the sites deployed to them. When ready it\n"
    "prints one JSON line with the addresses, and runs until SIGTERM. Port 0 picks free ones.\n"
    "--clock-rate N   simulated seconds in one of ours (default 100; 1 is real time)\n"
    "--faults FILE    JSON array of rules; each {\"platform\", \"method\", \"path\", \"host\": "
    "globs,\n"
    "                 \"except\": paths that it leaves alone; \"times\", \"after\", "
    "\"probability\", \"seed\"} and one of \"delay_ms\", "
    "\"status\"\n"
    "                 (with \"retry_after\"), \"close\": \"before\"|\"after\", \"stall\", "
    "\"garbage\",\n"
    "                 \"truncate\", \"endless\", \"slow_body\": bytes a second, "
    "\"expired_token\",\n"
    "                 \"unknown_status\": word, \"forbid_origin\": glob (CORS of deployed "
    "services),\n"
    "                 or \"mix\": true (any of the others at random)\n"
    "--latency FILE   {\"hosts\": [{\"host\": glob, \"median_ms\", \"p95_ms\", \"error_rate\", "
    "\"cold_ms\"}]}\n";

static int read_listen(const char *text, struct options *o, struct err *e)
{
    const char *colon = strrchr(text, ':');
    int64_t port;

    if (!colon || text_int(colon + 1, 0, 65535 - SIM_PORTS_MAX, &port) != 0 ||
        (size_t)(colon - text) >= sizeof(o->address) || colon == text)
        return err_set(e, ERR_USAGE, "--listen %s: must be ADDRESS:PORT, as 127.0.0.1:0", text);
    memcpy(o->address, text, (size_t)(colon - text));
    o->address[colon - text] = '\0';
    if (strncmp(o->address, "127.", 4) != 0)
        return err_set(e, ERR_USAGE, "--listen %s: must be a loopback address (127.x.y.z)", text);
    o->port = (uint16_t)port;
    return 0;
}

static int read_rate(const char *text, struct options *o, struct err *e)
{
    char *end;
    double rate = strtod(text, &end);

    if (end == text || *end || !(rate >= 0.01 && rate <= 100000))
        return err_set(e, ERR_USAGE, "--clock-rate %s: must be a number from 0.01 to 100000", text);
    o->rate = rate;
    return 0;
}

static int read_options(int argc, char **argv, struct options *o, struct err *e)
{
    static const struct option known[] = {{"listen", required_argument, NULL, 'l'},
                                          {"state", required_argument, NULL, 's'},
                                          {"faults", required_argument, NULL, 'f'},
                                          {"latency", required_argument, NULL, 'y'},
                                          {"clock-rate", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c, rc = 0;

    *o = (struct options){.address = "127.0.0.1", .rate = default_rate};
    while (rc == 0 && (c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (c == 'l')
            rc = read_listen(optarg, o, e);
        else if (c == 's')
            o->dir = optarg;
        else if (c == 'f')
            o->faults = optarg;
        else if (c == 'y')
            o->latency = optarg;
        else if (c == 'r')
            rc = read_rate(optarg, o, e);
        else if (c == 'h')
            return 1;
        else
            return err_set(e, ERR_USAGE, "see trine-sim --help");
    }
    if (rc == 0 && optind < argc)
        return err_set(e, ERR_USAGE, "%s: unexpected argument; see trine-sim --help", argv[optind]);
    if (rc == 0 && !o->dir)
        return err_set(e, ERR_USAGE, "--state DIR is missing; see trine-sim --help");
    return rc;
}

/* --- Ports ----------------------------------------------------------------------------------- */

static struct http_server *listen_on(struct sim *s, const struct options *o, uint16_t port,
                                     http_handler_fn *fn, void *arg)
{
    struct http_server_options how = {
        .address = o->address, .port = port, .max_body = SIM_BODY_MAX};
    struct err e = ERR_INIT;
    struct http_server *server = http_server_new(s->loop, &how, fn, arg, &e);

    if (!server && o->port != 0)
        fprintf(stderr, "trine-sim: %s\n", e.text);
    return server;
}

/* The port to try for a name: what was asked for, or what this state had the last time. */
static uint16_t port_wanted(struct sim *s, const struct options *o, const char *name, size_t index)
{
    const json_t *last = json_object_get(sim_member(s->state, "ports"), name);

    return o->port ? (uint16_t)(o->port + index) : (uint16_t)json_integer_value(last);
}

static struct http_server *open_named(struct sim *s, const struct options *o, const char *name,
                                      size_t index, struct port *port)
{
    uint16_t wanted = port_wanted(s, o, name, index);
    http_handler_fn *fn = port ? request_received : control_received;
    void *arg = port ? (void *)port : (void *)s;
    struct http_server *server = listen_on(s, o, wanted, fn, arg);

    if (!server && o->port == 0 && wanted != 0) /* taken meanwhile */
        server = listen_on(s, o, 0, fn, arg);
    if (server)
        json_object_set_new(sim_member(s->state, "ports"), name,
                            json_integer(http_server_port(server)));
    return server;
}

static int open_platform(struct sim *s, const struct options *o, const struct sim_platform *p)
{
    struct port *port = &s->ports[s->n_ports];

    *port = (struct port){.sim = s, .platform = p};
    port->server = open_named(s, o, p->name, s->n_ports + 1, port);
    if (!port->server)
        return -1;
    port->number = http_server_port(port->server);
    s->n_ports++;
    return 0;
}

static int open_ports(struct sim *s, const struct options *o, struct err *e)
{
    s->control = open_named(s, o, "control", 0, NULL);
    if (!s->control)
        return err_set(e, ERR_NET, "%s: no port to listen on", o->address);
    s->control_port = http_server_port(s->control);
    for (size_t i = 0; sim_platforms[i]; i++)
        if (open_platform(s, o, sim_platforms[i]) != 0)
            return err_set(e, ERR_NET, "%s: no port for %s", o->address, sim_platforms[i]->name);
    if (open_platform(s, o, &sim_sites) != 0)
        return err_set(e, ERR_NET, "%s: no port for the sites", o->address);
    s->sites_port = s->ports[s->n_ports - 1].number;
    sim_changed(s);
    return 0;
}

static void print_ready(const struct sim *s, const struct options *o)
{
    json_t *bases = json_object();
    json_t *line =
        json_pack("{s:o, s:o, s:o, s:f}", "control",
                  json_sprintf("http://%s:%u", o->address, (unsigned)s->control_port), "bases",
                  bases, "sites", json_sprintf("http://%s:%u", o->address, (unsigned)s->sites_port),
                  "clock_rate", s->rate);
    char *text;

    for (size_t i = 0; i + 1 < s->n_ports; i++) /* the last is the sites' */
        json_object_set_new(bases, s->ports[i].platform->name,
                            json_sprintf("http://%s:%u%s", o->address, (unsigned)s->ports[i].number,
                                         s->ports[i].platform->base_path));
    text = json_text(line);
    json_decref(line);
    puts(text);
    fflush(stdout);
    free(text);
}

/* --- Life ------------------------------------------------------------------------------------ */

static json_t *read_json_file(const char *path, struct err *e)
{
    struct buf text = BUF_INIT(16 << 20);
    json_t *json = NULL;

    if (buf_read_file(&text, path, e) == 0)
        json = json_read(buf_str(&text), text.len, path, e);
    buf_release(&text);
    return json;
}

static int load_faults(struct sim *s, const struct options *o, struct err *e)
{
    json_t *rules =
        o->faults ? read_json_file(o->faults, e) : json_incref(json_object_get(s->state, "faults"));
    int rc = 0;

    if (rules)
        rc = faults_set(s->faults, rules, e);
    else if (o->faults)
        rc = -1;
    if (rc == 0 && rules)
        json_object_set(s->state, "faults", rules);
    json_decref(rules);
    return rc;
}

static int load_latency(struct sim *s, const struct options *o, struct err *e)
{
    json_t *profile = o->latency ? read_json_file(o->latency, e) : NULL;
    int rc = 0;

    if (o->latency)
        rc = profile ? latency_set(s->latency, profile, e) : -1;
    json_decref(profile);
    return rc;
}

static void ticked(void *arg)
{
    struct sim *s = arg;

    sim_advance_all(s);
    state_save_soon(s);
    timer_start(s->tick, TICK_MS);
}

static void told_to_stop(int number, void *arg)
{
    struct sim *s = arg;

    (void)number;
    loop_stop(s->loop);
}

static int sim_open(struct sim *s, const struct options *o, struct err *e)
{
    int64_t saved_ms, now_ms;

    s->loop = loop_new(NULL);
    s->dir = mem_strdup(o->dir);
    s->rate = o->rate;
    s->rates = rates_new();
    s->faults = faults_new();
    s->latency = latency_new();
    s->stream = stream_new();
    s->sites = sites_new();
    if (state_open(s, e) != 0)
        return -1;
    s->start_us = clock_mono_us(loop_clock(s->loop));
    now_ms = clock_wall_ms(loop_clock(s->loop));
    saved_ms = json_int(s->state, "sim_ms", 0);
    s->start_sim_ms = saved_ms > now_ms ? saved_ms : now_ms; /* simulated time never goes back */
    sites_load(s);
    if (load_faults(s, o, e) != 0 || load_latency(s, o, e) != 0 || open_ports(s, o, e) != 0)
        return -1;
    s->tick = timer_new(s->loop, ticked, s);
    timer_start(s->tick, TICK_MS);
    loop_on_signal(s->loop, told_to_stop, s);
    return 0;
}

static void save_waited(void *arg)
{
    struct sim *s = arg;

    if (s->saving)
        timer_start(s->tick, 1);
    else
        loop_stop(s->loop);
}

/* A save in the thread pool must not overtake the last one. */
static void wait_for_save(struct sim *s)
{
    struct timer *waiter;

    if (!s->saving)
        return;
    waiter = timer_new(s->loop, save_waited, s);
    timer_free(s->tick);
    s->tick = waiter;
    timer_start(s->tick, 1);
    loop_run(s->loop);
}

static void sim_close(struct sim *s)
{
    stream_free(s->stream);
    for (size_t i = 0; i < s->n_ports; i++)
        http_server_free(s->ports[i].server);
    http_server_free(s->control);
    calls_drop(s);
    timer_free(s->tick);
    if (s->loop)
        loop_on_signal(s->loop, NULL, NULL);
    sites_free(s->sites);
    latency_free(s->latency);
    faults_free(s->faults);
    rates_free(s->rates);
    json_decref(s->state);
    loop_free(s->loop);
    free(s->dir);
}

int main(int argc, char **argv)
{
    struct sim s = {0};
    struct options o;
    struct err e = ERR_INIT;
    int rc = read_options(argc, argv, &o, &e);

    if (rc > 0) {
        fputs(usage, stdout);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (rc == 0)
        rc = sim_open(&s, &o, &e);
    if (rc == 0) {
        print_ready(&s, &o);
        loop_run(s.loop);
        wait_for_save(&s);
        rc = state_save_now(&s, &e);
    }
    if (rc != 0)
        fprintf(stderr, "trine-sim: %s\n", e.text);
    sim_close(&s);
    return rc == 0 ? 0 : err_exit_code(e.kind);
}
