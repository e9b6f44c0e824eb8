#pragma once

#include "provider/provider.h"

/*
 * GraphQL over HTTP, as Railway and Expo speak it: POST {query, variables}, and a reply that may
 * hold `errors` although its status is 200. No state.
 */

/* Builds the call. `variables` is stolen; NULL = none. */
void graphql_call(struct call *c, int tag, const char *path, const char *query, json_t *variables);

enum graphql_outcome {
    GRAPHQL_UNREADABLE = -1, /* no GraphQL reply, or the platform says that a repeat may work */
    GRAPHQL_DATA,
    GRAPHQL_REFUSED, /* the platform says no; *e holds its message */
};
/* *ret is the reply's `data`, new reference, on GRAPHQL_DATA only. */
enum graphql_outcome graphql_read(const struct http_reply *r, const char *title, json_t **ret,
                                  struct err *e);

/* True when such a message is about the token, not about what was asked. */
bool graphql_is_of_token(const char *message);

/* The message of a reply's first error as provider_ops.refused must give it; false when there is
 * none. */
bool graphql_refused(const struct http_reply *r, const char *title, struct err *e);
