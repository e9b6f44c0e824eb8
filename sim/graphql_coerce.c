#include "graphql_ast.h"

#include "base/json.h"

#include <string.h>

/* --- Literals into JSON ----------------------------------------------------------------------- */

static json_t *list_json(const struct gql_value *v, json_t *variables)
{
    json_t *list = json_array();
    for (const struct gql_value *item = v->items; item; item = item->next) {
        json_t *value = gql_value_json(item, variables);
        json_array_append_new(list, value ? value : json_null());
    }
    return list;
}

static json_t *object_json(const struct gql_value *v, json_t *variables)
{
    json_t *object = json_object();
    for (const struct gql_value *item = v->items; item; item = item->next) {
        json_t *value = gql_value_json(item, variables);
        if (value)
            json_object_set_new(object, item->name, value);
    }
    return object;
}

json_t *gql_value_json(const struct gql_value *v, json_t *variables)
{
    json_t *number;
    switch (v->kind) {
    case GQL_V_VARIABLE:
        return json_incref(json_object_get(variables, v->text));
    case GQL_V_INT:
    case GQL_V_FLOAT:
        number = json_loads(v->text, JSON_DECODE_ANY, NULL);
        return number ? number : json_null();
    case GQL_V_STRING:
    case GQL_V_ENUM:
        return json_string(v->text);
    case GQL_V_BOOLEAN:
        return json_boolean(strcmp(v->text, "true") == 0);
    case GQL_V_NULL:
        return json_null();
    case GQL_V_LIST:
        return list_json(v, variables);
    case GQL_V_OBJECT:
        return object_json(v, variables);
    }
    return json_null();
}

/* --- JSON into types -------------------------------------------------------------------------- */

static const char *cannot(struct gql_request *q, const char *type, const char *what, json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *why = arena_printf(q->arena, "%s cannot represent %s: %.100s", type, what, text);
    free(text);
    return why;
}

static bool is_int32(json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) <= INT32_MAX &&
           json_integer_value(value) >= INT32_MIN;
}

static bool is_id(json_t *value)
{
    return json_is_string(value) || json_is_integer(value);
}

static bool is_string(json_t *value)
{
    return json_is_string(value);
}

static bool is_boolean(json_t *value)
{
    return json_is_boolean(value);
}

static bool is_number(json_t *value)
{
    return json_is_number(value);
}

/* Scalars that are none of these hold any JSON. */
static json_t *coerce_scalar(struct gql_request *q, const char *name, json_t *value,
                             const char **ret_why)
{
    static const struct {
        const char *name;
        bool (*fits)(json_t *value);
        const char *otherwise;
    } strict[] = {
        {"String", is_string, "a non string value"},
        {"Boolean", is_boolean, "a non boolean value"},
        {"Int", is_int32, "non-integer value"},
        {"Float", is_number, "non numeric value"},
        {"ID", is_id, "value"},
    };
    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++) {
        if (strcmp(strict[i].name, name) == 0 && !strict[i].fits(value)) {
            *ret_why = cannot(q, name, strict[i].otherwise, value);
            return NULL;
        }
    }
    if (strcmp(name, "ID") == 0 && json_is_integer(value))
        return json_string(arena_printf(q->arena, "%lld", (long long)json_integer_value(value)));
    return json_incref(value);
}

static json_t *coerce_enum(struct gql_request *q, const struct gql_def *def, json_t *value,
                           const char **ret_why)
{
    const char *word = json_string_value(value);
    if (word && gql_def_field(def, word))
        return json_incref(value);
    *ret_why = word ? arena_printf(q->arena, "Value \"%.60s\" does not exist in \"%s\" enum.", word,
                                   def->name)
                    : cannot(q, "Enum", "non-string value", value);
    return NULL;
}

/* One field of an input object; false when it does not fit. */
static bool coerce_member(struct gql_request *q, const struct gql_input *field, json_t *given,
                          json_t *into, const char **ret_why)
{
    json_t *value = json_object_get(given, field->name), *fit;
    if (!value && field->otherwise) {
        json_object_set_new(into, field->name, gql_value_json(field->otherwise, NULL));
        return true;
    }
    if (!value && !field->type->required)
        return true;
    if (!value) {
        *ret_why = arena_printf(q->arena, "Field \"%s\" of required type \"%s\" was not provided.",
                                field->name, gql_type_text(q->arena, field->type));
        return false;
    }
    fit = gql_coerce(q, field->type, value, ret_why);
    if (fit)
        json_object_set_new(into, field->name, fit);
    return fit != NULL;
}

