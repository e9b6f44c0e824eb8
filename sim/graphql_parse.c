#include "graphql_ast.h"

#include <string.h>

static struct gql_selection *selection_set(struct gql_lexer *x);

/* --- Values and types ------------------------------------------------------------------------- */

/* `name: value` up to the closing character, which is taken too. */
static struct gql_value *named_values(struct gql_lexer *x, char close)
{
    struct gql_value *first = NULL, **end = &first;
    while (!x->error && !gql_is(x, close)) {
        const char *name = gql_name(x);
        gql_expect(x, ':');
        struct gql_value *v = gql_parse_value(x);
        if (!v)
            break;
        v->name = name;
        *end = v;
        end = &v->next;
    }
    gql_expect(x, close);
    return first;
}

static void list_value(struct gql_lexer *x, struct gql_value *v)
{
    struct gql_value **end = &v->items;
    v->kind = GQL_V_LIST;
    while (!x->error && !gql_is(x, ']')) {
        *end = gql_parse_value(x);
        if (!*end)
            break;
        end = &(*end)->next;
    }
    gql_expect(x, ']');
}

static void plain_value(struct gql_lexer *x, struct gql_value *v)
{
    v->text = x->text;
    if (x->token == GQL_INT)
        v->kind = GQL_V_INT;
    else if (x->token == GQL_FLOAT)
        v->kind = GQL_V_FLOAT;
    else if (x->token == GQL_STRING)
        v->kind = GQL_V_STRING;
    else if (x->token != GQL_NAME)
        gql_unexpected(x);
    else if (gql_is_word(x, "true") || gql_is_word(x, "false"))
        v->kind = GQL_V_BOOLEAN;
    else
        v->kind = gql_is_word(x, "null") ? GQL_V_NULL : GQL_V_ENUM;
    gql_next(x);
}

struct gql_value *gql_parse_value(struct gql_lexer *x)
{
    struct gql_value *v = arena_alloc(x->arena, sizeof *v);
    if (!gql_enter(x))
        return NULL;
    v->line = x->token_line;
    v->column = x->token_column;
    v->text = "";
    if (gql_accept(x, '$')) {
        v->kind = GQL_V_VARIABLE;
        v->text = gql_name(x);
    } else if (gql_accept(x, '[')) {
        list_value(x, v);
    } else if (gql_accept(x, '{')) {
        v->kind = GQL_V_OBJECT;
        v->items = named_values(x, '}');
    } else {
        plain_value(x, v);
    }
    gql_leave(x);
    return v;
}

struct gql_type *gql_parse_type(struct gql_lexer *x)
{
    struct gql_type *t = arena_alloc(x->arena, sizeof *t);
    if (!gql_enter(x))
        return t;
    if (gql_accept(x, '[')) {
        t->of = gql_parse_type(x);
        gql_expect(x, ']');
    } else {
        t->name = gql_name(x);
    }
    t->required = gql_accept(x, '!');
    gql_leave(x);
    return t;
}

const char *gql_type_text(struct arena *a, const struct gql_type *t)
{
    const char *end = t->required ? "!" : "";
    if (t->of)
        return arena_printf(a, "[%s]%s", gql_type_text(a, t->of), end);
    return arena_printf(a, "%s%s", t->name, end);
}

/* --- Selections ------------------------------------------------------------------------------- */

static struct gql_directive *directives(struct gql_lexer *x)
{
    struct gql_directive *first = NULL, **end = &first;
    while (gql_accept(x, '@')) {
        struct gql_directive *d = arena_alloc(x->arena, sizeof *d);
        d->name = gql_name(x);
        if (gql_accept(x, '('))
            d->args = named_values(x, ')');
        *end = d;
        end = &d->next;
    }
    return first;
}

static void field(struct gql_lexer *x, struct gql_selection *s)
{
    s->kind = GQL_FIELD;
    s->name = s->alias = gql_name(x);
    if (gql_accept(x, ':'))
        s->name = gql_name(x);
    if (gql_accept(x, '('))
        s->args = named_values(x, ')');
}

