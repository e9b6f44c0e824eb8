#include "base/json.h"
#include "sim/graphql.h"
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>

static const char *const schema[] = {
    "scalar JSON type Query { echo(text: String!, times: Int = 1): [String!]! item(id: ID!): Item"
    " must: Item! any(value: JSON): JSON kind(kind: Kind): String count(in: Box!): Int! }",
    "type Mutation { add(by: Int!): Int! }"
    " type Item { id: ID! name: String! other: Item kind: Kind! } enum Kind { BIG SMALL }"
    " input Box { size: Int! tags: [String!] deep: Box open: Boolean = true }",
    NULL,
};

static json_t *echo(struct graphql_field *f)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < json_int(f->args, "times", 0); i++)
        json_array_append(list, json_object_get(f->args, "text"));
    return list;
}

static json_t *item(struct graphql_field *f)
{
    const char *id = json_str(f->args, "id", "");
    if (strcmp(id, "none") == 0)
        return graphql_fail(f, "NOT_FOUND", "Item not found");
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "id", id, "name", "first", "kind", "BIG",
                     "other", "id", "2", "name", "second");
}

static json_t *must(struct graphql_field *f)
{
    return graphql_fail(f, "NOT_FOUND", "Nothing there");
}

static json_t *first_arg(struct graphql_field *f)
{
    json_t *value = json_object_iter_value(json_object_iter(f->args));
    return value ? json_incref(value) : json_null();
}

static json_t *count(struct graphql_field *f)
{
    bool open = json_flag(f->args, "in.open", false);
    return json_integer(json_int(f->args, "in.size", 0) + (open ? 100 : 0));
}

static json_t *add(struct graphql_field *f)
{
    int *total = f->context;
    *total += (int)json_int(f->args, "by", 0);
    return json_integer(*total);
}

static const struct graphql_resolver resolvers[] = {
    {"Query", "echo", echo},     {"Query", "item", item},      {"Query", "must", must},
    {"Query", "any", first_arg}, {"Query", "kind", first_arg}, {"Query", "count", count},
    {"Mutation", "add", add},    {NULL, NULL, NULL},
};

static const struct graphql_server server = {schema, "Query", "Mutation", resolvers};

/* The answer as text; the caller frees it. */
static char *ask(const char *query, const char *variables, int *ret_status)
{
    struct arena arena = ARENA_INIT;
    int total = 0;
    json_t *request = json_pack("{s:s, s:o*}", "query", query, "variables",
                                variables ? json_loads(variables, 0, NULL) : NULL);
    json_t *answer = graphql_answer(&server, &total, request, &arena, ret_status);
    arena_release(&arena);
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    json_decref(request);
    return text;
}

static bool answers(const char *query, const char *variables, const char *data)
{
    int status;
    char *text = ask(query, variables, &status);
    bool same = status == 200 && strcmp(text, data) == 0;
    if (!same)
        printf("# %s\n# -> %d %s\n", query, status, text);
    free(text);
    return same;
}

static bool refuses(const char *query, const char *variables, const char *message)
{
    int status;
    char *text = ask(query, variables, &status);
    bool same = status == 400 && strstr(text, message) && !strstr(text, "\"data\"");
    if (!same)
        printf("# %.200s\n# -> %d %s\n", query, status, text);
    free(text);
    return same;
}

static void just_the_fields_that_were_asked_for_come_back(void)
{
    CHECK(answers("{ item(id: \"1\") { name } }", NULL,
                  "{\"data\":{\"item\":{\"name\":\"first\"}}}"));
    CHECK(answers("query Q { a: item(id: 7) { id __typename } b: item(id: \"2\") { kind } }", NULL,
                  "{\"data\":{\"a\":{\"id\":\"7\",\"__typename\":\"Item\"},"
                  "\"b\":{\"kind\":\"BIG\"}}}"));
    CHECK(answers("mutation { one: add(by: 1) two: add(by: 2) }", NULL,
                  "{\"data\":{\"one\":1,\"two\":3}}"));
}

static void selections_of_one_key_are_merged(void)
{
    CHECK(answers("{ item(id: \"1\") { name ...F other { id } } } fragment F on Item { id "
                  "other { name } ... on Item { kind } }",
                  NULL,
                  "{\"data\":{\"item\":{\"name\":\"first\",\"id\":\"1\",\"other\":{\"name\":"
                  "\"second\",\"id\":\"2\"},\"kind\":\"BIG\"}}}"));
    CHECK(answers("query ($no: Boolean!) { item(id: \"1\") { id name @skip(if: $no) "
                  "kind @include(if: $no) } }",
                  "{\"no\": true}", "{\"data\":{\"item\":{\"id\":\"1\",\"kind\":\"BIG\"}}}"));
}

static void variables_take_defaults_and_lists(void)
{
    CHECK(answers("query ($t: String!, $n: Int = 2) { echo(text: $t, times: $n) }", "{\"t\":\"x\"}",
                  "{\"data\":{\"echo\":[\"x\",\"x\"]}}"));
    CHECK(answers("query ($b: Box!) { count(in: $b) }", "{\"b\":{\"size\":1,\"tags\":\"one\"}}",
                  "{\"data\":{\"count\":101}}"));
    CHECK(answers("query ($n: Int!) { count(in: {size: $n, open: false}) }", "{\"n\":5}",
                  "{\"data\":{\"count\":5}}"));
    CHECK(answers("query ($v: JSON) { any(value: {a: [1, $v]}) }", "{\"v\":{\"b\":null}}",
                  "{\"data\":{\"any\":{\"a\":[1,{\"b\":null}]}}}"));
    CHECK(answers("{ kind(kind: SMALL) }", NULL, "{\"data\":{\"kind\":\"SMALL\"}}"));
    CHECK(answers("{ any(value: \"\\u00e9 \\\"q\\\"\") }", NULL,
                  "{\"data\":{\"any\":\"\xc3\xa9 \\\"q\\\"\"}}"));
}