static json_t *coerce_input(struct gql_request *q, const struct gql_def *def, json_t *value,
                            const char **ret_why)
{
    json_t *into, *member;
    const char *name;
    if (!json_is_object(value)) {
        *ret_why = arena_printf(q->arena, "Expected type \"%s\" to be an object.", def->name);
        return NULL;
    }
    json_object_foreach(value, name, member)
    {
        if (!gql_input(def->inputs, name)) {
            *ret_why = arena_printf(q->arena, "Field \"%.60s\" is not defined by type \"%s\".",
                                    name, def->name);
            return NULL;
        }
    }
    into = json_object();
    for (const struct gql_input *field = def->inputs; field; field = field->next) {
        if (!coerce_member(q, field, value, into, ret_why)) {
            json_decref(into);
            return NULL;
        }
    }
    return into;
}

/* A single value is a list of one. */
static json_t *coerce_list(struct gql_request *q, const struct gql_type *type, json_t *value,
                           const char **ret_why)
{
    json_t *list = json_array(), *item;
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        item = json_is_array(value) ? json_array_get(value, i) : value;
        item = gql_coerce(q, type->of, item, ret_why);
        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

json_t *gql_coerce(struct gql_request *q, const struct gql_type *type, json_t *value,
                   const char **ret_why)
{
    if (!value || json_is_null(value)) {
        if (!type->required)
            return json_null();
        *ret_why = arena_printf(q->arena, "Expected non-nullable type \"%s\" not to be null.",
                                gql_type_text(q->arena, type));
        return NULL;
    }
    if (type->of)
        return coerce_list(q, type, value, ret_why);
    const struct gql_def *def = gql_def(q->arena, q->schema, type->name);
    if (def->kind == GQL_D_INPUT)
        return coerce_input(q, def, value, ret_why);
    if (def->kind == GQL_D_ENUM)
        return coerce_enum(q, def, value, ret_why);
    return coerce_scalar(q, def->name, value, ret_why);
}

/* --- Variables and arguments ------------------------------------------------------------------ */

static void coerce_variable(struct gql_request *q, const struct gql_variable *v, json_t *given)
{
    json_t *value = json_object_get(given, v->name), *fit;
    const char *why = "", *type = gql_type_text(q->arena, v->type);
    if (!value && v->otherwise) {
        json_object_set_new(q->variables, v->name, gql_value_json(v->otherwise, NULL));
    } else if (!value && v->type->required) {
        gql_error(q, "BAD_USER_INPUT", v->line, v->column,
                  "Variable \"$%s\" of required type \"%s\" was not provided.", v->name, type);
    } else if (value) {
        fit = gql_coerce(q, v->type, value, &why);
        if (fit)
            json_object_set_new(q->variables, v->name, fit);
        else
            gql_error(q, "BAD_USER_INPUT", v->line, v->column,
                      "Variable \"$%s\" got an invalid value; %s", v->name, why);
    }
}

void gql_coerce_variables(struct gql_request *q, json_t *given)
{
    for (const struct gql_variable *v = q->operation->variables; v; v = v->next)
        coerce_variable(q, v, given);
}

static const struct gql_value *argument(const struct gql_selection *field, const char *name)
{
    for (const struct gql_value *v = field->args; v; v = v->next) {
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

static bool coerce_arg(struct gql_request *q, const struct gql_input *wanted,
                       const struct gql_selection *field, json_t *into)
{
    const struct gql_value *given = argument(field, wanted->name);
    json_t *value = given ? gql_value_json(given, q->variables) : NULL;
    const char *why = "";
    if (!value && wanted->otherwise)
        value = gql_value_json(wanted->otherwise, NULL);
    if (!value && !wanted->type->required)
        return true;
    json_t *fit = gql_coerce(q, wanted->type, value, &why);
    json_decref(value);
    if (fit)
        json_object_set_new(into, wanted->name, fit);
    else
        gql_error(q, "BAD_USER_INPUT", field->line, field->column,
                  "Argument \"%s\" has an invalid value; %s", wanted->name, why);
    return fit != NULL;
}

json_t *gql_coerce_args(struct gql_request *q, const struct gql_input *wanted,
                        const struct gql_selection *field)
{
    json_t *args = json_object();
    for (; wanted; wanted = wanted->next) {
        if (!coerce_arg(q, wanted, field, args)) {
            json_decref(args);
            return NULL;
        }
    }
    return args;
}
