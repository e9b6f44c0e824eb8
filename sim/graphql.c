#include "graphql.h"

#include "base/json.h"
#include "graphql_ast.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void gql_error(struct gql_request *q, const char *code, int line, int column, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (json_array_size(q->errors) >= 20)
        return;
    va_start(ap, fmt);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 overlooks the va_start */
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* A message that was cut in the middle of a character is no JSON string. */
    json_t *message = json_string(text);
    json_array_append_new(q->errors,
                          json_pack("{s:o, s:[{s:i, s:i}], s:{s:s}}", "message",
                                    message ? message : json_string("Invalid value"), "locations",
                                    "line", line, "column", column, "extensions", "code", code));
}

json_t *graphql_fail(struct graphql_field *f, const char *code, const char *message)
{
    f->code = code;
    f->error = message;
    return NULL;
}

json_t *graphql_refusal(const char *code, const char *message)
{
    return json_pack("{s:[{s:s, s:{s:s}}]}", "errors", "message", message, "extensions", "code",
                     code);
}

/* The operation that is asked for: the only one, or the one of that name. */
static const struct gql_operation *choose(const struct gql_document *d, const char *name)
{
    if (!name)
        return d->operations && !d->operations->next ? d->operations : NULL;
    for (const struct gql_operation *o = d->operations; o; o = o->next) {
        if (o->name && strcmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

static void parse(struct gql_request *q, json_t *request)
{
    struct gql_lexer x;
    const char *name = json_str(request, "operationName", NULL);
    gql_lexer_init(&x, q->arena, json_str(request, "query", ""));
    q->document = gql_parse(&x);
    if (!q->document) {
        gql_error(q, "GRAPHQL_PARSE_FAILED", x.error_line, x.error_column, "Syntax Error: %s",
                  x.error);
        return;
    }
    q->operation = choose(q->document, name && *name ? name : NULL);
    if (!q->operation)
        gql_error(q, "OPERATION_RESOLUTION_FAILURE", 1, 1, "%s",
                  name ? "Unknown operation."
                       : "Must provide operation name if query contains multiple operations.");
}

/* Whatever comes before the first field is run: then nothing of it is. */
static void prepare(struct gql_request *q, json_t *request)
{
    parse(q, request);
    if (json_array_size(q->errors) == 0)
        gql_check(q);
    if (json_array_size(q->errors) == 0)
        gql_coerce_variables(q, json_object_get(request, "variables"));
}

json_t *graphql_answer(const struct graphql_server *server, void *context, json_t *request,
                       struct arena *arena, int *ret_status)
{
    struct gql_request q = {.server = server,
                            .context = context,
                            .arena = arena,
                            .schema = gql_schema_parse(arena, server->schema),
                            .variables = json_object(),
                            .errors = json_array()};
    assert(q.schema);
    json_t *answer = json_object();
    prepare(&q, request);
    *ret_status = json_array_size(q.errors) ? 400 : 200;
    if (*ret_status == 200)
        json_object_set_new(answer, "data", gql_run(&q));
    if (json_array_size(q.errors))
        json_object_set(answer, "errors", q.errors);
    json_decref(q.errors);
    json_decref(q.variables);
    return answer;
}
