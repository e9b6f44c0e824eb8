#include "graphql_ast.h"

#include "base/json.h"

#include <string.h>

/* A field of the answer: its first selection, and the selection sets of all that share its key. */
struct set {
    struct set *next;
    const struct gql_selection *selections;
};

struct slot {
    struct slot *next;
    const struct gql_selection *field;
    struct set *sets;
};

static json_t *run_sets(struct gql_request *q, const struct gql_def *type, json_t *parent,
                        const struct set *sets);

/* --- Which fields ----------------------------------------------------------------------------- */

static bool wanted(struct gql_request *q, const struct gql_selection *s)
{
    for (const struct gql_directive *d = s->directives; d; d = d->next) {
        json_t *condition = d->args ? gql_value_json(d->args, q->variables) : NULL;
        bool yes = json_is_true(condition);
        json_decref(condition);
        if (yes == (strcmp(d->name, "skip") == 0))
            return false;
    }
    return true;
}

static void slot_add(struct arena *a, struct slot **slots, const struct gql_selection *field)
{
    while (*slots && strcmp((*slots)->field->alias, field->alias) != 0)
        slots = &(*slots)->next;
    if (!*slots) {
        *slots = arena_alloc(a, sizeof **slots);
        (*slots)->field = field;
    }
    struct set **sets = &(*slots)->sets;
    while (*sets)
        sets = &(*sets)->next;
    *sets = arena_alloc(a, sizeof **sets);
    (*sets)->selections = field->selections;
}

/* Fragments were checked to be of this very type. */
static void collect(struct gql_request *q, const struct gql_selection *s, struct slot **slots)
{
    for (; s; s = s->next) {
        if (!wanted(q, s))
            continue;
        if (s->kind == GQL_FIELD)
            slot_add(q->arena, slots, s);
        else if (s->kind == GQL_INLINE)
            collect(q, s->selections, slots);
        else
            collect(q, gql_fragment(q->document, s->name)->selections, slots);
    }
}

/* --- Their values ----------------------------------------------------------------------------- */

static json_t *complete(struct gql_request *q, const struct gql_type *type, json_t *value,
                        const struct slot *slot);

/* NULL when an item may not be what it is. */
static json_t *complete_list(struct gql_request *q, const struct gql_type *type, json_t *value,
                             const struct slot *slot)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = complete(q, type->of, json_incref(json_array_get(value, i)), slot);
        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *complete_named(struct gql_request *q, const struct gql_type *type, json_t *value,
                              const struct slot *slot)
{
    const struct gql_def *def = gql_def(q->arena, q->schema, type->name);
    return def->kind == GQL_D_TYPE ? run_sets(q, def, value, slot->sets) : json_incref(value);
}

/* What the answer holds for a resolved value (stolen). NULL: nothing may stand here, so what is
 * around it becomes null; the error was added where it arose. */
static json_t *complete(struct gql_request *q, const struct gql_type *type, json_t *value,
                        const struct slot *slot)
{
    const struct gql_selection *field = slot->field;
    json_t *made = NULL;
    if (json_is_null(value) && type->required)
        gql_error(q, "INTERNAL_SERVER_ERROR", field->line, field->column,
                  "Cannot return null for non-nullable field %s.", field->name);
    else if (value && !json_is_null(value))
        made =
            type->of ? complete_list(q, type, value, slot) : complete_named(q, type, value, slot);
    json_decref(value);
    return made || type->required ? made : json_null();
}

static json_t *resolve(struct gql_request *q, const struct gql_def *type, json_t *parent,
                       const struct gql_field_def *def, const struct gql_selection *field)
{
    const struct graphql_resolver *row = q->server->resolvers;
    while (row->fn && (strcmp(row->type, type->name) != 0 || strcmp(row->name, field->name) != 0))
        row++;
    if (!row->fn) {
        json_t *member = json_object_get(parent, field->name);
        return member ? json_incref(member) : json_null();
    }
    struct graphql_field f = {.context = q->context,
                              .type = type->name,
                              .name = field->name,
                              .parent = parent,
                              .arena = q->arena};
    f.args = gql_coerce_args(q, def->args, field);
    if (!f.args)
        return NULL;
    json_t *value = row->fn(&f);
    json_decref(f.args);
    if (!value)
        gql_error(q, f.code ? f.code : "INTERNAL_SERVER_ERROR", field->line, field->column, "%s",
                  f.error ? f.error : "Internal error");
    /* cppcheck-suppress returnDanglingLifetime -- a resolver gives a new reference, not the field's
     */
    return value;
}

/* An object of the answer. */
static json_t *run_sets(struct gql_request *q, const struct gql_def *type, json_t *parent,
                        const struct set *sets)
{
    struct slot *slots = NULL;
    json_t *object = json_object();
    for (; sets; sets = sets->next)
        collect(q, sets->selections, &slots);
    for (const struct slot *slot = slots; slot; slot = slot->next) {
        const struct gql_selection *field = slot->field;
        json_t *value;
        if (strcmp(field->name, "__typename") == 0) {
            value = json_string(type->name);
        } else {
            const struct gql_field_def *def = gql_def_field(type, field->name);
            value = complete(q, def->type, resolve(q, type, parent, def, field), slot);
        }
        if (!value) {
            json_decref(object);
            return NULL;
        }
        json_object_set_new(object, field->alias, value);
    }
    return object;
}

json_t *gql_run(struct gql_request *q)
{
    const struct set root = {.selections = q->operation->selections};
    json_t *nothing = json_object();
    json_t *data = run_sets(q, gql_def(q->arena, q->schema, gql_root_type(q)), nothing, &root);
    json_decref(nothing);
    return data ? data : json_null();
}
