#include "manifest/schema.h"

#include "base/buf.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table as a JSON Schema for editors and as the keys' reference for the man page. */

/* How a value is written, for people. */
static const char *const forms[] = {
    [KEY_STRING] = "text",     [KEY_INTEGER] = "number", [KEY_FLAG] = "true | false",
    [KEY_WORD] = "word",       [KEY_WORDS] = "list",     [KEY_DURATION] = "duration",
    [KEY_RATE] = "percentage", [KEY_BYTES] = "size",     [KEY_MONEY] = "money",
    [KEY_QUANTITY] = "amount", [KEY_TIME] = "HH:MM",     [KEY_HOURS] = "HH:MM-HH:MM",
    [KEY_STRINGS] = "list",    [KEY_GROUP] = "keys",     [KEY_MAP] = "entries",
};

/* What its text must match, for editors; NULL = anything. */
static const char *const patterns[] = {
    [KEY_DURATION] = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$",
    [KEY_RATE] = "^[0-9]+(\\.[0-9]+)?%$",
    [KEY_BYTES] = "^[0-9]+(\\.[0-9]+)?(B|[kKMGT]i?B)$",
    [KEY_MONEY] = "^[0-9]+(\\.[0-9]{1,2})? *[A-Z]{3}$",
    [KEY_TIME] = "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    [KEY_HOURS] = "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    [KEY_MAP] = NULL,
};

/* "an app" -> "app", "static hosting" -> "static-hosting" */
static const char *definition(enum scope_id id, char ret[40])
{
    const char *what = schema_scopes[id].what;
    what += strncmp(what, "an ", 3) == 0 ? 3 : strncmp(what, "a ", 2) == 0 ? 2 : 0;
    snprintf(ret, 40, "%s", what);
    for (char *space = strchr(ret, ' '); space; space = strchr(space, ' '))
        *space = '-';
    return ret;
}

/* --- JSON Schema (json-schema.org/draft/2020-12) ---------------------------------------------- */

static json_t *reference(enum scope_id id)
{
    char name[40];
    return json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", definition(id, name)));
}

static json_t *word_schema(const struct key *row)
{
    json_t *words = json_array();
    for (size_t i = 0; row->words[i]; i++)
        json_array_append_new(words, json_string(row->words[i]));
    return json_pack("{s:o}", "enum", words);
}

static json_t *value_schema(const struct key *row);

static json_t *map_schema(const struct key *row)
{
    const struct scope *scope = &schema_scopes[row->of];
    json_t *entry = scope->single ? value_schema(schema_only_key(row->of)) : reference(row->of);
    json_t *map = json_pack("{s:s, s:o, s:I}", "type", "object", "additionalProperties", entry,
                            "maxProperties", (json_int_t)row->max);
    if (scope->name_check == check_name)
        json_object_set_new(map, "propertyNames",
                            json_pack("{s:s}", "pattern", "^[a-z0-9][a-z0-9-]{0,62}$"));
    if (row->required)
        json_object_set_new(map, "minProperties", json_integer(1));
    return map;
}

static json_t *value_schema(const struct key *row)
{
    switch (row->type) {
    case KEY_INTEGER:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)row->min,
                         "maximum", (json_int_t)row->max);
    case KEY_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case KEY_WORD:
        return word_schema(row);
    case KEY_WORDS:
        return json_pack("{s:s, s:o, s:b}", "type", "array", "items", word_schema(row),
                         "uniqueItems", 1);
    case KEY_QUANTITY:
        return json_pack("{s:[s, s]}", "type", "string", "integer");
    case KEY_STRINGS: /* one string alone is a list of one */
        return json_pack("{s:[{s:s}, {s:s, s:{s:s}, s:b}]}", "anyOf", "type", "string", "type",
                         "array", "items", "type", "string", "uniqueItems", 1);
    case KEY_GROUP:
        return reference(row->of);
    case KEY_MAP:
        return map_schema(row);
    case KEY_STRING:
        return row->words ? word_schema(row) : json_pack("{s:s}", "type", "string");
    case KEY_DURATION:
    case KEY_RATE:
    case KEY_BYTES:
    case KEY_MONEY:
    case KEY_TIME:
    case KEY_HOURS:
        break;
    }
    return json_pack("{s:s, s:s}", "type", "string", "pattern", patterns[row->type]);
}

static json_t *default_value(const struct key *row)
{
    if (row->type == KEY_INTEGER)
        return json_integer(strtoll(row->otherwise, NULL, 10));
    if (row->type == KEY_FLAG)
        return json_boolean(strcmp(row->otherwise, "true") == 0);
    if (row->type != KEY_WORDS)
        return json_string(row->otherwise);
    json_t *list = json_array();
    for (const char *at = row->otherwise; *at; at += at[strcspn(at, ",")] == ',') {
        size_t len = strcspn(at, ",");
        json_array_append_new(list, json_stringn(at, len));
        at += len;
        if (!*at)
            break;
    }
    return list;
}

