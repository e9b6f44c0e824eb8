#pragma once

#include "sim.h"

/*
 * What the service platforms share: records in the saved state, lists, books. No state of
 * its own; everything belongs to the request or to the platform's state.
 */

/* A record is what the platform shows plus a member "sim" with what only the simulator knows.
 * Returns the former (new reference, shallow). */
json_t *rest_shown(json_t *record);

/* A number from the query within [min, max], or `otherwise`. */
int64_t rest_query_int(const struct sim_request *r, const char *name, int64_t min, int64_t max,
                       int64_t otherwise);
/* True when the query has no `name`, or has it with this value (repeated or comma-separated). */
bool rest_query_allows(const struct sim_request *r, const char *name, const char *value);

/* The values of a table, newest first (new array, borrowed records kept alive by it). */
json_t *rest_newest_first(json_t *table);

/* Sets a member to the simulated time, as text. */
void rest_stamp(json_t *object, const char *member, int64_t ms);

/* The commit of the code at a branch when nobody names one: the same 40 digits each time. */
void rest_branch_head(const char *repository, const char *branch, char ret[41]);

/* The first name of a host that nobody has: "shop", then "shop-2", ... Taken names are the keys of
 * `hosts`; the name found is put there with `owner` as its value. From the arena. */
const char *rest_take_name(struct sim_request *r, json_t *hosts, const char *wanted,
                           const char *owner);

/* GraphQL's pages: {edges: [{cursor, node}], pageInfo} for the arguments first, after, last,
 * before; a cursor is the record's id. Steals the list. */
json_t *rest_connection(json_t *args, json_t *list);

/* Lower-case letters, digits and dashes only, so that it can be part of a host name. */
const char *rest_host_label(struct arena *a, const char *text);

/* A service that goes live at a host: what it says of itself, and when it sleeps (0: never).
 * Without an environment it says "production". */
struct rest_site {
    const char *host, *commit, *environment;
    int64_t idle_ms, cold_ms;
};
void rest_publish(struct sim *s, const struct sim_platform *p, const struct rest_site *site);

/* The books of a platform whose accounts hold `projects` (a table's name) and "deployments", each
 * of which names its project in the member `link`: adds projects, deployments and live (numbers),
 * and project_list [{id, name, account, deployments, live_count, live}], where live is the id of
 * one. A deployment is live while its "sim" says so. */
void rest_books(json_t *accounts, const char *projects, const char *link, json_t *into);
void rest_set_live(json_t *record, bool live);
