#pragma once

#include "base/arena.h"

#include <jansson.h>
#include <stddef.h>

/*
 * A small GraphQL server: enough to be as strict as the real ones with what a client sends. A
 * request is parsed, checked against the schema, and answered field by field, just the fields that
 * were asked for.
 *
 * The schema is text in the schema language: `type`, `input`, `enum`, `scalar`; the part of a
 * platform's published schema that the simulator serves, the same where it says anything. It comes
 * in pieces, each with whole definitions. It is read anew for each request; that takes microseconds
 * and leaves no state behind.
 *
 * Supported: operations with names and variables, aliases, arguments, default values, fragments,
 * @include and @skip, __typename. Not: interfaces, unions, subscriptions, introspection.
 */
struct graphql_field {
    void *context;
    const char *type, *name;
    json_t *parent; /* the object whose field this is; borrowed */
    json_t *args;   /* coerced, defaults filled in; borrowed */
    struct arena *arena;
    const char *error, *code; /* set by graphql_fail */
};

/* The field's value (new reference) or NULL after graphql_fail. Objects are given whole: the fields
 * that were asked for are taken out of them. */
typedef json_t *graphql_resolve_fn(struct graphql_field *f);

/* Fields without a row are the parent's member of that name. */
struct graphql_resolver {
    const char *type, *name; /* "Query", "project" */
    graphql_resolve_fn *fn;  /* NULL ends a table */
};

/* Notes why a field failed (message from the arena or static); returns NULL. */
json_t *graphql_fail(struct graphql_field *f, const char *code, const char *message);

struct graphql_server {
    const char *const *schema;              /* pieces of text, ended by NULL */
    const char *query_type, *mutation_type; /* "Query", "Mutation" */
    const struct graphql_resolver *resolvers;
};

/* Answers {"query", "variables", "operationName"}: a new {"data", "errors"}. *ret_status is 400
 * when the request itself is wrong and 200 otherwise, as is usual. Strings in the answer are its
 * own; the arena may go. */
json_t *graphql_answer(const struct graphql_server *server, void *context, json_t *request,
                       struct arena *arena, int *ret_status);

/* {"errors": [{"message", "extensions": {"code"}}]} for what is refused before it is read. */
json_t *graphql_refusal(const char *code, const char *message);
