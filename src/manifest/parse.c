#include "manifest/parse.h"

#include "base/mem.h"
#include "base/text.h"
#include "manifest/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Walks the tree beside the table: every value is read by its row, every struct gets its defaults.
 */

static void read_scope(struct reading *r, enum scope_id in, const struct yaml_node *node,
                       void *base);

/* --- The dotted path ----------------------------------------------------------------------------
 */

static size_t path_push(struct reading *r, const char *name)
{
    size_t len = strlen(r->path);
    snprintf(r->path + len, sizeof r->path - len, "%s%.100s", len ? "." : "", name);
    return len;
}

static void path_pop(struct reading *r, size_t len)
{
    r->path[len] = '\0';
}

/* --- Shape of a value ---------------------------------------------------------------------------
 */

static bool expect(struct reading *r, const struct yaml_node *node, enum yaml_kind kind,
                   const char *wanted)
{
    static const char *const words[] = {"a single value", "a list", "a group of keys"};
    if (node->kind == kind && !node->null)
        return true;
    if (node->null)
        problem_add(r->problems, node->place, r->path, "has no value; give %s or remove the key",
                    wanted);
    else
        problem_add(r->problems, node->place, r->path, "is %s; give %s", words[node->kind], wanted);
    return false;
}

static void *member(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static const char *element(struct reading *r, const struct key *row, const struct yaml_node *node)
{
    struct err why = ERR_INIT;
    if (!expect(r, node, YAML_SCALAR, "a single value"))
        return "";
    if (value_check_string(row, node->text, &why)) {
        problem_add(r->problems, node->place, r->path, "%s", why.text);
        return "";
    }
    return arena_strdup(&r->m->arena, node->text);
}

struct listed {
    const char *text;
    struct place place;
};

static int by_text(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    if (order)
        return order;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    return x->place.column < y->place.column ? -1 : x->place.column > y->place.column;
}

static void refuse_twice(struct reading *r, const char *const *strings, size_t n)
{
    struct listed *sorted = mem_array(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] =
            (struct listed){strings[i], places_get(&r->places, &strings[i], (struct place){0})};
    qsort(sorted, n, sizeof *sorted, by_text);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (strcmp(sorted[i].text, sorted[first].text) != 0)
            first = i;
        else if (*sorted[i].text) /* "" was refused for its own reason */
            problem_add(r->problems, sorted[i].place, r->path,
                        "\"%.80s\" stands twice; the first is at %d:%d", sorted[i].text,
                        sorted[first].place.line, sorted[first].place.column);
    }
    free(sorted);
}

static void read_strings(struct reading *r, const struct key *row, const struct yaml_node *node,
                         void *base)
{
    struct yaml_item alone = {.key = "", .value = node};
    const struct yaml_item *items = node->items;
    size_t n = node->n;
    if (node->kind == YAML_SCALAR && !node->null) { /* one string alone is a list of one */
        items = &alone;
        n = 1;
    } else if (!expect(r, node, YAML_LIST, "a list")) {
        return;
    }
    if ((int64_t)n > row->max) {
        problem_add(r->problems, node->place, r->path, "has %zu elements; at most %d are read", n,
                    (int)row->max);
        return;
    }
    const char **strings = arena_array(&r->m->arena, n + 1, sizeof *strings);
    for (size_t i = 0; items; items = items->next, i++) {
        strings[i] = element(r, row, items->value);
        places_put(&r->places, &strings[i], items->value->place);
    }
    if (n > 1)
        refuse_twice(r, strings, n);
    if (n == 0 && row->required)
        problem_add(r->problems, node->place, r->path, "is empty; give at least one");
    memcpy(member(base, row->at), &strings, sizeof strings);
    memcpy(member(base, row->second), &n, sizeof n);
}

static void read_word_list(struct reading *r, const struct key *row, const struct yaml_node *node,
                           void *base)
{
    unsigned bits = 0, index;
    struct err why = ERR_INIT;
    if (!expect(r, node, YAML_LIST, "a list"))
        return;
    for (const struct yaml_item *item = node->items; item; item = item->next) {
        if (!expect(r, item->value, YAML_SCALAR, "a single value"))
            continue;
        if (value_word(row, item->value->text, &index, &why))
            problem_add(r->problems, item->value->place, r->path, "%s", why.text);
        else
            bits |= 1u << index;
    }
    memcpy(member(base, row->at), &bits, sizeof bits);
}

/* --- Maps of named entries ----------------------------------------------------------------------
 */

static void read_scalar(struct reading *r, const struct key *row, const struct yaml_node *node,
                        void *base);

static void read_entry(struct reading *r, enum scope_id in, const struct yaml_item *item,
                       void *base)
{
    const struct scope *scope = &schema_scopes[in];
    const char *name = arena_strdup(&r->m->arena, item->key);
    const char *why = scope->name_check(item->key);
    size_t len = path_push(r, item->key);
    if (why)
        problem_add(r->problems, item->key_place, r->path, "\"%.80s\" %s", item->key, why);
    memcpy(base, &name, sizeof name);
    memcpy(member(base, scope->place), &item->key_place, sizeof item->key_place);
    if (scope->single) {
        const struct key *row = schema_only_key(in);
        value_clear(row, base);
        read_scalar(r, row, item->value, base);
    } else {
        read_scope(r, in, item->value, base);
    }
    path_pop(r, len);
}