/* Behind "...": the name of a fragment, or one that stands here. */
static void fragment_use(struct gql_lexer *x, struct gql_selection *s)
{
    s->kind = GQL_INLINE;
    if (gql_is_word(x, "on")) {
        gql_next(x);
        s->name = gql_name(x);
    } else if (x->token == GQL_NAME) {
        s->kind = GQL_FRAGMENT;
        s->name = gql_name(x);
    }
}

static struct gql_selection *selection(struct gql_lexer *x)
{
    struct gql_selection *s = arena_alloc(x->arena, sizeof *s);
    s->line = x->token_line;
    s->column = x->token_column;
    if (x->token == GQL_SPREAD) {
        gql_next(x);
        fragment_use(x, s);
    } else {
        field(x, s);
    }
    s->directives = directives(x);
    if (s->kind == GQL_INLINE || (s->kind == GQL_FIELD && gql_is(x, '{')))
        s->selections = selection_set(x);
    return s;
}

static struct gql_selection *selection_set(struct gql_lexer *x)
{
    struct gql_selection *first = NULL, **end = &first;
    gql_expect(x, '{');
    if (!gql_enter(x))
        return NULL;
    do {
        *end = selection(x);
        end = &(*end)->next;
    } while (!x->error && !gql_is(x, '}'));
    gql_leave(x);
    gql_expect(x, '}');
    return first;
}

/* --- Definitions ------------------------------------------------------------------------------ */

static struct gql_variable *variables(struct gql_lexer *x)
{
    struct gql_variable *first = NULL, **end = &first;
    while (!x->error && !gql_is(x, ')')) {
        struct gql_variable *v = arena_alloc(x->arena, sizeof *v);
        v->line = x->token_line;
        v->column = x->token_column;
        gql_expect(x, '$');
        v->name = gql_name(x);
        gql_expect(x, ':');
        v->type = gql_parse_type(x);
        if (gql_accept(x, '='))
            v->otherwise = gql_parse_value(x);
        (void)directives(x);
        *end = v;
        end = &v->next;
    }
    gql_expect(x, ')');
    return first;
}

static struct gql_operation *operation(struct gql_lexer *x)
{
    struct gql_operation *o = arena_alloc(x->arena, sizeof *o);
    o->line = x->token_line;
    o->column = x->token_column;
    o->kind = "query";
    if (x->token == GQL_NAME) {
        o->kind = gql_name(x);
        if (x->token == GQL_NAME)
            o->name = gql_name(x);
        if (gql_accept(x, '('))
            o->variables = variables(x);
        (void)directives(x);
    }
    o->selections = selection_set(x);
    return o;
}

static struct gql_operation *fragment(struct gql_lexer *x)
{
    struct gql_operation *f = arena_alloc(x->arena, sizeof *f);
    f->line = x->token_line;
    f->column = x->token_column;
    gql_next(x);
    f->kind = "fragment";
    f->name = gql_name(x);
    if (!gql_is_word(x, "on"))
        gql_unexpected(x);
    gql_next(x);
    f->on = gql_name(x);
    (void)directives(x);
    f->selections = selection_set(x);
    return f;
}

struct gql_document *gql_parse(struct gql_lexer *x)
{
    struct gql_document *d = arena_alloc(x->arena, sizeof *d);
    struct gql_operation **operations = &d->operations, **fragments = &d->fragments;
    do {
        if (gql_is_word(x, "fragment")) {
            *fragments = fragment(x);
            fragments = &(*fragments)->next;
        } else if (gql_is(x, '{') || gql_is_word(x, "query") || gql_is_word(x, "mutation")) {
            *operations = operation(x);
            operations = &(*operations)->next;
        } else {
            gql_unexpected(x);
        }
    } while (!x->error && x->token != GQL_END);
    return x->error ? NULL : d;
}

const struct gql_operation *gql_fragment(const struct gql_document *d, const char *name)
{
    for (const struct gql_operation *f = d->fragments; f; f = f->next) {
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}
