#pragma once

#include "manifest/envfile.h"
#include "manifest/matrix.h"

/*
 * The build step: runs an app's own `install:` and `build:` commands in its folder with the layered
 * environment, and keeps what they leave in TRINE_STATE/builds/KEY, KEY being the hash of
 * everything the build could read: source files, commands, variables. The same inputs are never
 * built twice.
 *
 * Builds in one app folder run one after the other (they share its output folder; an flock keeps
 * other trine processes out), different folders side by side. Commands see our environment without
 * any variable that holds a known secret, plus the layered variables.
 *
 * Life cycle: fill struct build for each static cell, builds_key, then builds_run for those that
 * are to be deployed. Both run the loop until they are done. One thread.
 */
struct loop;
struct redactor;

struct build {
    const struct cell *cell; /* filled by the caller */

    char key[65]; /* "" for an app without `build:` */
    char *dir;    /* absolute folder to deploy; malloced, freed by build_release */
    bool ready;   /* `dir` is there already */
    struct env_set env;
    struct err err; /* why it failed; ERR_NONE */
    int64_t took_ms;
};
void build_release(struct build *b);

enum build_event { BUILD_INSTALL, BUILD_START, BUILD_LINE, BUILD_DONE, BUILD_FAILED };

struct build_options {
    struct loop *loop;
    const struct manifest *manifest;
    const char *state; /* TRINE_STATE, absolute */
    const struct redactor *redactor;
    unsigned at_once; /* app folders; 0 = the cores */
    void (*event)(const struct build *b, enum build_event event, const char *text, void *arg);
    void *arg;
};

/* Keys, folders, and which are ready. A cell that cannot be keyed (missing folder, unreadable file)
 * has its err set; others go on. */
void builds_key(const struct build_options *o, struct build *builds, size_t n);

/* Builds those that are not ready and have no err. -1 when at least one failed (*e counts them). */
int builds_run(const struct build_options *o, struct build *builds, size_t n, struct err *e);