static json_t *scope_schema(enum scope_id id)
{
    json_t *keys = json_object(), *required = json_array();
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & SCOPE_BIT(id)))
            continue;
        json_t *value = value_schema(row);
        json_object_set_new(value, "description", json_string(row->help));
        if (row->otherwise)
            json_object_set_new(value, "default", default_value(row));
        json_object_set_new(keys, row->name, value);
        if (row->required)
            json_array_append_new(required, json_string(row->name));
    }
    json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", keys,
                               "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set_new(schema, "required", required);
    else
        json_decref(required);
    return schema;
}

void manifest_schema_json(struct buf *out)
{
    char name[40];
    json_t *root =
        json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
                  "trine manifest");
    json_t *definitions = json_object(), *file = scope_schema(SCOPE_FILE);
    for (int id = SCOPE_FILE + 1; id < SCOPES; id++)
        if (!schema_scopes[id].single)
            json_object_set_new(definitions, definition((enum scope_id)id, name),
                                scope_schema((enum scope_id)id));
    json_object_update(root, file);
    json_object_set_new(root, "$defs", definitions);
    char *text = json_dumps(root, JSON_INDENT(2));
    buf_adds(out, text ? text : "");
    buf_addc(out, '\n');
    free(text);
    json_decref(file);
    json_decref(root);
}

/* --- mdoc(7) ---------------------------------------------------------------------------------- */

/* A value as one quoted macro argument; "\&" keeps a lone '.' from being taken for punctuation. */
static void mdoc_literal(const char *text, struct buf *out)
{
    buf_adds(out, ".Ql \"\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buf_adds(out, "\\e");
        else if (*text == '"')
            buf_adds(out, "\"\"");
        else
            buf_addc(out, *text);
    }
    buf_adds(out, "\"\n");
}

static void mdoc_number(const struct key *row, int64_t value, struct buf *out)
{
    /* Through value_write, so that the reference shows what the manifest takes. */
    struct key alone = *row;
    union {
        int64_t wide;
        int small;
    } member = {value};
    if (row->type == KEY_INTEGER)
        member.small = (int)value;
    alone.at = 0;
    value_write(&alone, &member, out);
}

static void mdoc_range(const struct key *row, struct buf *out)
{
    bool ranged = row->type == KEY_INTEGER || row->type == KEY_DURATION;
    if (!ranged)
        return;
    buf_adds(out, "From ");
    mdoc_number(row, row->min, out);
    buf_adds(out, " to ");
    mdoc_number(row, row->max, out);
    buf_adds(out, ".\n");
}

static void mdoc_words(const struct key *row, struct buf *out)
{
    for (size_t i = 0; row->words && row->words[i]; i++) {
        buf_addf(out, "%s", i ? "" : "One of\n");
        buf_addf(out, ".Cm %s%s\n", row->words[i], row->words[i + 1] ? " ," : " .");
    }
}

static void mdoc_kinds(const struct key *row, enum scope_id id, struct buf *out)
{
    const struct scope *scope = &schema_scopes[id];
    if (!row->only || scope->kind < 0)
        return;
    const struct key *kind = schema_keys;
    while (!((kind->in & SCOPE_BIT(id)) && (int)kind->at == scope->kind))
        kind++;
    buf_addf(out, "Only when\n.Ic %s\nis", kind->name);
    for (unsigned i = 0, n = 0; kind->words[i]; i++)
        if (row->only & (1u << i))
            buf_addf(out, "%s %s", n++ ? " or" : "", kind->words[i]);
    buf_adds(out, ".\n");
}

static void mdoc_row(const struct key *row, enum scope_id id, struct buf *out)
{
    buf_addf(out, ".It Ic %s : Ar %s\n%s.\n", row->name, forms[row->type], row->help);
    if (row->type == KEY_MAP && schema_scopes[row->of].single) {
        const struct key *value = schema_only_key(row->of);
        buf_addf(out, "Each is\n.Ic %s : Ar %s :\n%s.\n", schema_scopes[row->of].name,
                 forms[value->type], value->help);
        mdoc_range(value, out);
    }
    mdoc_kinds(row, id, out);
    mdoc_words(row, out);
    mdoc_range(row, out);
    if (row->required)
        buf_adds(out, "Required.\n");
    if (row->dollar == DOLLAR_NAME)
        buf_adds(out, "May hold\n.Va $NAME .\n");
    if (row->otherwise) {
        buf_adds(out, "Default:\n");
        mdoc_literal(row->otherwise, out);
    }
}

static void mdoc_scope(enum scope_id id, const char *path, struct buf *out)
{
    buf_addf(out, ".Ss %s\n.Bl -tag -width Ds\n", *path ? path : "The file");
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_keys[i].in & SCOPE_BIT(id))
            mdoc_row(&schema_keys[i], id, out);
    buf_adds(out, ".El\n");
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        char inner[256];
        bool nested = row->type == KEY_GROUP || row->type == KEY_MAP;
        if (!(row->in & SCOPE_BIT(id)) || !nested)
            continue;
        const struct scope *scope = &schema_scopes[row->of];
        snprintf(inner, sizeof inner, "%s%s%s%s%s", path, *path ? "." : "", row->name,
                 scope->name ? "." : "", scope->name ? scope->name : "");
        if (!scope->single)
            mdoc_scope(row->of, inner, out);
    }
}

void manifest_schema_mdoc(struct buf *out)
{
    mdoc_scope(SCOPE_FILE, "", out);
}
