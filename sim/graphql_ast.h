#pragma once

#include "base/arena.h"
#include "graphql.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Inside of graphql*.c only: tokens, the parsed document and the parsed schema. Everything lives in
 * the request's arena. Lists are linked by `next`, in the order of the text.
 */

/* --- graphql_lex.c ---------------------------------------------------------------------------- */
enum gql_token {
    GQL_END,
    GQL_NAME,
    GQL_INT,
    GQL_FLOAT,
    GQL_STRING,
    GQL_PUNCT,
    GQL_SPREAD,
    GQL_BAD
};

struct gql_lexer {
    struct arena *arena;
    const char *at, *line_start;
    int line;
    enum gql_token token; /* the one that comes next */
    const char *text;     /* its text; a string's is unescaped; a punctuator is one character */
    int token_line, token_column;
    unsigned depth;    /* nesting of the parser, bounded */
    const char *error; /* NULL while all is well; the first error stays */
    int error_line, error_column;
};

enum { GQL_DEPTH_MAX = 40, GQL_TEXT_MAX = 256 * 1024 };

void gql_lexer_init(struct gql_lexer *x, struct arena *arena, const char *text);
void gql_next(struct gql_lexer *x);
bool gql_is(const struct gql_lexer *x, char punctuator);
bool gql_is_word(const struct gql_lexer *x, const char *word);
bool gql_accept(struct gql_lexer *x, char punctuator);
void gql_expect(struct gql_lexer *x, char punctuator);
const char *gql_name(struct gql_lexer *x); /* "" after an error */
void gql_unexpected(struct gql_lexer *x);
/* Around what nests; false (with an error) when it is too deep. */
bool gql_enter(struct gql_lexer *x);
void gql_leave(struct gql_lexer *x);

/* --- The document: graphql_parse.c ------------------------------------------------------------ */
enum gql_value_kind {
    GQL_V_VARIABLE,
    GQL_V_INT,
    GQL_V_FLOAT,
    GQL_V_STRING,
    GQL_V_BOOLEAN,
    GQL_V_NULL,
    GQL_V_ENUM,
    GQL_V_LIST,
    GQL_V_OBJECT,
};

struct gql_value {
    struct gql_value *next;
    const char *name; /* as an argument or as an object's field */
    enum gql_value_kind kind;
    const char *text; /* variable's name, number, string, enum word, true/false */
    struct gql_value *items;
    int line, column;
};

struct gql_type { /* a list when `of` is set, else the named type */
    const char *name;
    struct gql_type *of;
    bool required;
};

struct gql_directive {
    struct gql_directive *next;
    const char *name;
    struct gql_value *args;
};

enum gql_selection_kind { GQL_FIELD, GQL_INLINE, GQL_FRAGMENT };

struct gql_selection {
    struct gql_selection *next;
    enum gql_selection_kind kind;
    const char *alias; /* a field's key in the answer */
    const char *name;  /* field or fragment; of an inline fragment its type, or NULL */
    struct gql_value *args;
    struct gql_directive *directives;
    struct gql_selection *selections;
    int line, column;
};

struct gql_variable {
    struct gql_variable *next;
    const char *name;
    struct gql_type *type;
    struct gql_value *otherwise;
    int line, column;
};

struct gql_operation { /* a fragment has `on` instead of variables */
    struct gql_operation *next;
    const char *kind, *name, *on; /* kind: "query", "mutation" */
    struct gql_variable *variables;
    struct gql_selection *selections;
    int line, column;
};

struct gql_document {
    struct gql_operation *operations, *fragments;
};

/* NULL: x->error says what is wrong and where. */
struct gql_document *gql_parse(struct gql_lexer *x);
struct gql_type *gql_parse_type(struct gql_lexer *x);
struct gql_value *gql_parse_value(struct gql_lexer *x);
/* "[String!]!" from the arena */
const char *gql_type_text(struct arena *a, const struct gql_type *t);
const struct gql_operation *gql_fragment(const struct gql_document *d, const char *name);

/* --- The schema: graphql_schema.c ------------------------------------------------------------- */
struct gql_input { /* an argument or an input type's field */
    struct gql_input *next;
    const char *name;
    struct gql_type *type;
    struct gql_value *otherwise;
};

struct gql_field_def {
    struct gql_field_def *next;
    const char *name;
    struct gql_type *type;
    struct gql_input *args;
};

enum gql_def_kind { GQL_D_TYPE, GQL_D_INPUT, GQL_D_ENUM, GQL_D_SCALAR };

struct gql_def {
    struct gql_def *next;
    enum gql_def_kind kind;
    const char *name;
    struct gql_field_def *fields; /* of a type; of an enum its words */
    struct gql_input *inputs;     /* of an input */
};

struct gql_schema {
    struct gql_def *defs;
};

struct gql_schema *gql_schema_parse(struct arena *a, const char *const *text);
/* Never NULL: names without a definition are scalars (String, Int, and any that may hold anything).
 */
const struct gql_def *gql_def(struct arena *a, const struct gql_schema *s, const char *name);
const struct gql_field_def *gql_def_field(const struct gql_def *d, const char *name);
const struct gql_input *gql_input(const struct gql_input *list, const char *name);

/* --- One request ------------------------------------------------------------------------------ */
struct gql_request {
    const struct graphql_server *server;
    void *context;
    struct arena *arena;
    const struct gql_schema *schema;
    const struct gql_document *document;
    const struct gql_operation *operation;
    json_t *variables; /* coerced; owned */
    json_t *errors;    /* owned */
};

void gql_error(struct gql_request *q, const char *code, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* --- graphql_check.c: adds an error for each thing that is wrong ------------------------------ */
void gql_check(struct gql_request *q);
const char *gql_root_type(const struct gql_request *q);

/* --- graphql_coerce.c: values into the types that they are given for -------------------------- */
json_t *gql_value_json(const struct gql_value *v, json_t *variables); /* NULL: variable not given */
/* New reference; NULL when it does not fit, with *ret_why (arena) in the words of graphql-js. */
json_t *gql_coerce(struct gql_request *q, const struct gql_type *type, json_t *value,
                   const char **ret_why);
/* Fills q->variables from what the client sent. */
void gql_coerce_variables(struct gql_request *q, json_t *given);
/* Arguments with defaults; new reference; NULL after an error was added. */
json_t *gql_coerce_args(struct gql_request *q, const struct gql_input *wanted,
                        const struct gql_selection *field);

/* --- graphql_run.c ---------------------------------------------------------------------------- */
json_t *gql_run(struct gql_request *q); /* "data"; new reference */
