#pragma once

#include "graphql.h"
#include "rest.h"
#include "rollout.h"

/*
 * The parts of the Expo simulator: expo.c has the platform itself and its REST API; expo_run.c
 * workflow runs and their builds; expo_schema.c and expo_graphql.c the GraphQL side.
 *
 * Every well-formed app id counts as a project of the account that is linked to a repository,
 * except those that begin with 00000000. Which platforms a workflow builds for: its input
 * `platform`, else what its file's name says, else both.
 *
 * An account's state: account {id, name}, tables apps, runs, revisions, deployments (the builds),
 * and lines: one for each (app, workflow file, platform, channel), of which the newest finished
 * build is what users have; and the list moving (rollout.h).
 */
extern const char *const expo_schema[];
extern const struct graphql_resolver expo_resolvers[];

/* The context of all resolvers. */
struct expo {
    struct sim_request *r;
    json_t *account;
};

json_t *expo_account(struct sim_request *r);
/* An app's record, or NULL when there is none. Borrowed. */
json_t *expo_app(const struct expo *w, const char *app_id);

/* Starts a run with its builds; NULL: *ret_why says what is wrong with the file or the inputs.
 * Borrowed. */
json_t *expo_run_start(const struct expo *w, json_t *app, const char *file, const char *git_ref,
                       json_t *inputs, const char **ret_why);
/* The run's word in GraphQL ("IN_PROGRESS"), from those of its builds. */
const char *expo_run_status(const struct expo *w, json_t *run);
void expo_build_cancel(const struct expo *w, json_t *build);

/* What clients see. New references. */
json_t *expo_run_shown(const struct expo *w, json_t *run);
json_t *expo_build_shown(const struct expo *w, json_t *build);

extern const struct rollout_rules expo_rules;
