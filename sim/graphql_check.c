#include "graphql_ast.h"

#include "base/json.h"

#include <string.h>

/* The rules of the specification that catch what clients get wrong, with the messages of
 * graphql-js. */

enum { SELECTIONS_MAX = 5000 }; /* fragments could multiply without end */

static const char code[] = "GRAPHQL_VALIDATION_FAILED";

struct checker {
    struct gql_request *q;
    json_t *used;     /* variables that were used */
    unsigned visited; /* selections */
};

static void check_selections(struct checker *c, const struct gql_def *type,
                             const struct gql_selection *s, unsigned depth);

static const struct gql_def *named_def(struct gql_request *q, const struct gql_type *t)
{
    while (t->of)
        t = t->of;
    return gql_def(q->arena, q->schema, t->name);
}

/* --- Values ----------------------------------------------------------------------------------- */

/* True when a variable of type `is` may stand where `wanted` is expected. */
static bool type_fits(const struct gql_type *is, const struct gql_type *wanted, bool has_default)
{
    if (wanted->required && !is->required && !has_default)
        return false;
    if ((is->of != NULL) != (wanted->of != NULL))
        return false;
    if (is->of)
        return type_fits(is->of, wanted->of, false);
    return strcmp(is->name, wanted->name) == 0;
}

static void check_variable_use(struct checker *c, const struct gql_input *wanted,
                               const struct gql_type *type, const struct gql_value *v)
{
    struct gql_request *q = c->q;
    const struct gql_variable *declared = q->operation->variables;
    while (declared && strcmp(declared->name, v->text) != 0)
        declared = declared->next;
    if (!declared) {
        gql_error(q, code, v->line, v->column, "Variable \"$%s\" is not defined.", v->text);
        return;
    }
    json_object_set_new(c->used, v->text, json_true());
    if (!type_fits(declared->type, type, declared->otherwise || (wanted && wanted->otherwise)))
        gql_error(q, code, v->line, v->column,
                  "Variable \"$%s\" of type \"%s\" used in position expecting type \"%s\".",
                  v->text, gql_type_text(q->arena, declared->type), gql_type_text(q->arena, type));
}

static void check_value(struct checker *c, const struct gql_input *wanted,
                        const struct gql_type *type, const struct gql_value *v);

static const struct gql_value *value_named(const struct gql_value *list, const char *name)
{
    while (list && strcmp(list->name, name) != 0)
        list = list->next;
    return list;
}

static void check_object(struct checker *c, const struct gql_def *def, const struct gql_value *v)
{
    for (const struct gql_value *item = v->items; item; item = item->next) {
        const struct gql_input *field = gql_input(def->inputs, item->name);
        if (field)
            check_value(c, field, field->type, item);
        else
            gql_error(c->q, code, item->line, item->column,
                      "Field \"%s\" is not defined by type \"%s\".", item->name, def->name);
    }
    for (const struct gql_input *field = def->inputs; field; field = field->next) {
        if (field->type->required && !field->otherwise && !value_named(v->items, field->name))
            gql_error(c->q, code, v->line, v->column,
                      "Field \"%s.%s\" of required type \"%s\" was not provided.", def->name,
                      field->name, gql_type_text(c->q->arena, field->type));
    }
}

/* In a scalar that may hold anything only the variables count. */
static void check_any(struct checker *c, const struct gql_type *type, const struct gql_value *v)
{
    const struct gql_variable *declared = c->q->operation->variables;
    if (v->kind != GQL_V_VARIABLE) {
        for (const struct gql_value *item = v->items; item; item = item->next)
            check_any(c, type, item);
        return;
    }
    while (declared && strcmp(declared->name, v->text) != 0)
        declared = declared->next;
    if (declared)
        json_object_set_new(c->used, v->text, json_true());
    else
        gql_error(c->q, code, v->line, v->column, "Variable \"$%s\" is not defined.", v->text);
}

