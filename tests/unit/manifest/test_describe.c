#include "base/buf.h"
#include "base/json.h"
#include "data.h"
#include "manifest/schema.h"
#include "test.h"

/* The JSON Schema and the reference are complete because they come from the table; here is checked
 * that they are well-formed and that the table itself is sound. */

static void the_json_schema_is_json_with_every_definition_it_refers_to(void)
{
    struct buf out = BUF_INIT(1 << 22);
    struct err e = ERR_INIT;
    manifest_schema_json(&out);
    json_t *root = json_read(out.data, out.len, "schema", &e);
    CHECK(root != NULL);
    CHECK(strcmp(json_str(root, "$schema", ""), "https://json-schema.org/draft/2020-12/schema") ==
          0);
    CHECK(json_int(root, "$defs.app.properties.port.maximum", 0) == 65535);
    CHECK(json_flag(root, "$defs.app.additionalProperties", true) == false);
    CHECK(strcmp(json_str(root, "$defs.environment.required.0", ""), "branch") == 0);
    CHECK(strcmp(json_str(root, "$defs.app.properties.kind.enum.2", ""), "mobile") == 0);
    CHECK(json_int(root, "$defs.route.properties.weights.additionalProperties.maximum", 0) == 100);
    size_t dangling = 0, seen = 0;
    static const char prefix[] = "\"#/$defs/";
    for (const char *at = strstr(buf_str(&out), prefix); at; at = strstr(at + 1, prefix)) {
        char path[80];
        const char *name = at + strlen(prefix);
        snprintf(path, sizeof path, "$defs.%.*s", (int)strcspn(name, "\""), name);
        dangling += json_at(root, path) == NULL;
        seen++;
    }
    CHECK(seen > 20 && dangling == 0);
    json_decref(root);
    buf_release(&out);
}

static void the_reference_has_every_key_and_only_macros_it_should(void)
{
    struct buf out = BUF_INIT(1 << 22);
    manifest_schema_mdoc(&out);
    for (size_t i = 0; i < schema_n_keys; i++) {
        char item[80];
        snprintf(item, sizeof item, ".It Ic %s : Ar ", schema_keys[i].name);
        bool single = false;
        for (int id = 0; id < SCOPES; id++)
            single = single || ((schema_keys[i].in & SCOPE_BIT(id)) && schema_scopes[id].single);
        if (!single && !strstr(buf_str(&out), item)) {
            printf("# %s\n", item);
            CHECK(false);
        }
    }
    CHECK(strstr(buf_str(&out), ".Ss environments.NAME.static\n"));
    CHECK(strstr(buf_str(&out), ".Ic ENVIRONMENT : Ar number :\n"));
    CHECK(!strstr(buf_str(&out), "\n\n")); /* mandoc warns of blank lines */
    buf_release(&out);
}

/* A row that contradicts itself would refuse its own default. */
static void every_row_is_sound(void)
{
    static union {
        int64_t align;
        char bytes[sizeof(struct manifest)];
    } base;
    struct arena a = ARENA_INIT;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        bool number =
            row->type == KEY_INTEGER || row->type == KEY_DURATION || row->type == KEY_BYTES;
        bool list = row->type == KEY_STRINGS || row->type == KEY_MAP;
        bool wordy = row->type == KEY_WORD || row->type == KEY_WORDS;
        bool sound = row->in && row->name && row->help && row->help[strlen(row->help) - 1] != '.';
        sound = sound && (!(number || list) || row->max > row->min);
        sound = sound && (!wordy || row->words) && !(row->required && row->otherwise);
        if (sound && row->otherwise)
            sound = value_read(row, row->otherwise, &base, &a, &e) == 0;
        for (size_t j = 0; sound && j < i; j++) /* one row a key and scope */
            sound = !(schema_keys[j].in & row->in) || strcmp(schema_keys[j].name, row->name) != 0;
        if (!sound)
            printf("# row %zu, %s\n", i, row->name);
        test_report(sound, row->name, __FILE__, __LINE__);
    }
    arena_release(&a);
}

int main(void)
{
    the_json_schema_is_json_with_every_definition_it_refers_to();
    the_reference_has_every_key_and_only_macros_it_should();
    every_row_is_sound();
    return DONE();
}
