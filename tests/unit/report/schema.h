#pragma once

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* As much of JSON Schema 2020-12 as our own schemas use. Prints where a value does not fit. */
static inline bool schema_fits(const json_t *top, const json_t *schema, const json_t *value,
                               const char *where);

static inline const json_t *schema_follow(const json_t *top, const json_t *schema)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    if (!ref || strncmp(ref, "#/$defs/", 8) != 0)
        return schema;
    return json_object_get(json_object_get(top, "$defs"), ref + 8);
}

static inline bool schema_type_is(const char *type, const json_t *value)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static inline bool schema_type_fits(const json_t *type, const json_t *value)
{
    if (!type)
        return true;
    if (json_is_string(type))
        return schema_type_is(json_string_value(type), value);
    for (size_t i = 0; i < json_array_size(type); i++)
        if (schema_type_is(json_string_value(json_array_get(type, i)), value))
            return true;
    return false;
}

static inline bool schema_members_fit(const json_t *top, const json_t *schema, const json_t *value)
{
    json_t *properties = json_object_get(schema, "properties");
    json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (!json_object_get(value, name)) {
            printf("# %s is missing\n", name);
            return false;
        }
    }
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        const char *name = json_object_iter_key(at);
        json_t *member = json_object_get(properties, name);
        if (!member && json_is_false(json_object_get(schema, "additionalProperties"))) {
            printf("# %s is not in the schema\n", name);
            return false;
        }
        if (member && !schema_fits(top, member, json_object_iter_value(at), name))
            return false;
    }
    return true;
}

static inline bool schema_text_fits(const json_t *schema, const json_t *value)
{
    const char *pattern = json_string_value(json_object_get(schema, "pattern"));
    regex_t regex;
    if (!pattern)
        return true;
    if (!json_is_string(value) || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool fits = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static inline bool schema_choice_fits(const json_t *top, const json_t *schema, const json_t *value)
{
    json_t *choices = json_object_get(schema, "enum"), *any = json_object_get(schema, "anyOf");
    json_t *constant = json_object_get(schema, "const");
    bool fits = (!choices && !any) || (constant && json_equal(constant, value));
    for (size_t i = 0; i < json_array_size(choices); i++)
        fits |= json_equal(json_array_get(choices, i), value) != 0;
    for (size_t i = 0; i < json_array_size(any); i++)
        fits |= schema_type_fits(
            json_object_get(schema_follow(top, json_array_get(any, i)), "type"), value);
    return fits && (!constant || json_equal(constant, value));
}

static inline bool schema_fits(const json_t *top, const json_t *schema, const json_t *value,
                               const char *where)
{
    schema = schema_follow(top, schema);
    json_t *minimum = json_object_get(schema, "minimum"), *items = json_object_get(schema, "items");
    bool fits = schema && schema_type_fits(json_object_get(schema, "type"), value) &&
                schema_choice_fits(top, schema, value) && schema_text_fits(schema, value) &&
                !(minimum && json_is_number(value) &&
                  json_number_value(value) < json_number_value(minimum));
    if (fits && json_is_object(value))
        fits = schema_members_fit(top, schema, value);
    for (size_t i = 0; fits && items && i < json_array_size(value); i++)
        fits = schema_fits(top, items, json_array_get(value, i), "item");
    if (!fits)
        printf("# at %s\n", where);
    return fits;
}