/* A literal where a scalar or an enum is wanted. */
static void check_leaf(struct checker *c, const struct gql_def *def, const struct gql_type *type,
                       const struct gql_value *v)
{
    static const char *const strict[] = {"String", "Int", "Float", "Boolean", "ID", NULL};
    struct gql_request *q = c->q;
    bool is_enum = def->kind == GQL_D_ENUM, is_strict = is_enum;
    const char *why = "";
    for (const char *const *name = strict; *name; name++)
        is_strict |= strcmp(*name, def->name) == 0;
    if (!is_strict) {
        check_any(c, type, v);
        return;
    }
    json_t *value = gql_value_json(v, NULL);
    json_t *fit = gql_coerce(q, type, value, &why);
    if (!fit)
        gql_error(q, code, v->line, v->column, "%s", why);
    else if (is_enum && v->kind == GQL_V_STRING)
        gql_error(q, code, v->line, v->column,
                  "Enum \"%s\" cannot represent non-enum value: \"%s\".", def->name, v->text);
    else if (!is_enum && v->kind == GQL_V_ENUM)
        gql_error(q, code, v->line, v->column, "%s cannot represent a non %s value: %s", def->name,
                  def->name, v->text);
    json_decref(fit);
    json_decref(value);
}

static void check_value(struct checker *c, const struct gql_input *wanted,
                        const struct gql_type *type, const struct gql_value *v)
{
    const struct gql_def *def = named_def(c->q, type);
    if (v->kind == GQL_V_VARIABLE) {
        check_variable_use(c, wanted, type, v);
    } else if (v->kind == GQL_V_NULL) {
        if (type->required)
            gql_error(c->q, code, v->line, v->column, "Expected value of type \"%s\", found null.",
                      gql_type_text(c->q->arena, type));
    } else if (type->of && v->kind == GQL_V_LIST) {
        for (const struct gql_value *item = v->items; item; item = item->next)
            check_value(c, NULL, type->of, item);
    } else if (type->of) {
        check_value(c, NULL, type->of, v);
    } else if (def->kind == GQL_D_INPUT && v->kind == GQL_V_OBJECT) {
        check_object(c, def, v);
    } else if (def->kind == GQL_D_INPUT) {
        gql_error(c->q, code, v->line, v->column, "Expected value of type \"%s\".", def->name);
    } else {
        check_leaf(c, def, type, v);
    }
}

/* --- Selections ------------------------------------------------------------------------------- */

static void check_args(struct checker *c, const char *where, const struct gql_input *wanted,
                       const struct gql_selection *s)
{
    struct gql_request *q = c->q;
    for (const struct gql_value *v = s->args; v; v = v->next) {
        const struct gql_input *arg = gql_input(wanted, v->name);
        if (arg)
            check_value(c, arg, arg->type, v);
        else
            gql_error(q, code, v->line, v->column, "Unknown argument \"%s\" on field \"%s\".",
                      v->name, where);
    }
    for (; wanted; wanted = wanted->next) {
        if (wanted->type->required && !wanted->otherwise && !value_named(s->args, wanted->name))
            gql_error(q, code, s->line, s->column,
                      "Field \"%s\" argument \"%s\" of type \"%s\" is required, but it was not "
                      "provided.",
                      s->name, wanted->name, gql_type_text(q->arena, wanted->type));
    }
}

static void check_directives(struct checker *c, const struct gql_selection *s)
{
    static const struct gql_type boolean = {.name = "Boolean", .required = true};
    for (const struct gql_directive *d = s->directives; d; d = d->next) {
        const struct gql_value *condition = value_named(d->args, "if");
        if (strcmp(d->name, "include") != 0 && strcmp(d->name, "skip") != 0)
            gql_error(c->q, code, s->line, s->column, "Unknown directive \"@%s\".", d->name);
        else if (!condition)
            gql_error(c->q, code, s->line, s->column,
                      "Directive \"@%s\" argument \"if\" of type \"Boolean!\" is required, but it "
                      "was not provided.",
                      d->name);
        else
            check_value(c, NULL, &boolean, condition);
    }
}

