#include "graphql_ast.h"

#include <string.h>

static struct gql_input *inputs(struct gql_lexer *x, char close)
{
    struct gql_input *first = NULL, **end = &first;
    while (!x->error && !gql_is(x, close)) {
        struct gql_input *i = arena_alloc(x->arena, sizeof *i);
        i->name = gql_name(x);
        gql_expect(x, ':');
        i->type = gql_parse_type(x);
        if (gql_accept(x, '='))
            i->otherwise = gql_parse_value(x);
        *end = i;
        end = &i->next;
    }
    gql_expect(x, close);
    return first;
}

static struct gql_field_def *fields(struct gql_lexer *x)
{
    struct gql_field_def *first = NULL, **end = &first;
    while (!x->error && !gql_is(x, '}')) {
        struct gql_field_def *f = arena_alloc(x->arena, sizeof *f);
        f->name = gql_name(x);
        if (gql_accept(x, '('))
            f->args = inputs(x, ')');
        gql_expect(x, ':');
        f->type = gql_parse_type(x);
        *end = f;
        end = &f->next;
    }
    gql_expect(x, '}');
    return first;
}

static struct gql_field_def *words(struct gql_lexer *x)
{
    struct gql_field_def *first = NULL, **end = &first;
    while (!x->error && !gql_is(x, '}')) {
        struct gql_field_def *f = arena_alloc(x->arena, sizeof *f);
        f->name = gql_name(x);
        *end = f;
        end = &f->next;
    }
    gql_expect(x, '}');
    return first;
}

static struct gql_def *definition(struct gql_lexer *x)
{
    struct gql_def *d = arena_alloc(x->arena, sizeof *d);
    const char *kind = gql_name(x);
    d->name = gql_name(x);
    if (strcmp(kind, "scalar") == 0) {
        d->kind = GQL_D_SCALAR;
        return d;
    }
    gql_expect(x, '{');
    if (strcmp(kind, "input") == 0) {
        d->kind = GQL_D_INPUT;
        d->inputs = inputs(x, '}');
    } else if (strcmp(kind, "enum") == 0) {
        d->kind = GQL_D_ENUM;
        d->fields = words(x);
    } else {
        d->kind = GQL_D_TYPE;
        d->fields = fields(x);
    }
    return d;
}

struct gql_schema *gql_schema_parse(struct arena *a, const char *const *text)
{
    struct gql_schema *s = arena_alloc(a, sizeof *s);
    struct gql_def **end = &s->defs;
    for (; *text; text++) {
        struct gql_lexer x;
        gql_lexer_init(&x, a, *text);
        while (x.token != GQL_END && !x.error) {
            *end = definition(&x);
            end = &(*end)->next;
        }
        if (x.error)
            return NULL;
    }
    return s;
}

const struct gql_def *gql_def(struct arena *a, const struct gql_schema *s, const char *name)
{
    for (const struct gql_def *d = s->defs; d; d = d->next) {
        if (strcmp(d->name, name) == 0)
            return d;
    }
    struct gql_def *scalar = arena_alloc(a, sizeof *scalar);
    scalar->kind = GQL_D_SCALAR;
    scalar->name = name;
    return scalar;
}

const struct gql_field_def *gql_def_field(const struct gql_def *d, const char *name)
{
    for (const struct gql_field_def *f = d->fields; f; f = f->next) {
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

const struct gql_input *gql_input(const struct gql_input *list, const char *name)
{
    for (; list; list = list->next) {
        if (strcmp(list->name, name) == 0)
            return list;
    }
    return NULL;
}
