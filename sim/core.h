#pragma once

#include "base/buf.h"
#include "base/text.h"
#include "faults.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "sim.h"

/*
 * What the files of the simulator's core share; platform files see only sim.h. One thread, one
 * loop.
 *
 * A request's way: request.c makes a `struct call`, asks rates.c and faults.c, lets the platform's
 * handler run, and hands the answer to reply.c, which spoils it when a fault says so. books.c
 * counts it and stream.c shows it.
 */
enum { SIM_PORTS_MAX = 16, SIM_BODY_MAX = 256 << 20 };

/* One listening port: a platform's API or (the pseudo-platform) the deployed sites. */
struct port {
    struct sim *sim;
    const struct sim_platform *platform;
    struct http_server *server;
    uint16_t number;
};

struct sim {
    struct loop *loop;
    char *dir;
    double rate;      /* simulated seconds in one of ours */
    int64_t start_us; /* monotonic, when start_sim_ms held */
    int64_t start_sim_ms;
    json_t *state;               /* {"platforms", "sites", "books", "faults", "seed", "counter"} */
    bool changed, saving, saves; /* saves: a state folder is there and may be written */
    struct timer *tick;
    struct rates *rates;
    struct faults *faults;
    struct latency *latency;
    struct stream *stream;
    struct sites *sites;
    struct call *calls; /* being answered */
    struct port ports[SIM_PORTS_MAX];
    size_t n_ports;
    struct http_server *control;
    uint16_t control_port, sites_port;
};

/* --- registry.c ---------------------------------------------------------------------------------
 */
extern const struct sim_platform *const sim_platforms[]; /* NULL-terminated, in port order */
const struct sim_platform *sim_platform_named(const char *name);
void sim_advance_all(struct sim *s);

/* --- site_serve.c: deployed sites, as a platform of its own, so that faults and books fit ---- */
extern const struct sim_platform sim_sites;

/* --- state.c ------------------------------------------------------------------------------------
 */
int state_open(struct sim *s, struct err *e); /* reads or makes the folder */
void state_save_soon(struct sim *s);          /* from the tick: in the thread pool when changed */
int state_save_now(struct sim *s, struct err *e);
void state_reset(struct sim *s); /* everything but seed, counter and ports goes */
char *state_path(const struct sim *s, const char *name); /* below the state folder; free() it */

/* --- blobs.c --------------------------------------------------------------------------------- */
/* Path and size of a blob; NULL when absent. The path lives in the arena. */
const char *blob_file(const struct sim *s, const char *space, const char *name, struct arena *arena,
                      size_t *ret_size);
void blobs_clear(struct sim *s);

/* --- request.c ------------------------------------------------------------------------------- */
struct call {
    struct sim_request r; /* first: a handler's pointer is also the call's */
    struct arena arena;
    struct port *port;
    struct call *next, *prev;
    struct fault_choice fault;
    struct timer *timer; /* a delay, or sim_later */
    void (*then)(struct sim_request *r);
    bool refused;                                 /* not a path behind the platform's base */
    int64_t rate_limit, rate_left, rate_reset_ms; /* for the rate headers; limit 0 = none */
    const char *full_path;
    bool running; /* a handler is at work: the memory must stay */
    bool ended;   /* answered or given up */
    bool planned; /* the answer is the fault's own: no further spoiling */
};

void request_received(struct http_exchange *x, void *arg); /* http_handler_fn */
void sim_answer_file(struct sim_request *r, int status, const char *type, const char *path,
                     size_t size);
/* Answers 101: the connection is a tunnel from here on (net/http_server.h). NULL when the peer has
 * left: nothing of `events` will be called. */
struct http_tunnel *sim_answer_upgrade(struct sim_request *r, const char *protocol,
                                       const struct http_tunnel_events *events, void *arg);
/* Ends the call's life; the answer was sent or will never be. status 0: none was given. */
void call_finish(struct call *c, int status);
void call_abort(struct call *c); /* and closes the connection */
void calls_drop(struct sim *s);

/* --- reply.c: sends an answer, spoiled as the call's fault says. Takes nothing over. --------- */
void reply_send(struct call *c, int status, const char *type, const void *body, size_t len);
/* Consumes json; returns a copy whose state words are `word`. */
json_t *reply_unknown_status(json_t *json, const char *word);

/* --- control.c ------------------------------------------------------------------------------- */
void control_received(struct http_exchange *x, void *sim); /* http_handler_fn */