static void check_field(struct checker *c, const struct gql_def *type,
                        const struct gql_selection *s, unsigned depth)
{
    struct gql_request *q = c->q;
    const struct gql_field_def *field = gql_def_field(type, s->name);
    if (strcmp(s->name, "__typename") == 0)
        return;
    if (!field) {
        gql_error(q, code, s->line, s->column, "Cannot query field \"%s\" on type \"%s\".", s->name,
                  type->name);
        return;
    }
    check_args(c, arena_printf(q->arena, "%s.%s", type->name, s->name), field->args, s);
    const struct gql_def *of = named_def(q, field->type);
    const char *text = gql_type_text(q->arena, field->type);
    if (of->kind == GQL_D_TYPE && !s->selections)
        gql_error(q, code, s->line, s->column,
                  "Field \"%s\" of type \"%s\" must have a selection of subfields. Did you mean "
                  "\"%s { ... }\"?",
                  s->name, text, s->name);
    else if (of->kind != GQL_D_TYPE && s->selections)
        gql_error(q, code, s->line, s->column,
                  "Field \"%s\" must not have a selection since type \"%s\" has no subfields.",
                  s->name, text);
    else
        check_selections(c, of, s->selections, depth + 1);
}

static void check_fragment(struct checker *c, const struct gql_def *type,
                           const struct gql_selection *s, unsigned depth)
{
    struct gql_request *q = c->q;
    const struct gql_operation *fragment =
        s->kind == GQL_FRAGMENT ? gql_fragment(q->document, s->name) : NULL;
    const char *on = fragment ? fragment->on : s->kind == GQL_INLINE ? s->name : NULL;
    if (s->kind == GQL_FRAGMENT && !fragment)
        gql_error(q, code, s->line, s->column, "Unknown fragment \"%s\".", s->name);
    else if (on && strcmp(on, type->name) != 0)
        gql_error(q, code, s->line, s->column,
                  "Fragment cannot be spread here as objects of type \"%s\" can never be of type "
                  "\"%s\".",
                  type->name, on);
    else
        check_selections(c, type, fragment ? fragment->selections : s->selections, depth + 1);
}

static void check_selections(struct checker *c, const struct gql_def *type,
                             const struct gql_selection *s, unsigned depth)
{
    if (depth > GQL_DEPTH_MAX && s) {
        gql_error(c->q, code, s->line, s->column, "The selection is nested without end.");
        c->visited = SELECTIONS_MAX;
    }
    for (; s && c->visited < SELECTIONS_MAX; s = s->next) {
        if (++c->visited == SELECTIONS_MAX)
            gql_error(c->q, code, s->line, s->column, "The query selects too much.");
        check_directives(c, s);
        if (s->kind == GQL_FIELD)
            check_field(c, type, s, depth);
        else
            check_fragment(c, type, s, depth);
    }
}

const char *gql_root_type(const struct gql_request *q)
{
    return strcmp(q->operation->kind, "mutation") == 0 ? q->server->mutation_type
                                                       : q->server->query_type;
}

void gql_check(struct gql_request *q)
{
    struct checker c = {.q = q, .used = json_object()};
    check_selections(&c, gql_def(q->arena, q->schema, gql_root_type(q)), q->operation->selections,
                     0);
    for (const struct gql_variable *v = q->operation->variables; v; v = v->next) {
        const char *name = q->operation->name;
        if (!json_object_get(c.used, v->name) && json_array_size(q->errors) == 0)
            gql_error(q, code, v->line, v->column, "Variable \"$%s\" is never used%s%s%s.", v->name,
                      name ? " in operation \"" : "", name ? name : "", name ? "\"" : "");
    }
    json_decref(c.used);
}