static void read_map(struct reading *r, const struct key *row, const struct yaml_node *node,
                     void *base)
{
    const struct scope *scope = &schema_scopes[row->of];
    if (!expect(r, node, YAML_MAP, "names with their values"))
        return;
    if ((int64_t)node->n > row->max) {
        problem_add(r->problems, node->place, r->path, "has %zu entries; at most %d are read",
                    node->n, (int)row->max);
        return;
    }
    if (node->n == 0 && row->required)
        problem_add(r->problems, node->place, r->path, "is empty; give at least one");
    char *entries = arena_array(&r->m->arena, node->n + 1, scope->size);
    size_t n = 0;
    for (const struct yaml_item *item = node->items; item; item = item->next)
        read_entry(r, row->of, item, entries + scope->size * n++);
    memcpy(member(base, row->at), &entries, sizeof entries);
    memcpy(member(base, row->second), &n, sizeof n);
}

/* --- One key ------------------------------------------------------------------------------------
 */

static void read_scalar(struct reading *r, const struct key *row, const struct yaml_node *node,
                        void *base)
{
    struct err why = ERR_INIT;
    if (expect(r, node, YAML_SCALAR, "a single value")) {
        if (value_read(row, node->text, base, &r->m->arena, &why) == 0)
            return;
        problem_add(r->problems, node->place, r->path, "%s", why.text);
    }
    places_put(&r->wrong, member(base, row->at), node->place);
}

static void read_key(struct reading *r, const struct key *row, const struct yaml_node *node,
                     void *base)
{
    places_put(&r->places, member(base, row->at), node->place);
    switch (row->type) {
    case KEY_GROUP:
        read_scope(r, row->of, node, member(base, row->at));
        break;
    case KEY_MAP:
        read_map(r, row, node, base);
        break;
    case KEY_STRINGS:
        read_strings(r, row, node, base);
        break;
    case KEY_WORDS:
        read_word_list(r, row, node, base);
        break;
    case KEY_STRING:
    case KEY_INTEGER:
    case KEY_FLAG:
    case KEY_WORD:
    case KEY_DURATION:
    case KEY_RATE:
    case KEY_BYTES:
    case KEY_MONEY:
    case KEY_QUANTITY:
    case KEY_TIME:
    case KEY_HOURS:
        read_scalar(r, row, node, base);
        break;
    }
}

/* --- One scope ----------------------------------------------------------------------------------
 */

/* Every member of the struct as if nothing was given, then the defaults of this scope's rows. */
static void set_defaults(struct reading *r, enum scope_id in, void *base)
{
    struct err why;
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & schema_scopes[in].family))
            continue;
        value_clear(row, base);
        if (!(row->in & SCOPE_BIT(in)))
            continue;
        if (row->type == KEY_GROUP)
            set_defaults(r, row->of, member(base, row->at));
        else if (row->otherwise)
            (void)value_read(row, row->otherwise, base, &r->m->arena, &why);
    }
}

static void refuse_unknown(struct reading *r, enum scope_id in, const struct yaml_item *item)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < schema_n_keys && n < 64; i++)
        if (schema_keys[i].in & SCOPE_BIT(in))
            names[n++] = schema_keys[i].name;
    bool search = !problem_list_full(r->problems) && strlen(item->key) <= 64;
    const char *meant = search ? text_did_you_mean(item->key, names, n) : NULL;
    problem_add(r->problems, item->key_place, r->path, "%s has no key \"%.80s\"%s%s%s",
                schema_scopes[in].what, item->key, meant ? "; did you mean \"" : "",
                meant ? meant : "", meant ? "\"?" : "");
}

static const struct yaml_item *item_find(const struct yaml_node *map, const char *key)
{
    const struct yaml_item *item = map->items;
    while (item && strcmp(item->key, key) != 0)
        item = item->next;
    return item;
}

/* Keys without a meaning for this kind of app or check. The kind may stand after them. */
static void refuse_foreign(struct reading *r, enum scope_id in, const struct yaml_node *node,
                           const void *base)
{
    if (schema_scopes[in].kind < 0)
        return;
    const struct key *kind = &schema_keys[0];
    while (!((kind->in & SCOPE_BIT(in)) && (int)kind->at == schema_scopes[in].kind))
        kind++;
    if (kind->required && !item_find(node, kind->name))
        return; /* judged once it is known */
    for (const struct yaml_item *item = node->items; item; item = item->next) {
        const struct key *row = schema_find(in, item->key);
        if (!row || schema_applies(row, in, base))
            continue;
        unsigned value;
        memcpy(&value, (const char *)base + kind->at, sizeof value);
        size_t len = path_push(r, item->key);
        problem_add(r->problems, item->key_place, r->path,
                    "has no meaning when %s is %s; remove it", kind->name, kind->words[value]);
        path_pop(r, len);
    }
}

static void require_keys(struct reading *r, enum scope_id in, const struct yaml_node *node)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (row->required && (row->in & SCOPE_BIT(in)) && !item_find(node, row->name))
            problem_add(r->problems, node->place, r->path, "%s needs \"%s\": %s",
                        schema_scopes[in].what, row->name, row->help);
    }
}

static void read_scope(struct reading *r, enum scope_id in, const struct yaml_node *node,
                       void *base)
{
    const struct scope *scope = &schema_scopes[in];
    set_defaults(r, in, base);
    if (!expect(r, node, YAML_MAP, "a group of keys"))
        return;
    if (scope->place != (size_t)NO_PLACE && !scope->name_check) /* a binding: no name before it */
        memcpy(member(base, scope->place), &node->place, sizeof node->place);
    for (const struct yaml_item *item = node->items; item; item = item->next) {
        const struct key *row = schema_find(in, item->key);
        size_t len = path_push(r, item->key);
        if (row) {
            read_key(r, row, item->value, base);
        } else {
            path_pop(r, len);
            refuse_unknown(r, in, item);
        }
        path_pop(r, len);
    }
    require_keys(r, in, node);
    refuse_foreign(r, in, node, base);
}

void manifest_read(struct reading *r, const struct yaml_node *root)
{
    read_scope(r, SCOPE_FILE, root, r->m);
}
