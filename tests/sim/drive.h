#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * Drives a real trine-sim over its sockets, one request after another. Used by tests/sim only;
 * gives up with a message when the simulator does not start.
 */
struct drive {
    int pid;
    char dir[64];
    json_t *ready; /* the simulator's ready line */
};

/* Starts `program` with a fresh state folder and the clock that many times faster than ours. */
void drive_start(struct drive *d, const char *program, unsigned clock_rate);
/* Ends the simulator and starts it again with the state that it saved, on the same ports when
 * they are free. */
void drive_restart(struct drive *d, const char *program, unsigned clock_rate);
void drive_stop(struct drive *d); /* ends it and removes the folder */

/* The base URL of a platform, "control" or "sites". Borrowed. */
const char *drive_base(const struct drive *d, const char *name);

struct drive_reply {
    int status;   /* 0: no answer */
    bool broken;  /* the connection ended before the answer was whole */
    json_t *json; /* NULL when the body is no JSON */
    char *text;
    char headers[4096]; /* as received */
};
void drive_reply_release(struct drive_reply *r);

/* `header` is NULL or header lines with '\n' between them; JSON is the content type that is sent
 * when they name none. body NULL sends none. The URL is base + path. */
struct drive_reply drive_call(const char *method, const char *base, const char *path,
                              const char *header, const char *body);
/* The same, for tests that want the JSON alone (new reference; NULL when the status is another). */
json_t *drive_json(int status, const char *method, const char *base, const char *path,
                   const char *header, const char *body);
/* The status alone. */
int drive_status(const char *method, const char *base, const char *path, const char *header,
                 const char *body);

/* Asks again until the member at `json_path` is `value`; false after half a minute. */
bool drive_wait(const char *base, const char *path, const char *header, const char *json_path,
                const char *value);