static void a_failed_field_is_null_up_to_where_null_may_stand(void)
{
    CHECK(answers("{ item(id: \"none\") { id } any }", NULL,
                  "{\"data\":{\"item\":null,\"any\":null},\"errors\":[{\"message\":\"Item not "
                  "found\",\"locations\":[{\"line\":1,\"column\":3}],\"extensions\":{\"code\":"
                  "\"NOT_FOUND\"}}]}"));
    CHECK(answers("{ any must { id } }", NULL,
                  "{\"data\":null,\"errors\":[{\"message\":\"Nothing there\",\"locations\":[{"
                  "\"line\":1,\"column\":7}],\"extensions\":{\"code\":\"NOT_FOUND\"}}]}"));
    /* The inner item has no kind, which must not be null: the nearest that may be is `other`. */
    CHECK(answers("{ item(id: \"1\") { id other { kind } } }", NULL,
                  "{\"data\":{\"item\":{\"id\":\"1\",\"other\":null}},\"errors\":[{\"message\":"
                  "\"Cannot return null for non-nullable field kind.\",\"locations\":[{\"line\":1,"
                  "\"column\":30}],\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}"));
}

static void what_the_schema_does_not_have_is_refused(void)
{
    CHECK(refuses("{ nope }", NULL, "Cannot query field \\\"nope\\\" on type \\\"Query\\\"."));
    CHECK(refuses("{ item(id: \"1\") }", NULL, "must have a selection of subfields"));
    CHECK(refuses("mutation { add(by: 1) { id } }", NULL, "must not have a selection"));
    CHECK(refuses("{ item { id } }", NULL, "argument \\\"id\\\" of type \\\"ID!\\\" is required"));
    CHECK(refuses("{ echo(text: \"x\", tmes: 2) }", NULL, "Unknown argument \\\"tmes\\\""));
    CHECK(refuses("{ echo(text: 5) }", NULL, "String cannot represent a non string value: 5"));
    CHECK(refuses("{ kind(kind: \"BIG\") }", NULL, "cannot represent non-enum value"));
    CHECK(refuses("{ kind(kind: HUGE) }", NULL, "does not exist in \\\"Kind\\\" enum"));
    CHECK(refuses("{ count(in: {size: 1, weight: 2}) }", NULL,
                  "Field \\\"weight\\\" is not defined by type \\\"Box\\\"."));
    CHECK(refuses("{ count(in: {}) }", NULL, "\\\"Box.size\\\" of required type \\\"Int!\\\""));
    CHECK(refuses("{ item(id: \"1\") { ...Gone } }", NULL, "Unknown fragment \\\"Gone\\\"."));
    CHECK(refuses("{ ...F } fragment F on Item { id }", NULL, "Fragment cannot be spread here"));
}

static void variables_are_checked_before_anything_runs(void)
{
    CHECK(refuses("query ($a: String) { echo(text: $a) }", "{}",
                  "used in position expecting type \\\"String!\\\"."));
    CHECK(refuses("{ echo(text: $a) }", NULL, "Variable \\\"$a\\\" is not defined."));
    CHECK(refuses("query ($a: Int) { any }", NULL, "Variable \\\"$a\\\" is never used"));
    CHECK(refuses("query ($a: ID!) { item(id: $a) { id } }", "{}",
                  "Variable \\\"$a\\\" of required type \\\"ID!\\\" was not provided."));
    CHECK(refuses("query ($b: Box!) { count(in: $b) }", "{\"b\":{\"size\":\"1\"}}",
                  "Int cannot represent non-integer value"));
    CHECK(refuses("query ($b: Box!) { count(in: $b) }",
                  "{\"b\":{\"size\":1,\"deep\":{\"size\":1,\"x\":1}}}",
                  "Field \\\"x\\\" is not defined"));
}

static void nonsense_is_a_syntax_error_with_its_place(void)
{
    CHECK(refuses("{ item(id: \"1\") { id }", NULL, "Syntax Error: Unexpected <EOF>."));
    CHECK(refuses("{ item(id: \"1) { id } }", NULL, "Unterminated string"));
    CHECK(refuses("{\n  any }\n}", NULL, "\"line\":3,\"column\":1"));
    CHECK(refuses("", NULL, "Syntax Error"));
    CHECK(refuses("subscription { x }", NULL, "Unexpected Name \\\"subscription\\\""));
    CHECK(refuses("{ any(value: ?) }", NULL, "Unexpected character"));
    CHECK(refuses("query A { any } query B { any }", NULL, "Must provide operation name"));
}

/* Brackets without end, and fragments that multiply: refused, not run. */
static void what_has_no_end_is_refused(void)
{
    char deep[2000];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    memcpy(deep, "{any(value:", 11);
    CHECK(refuses(deep, NULL, "nested too deeply"));
    CHECK(refuses("{ item(id: 1) { ...F } } fragment F on Item { other { ...F } }", NULL,
                  "nested without end"));
    CHECK(refuses("{ item(id: 1) { ...F } } fragment F on Item { other { ...F ...F } ...F ...F }",
                  NULL, "errors"));
}

int main(void)
{
    just_the_fields_that_were_asked_for_come_back();
    selections_of_one_key_are_merged();
    variables_take_defaults_and_lists();
    a_failed_field_is_null_up_to_where_null_may_stand();
    what_the_schema_does_not_have_is_refused();
    variables_are_checked_before_anything_runs();
    nonsense_is_a_syntax_error_with_its_place();
    what_has_no_end_is_refused();
    return DONE();
}
