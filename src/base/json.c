#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, KEY_MAX = 256 };

/* jansson's own depth limit (2048) is compiled in and uses the C stack; ours is counted first. */
static bool too_deep(const char *data, size_t len)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = data[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return true;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

json_t *json_read(const char *data, size_t len, const char *what, struct err *e)
{
    json_error_t why;

    if (too_deep(data, len)) {
        err_set(e, ERR_REMOTE, "%s: JSON nested deeper than %d levels", what, DEPTH_MAX);
        return NULL;
    }

    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

    if (!root)
        err_set(e, ERR_REMOTE, "%s: not JSON: line %d, column %d: %s", what, why.line, why.column,
                why.text);
    return root;
}

json_t *json_at(const json_t *root, const char *path)
{
    json_t *at = (json_t *)(uintptr_t)root; /* jansson's getters differ in const */

    while (at && *path) {
        char key[KEY_MAX];
        size_t len = strcspn(path, ".");
        int64_t index;

        if (len >= sizeof key)
            return NULL;
        memcpy(key, path, len);
        key[len] = '\0';
        if (json_is_array(at))
            at =
                text_int(key, 0, INT32_MAX, &index) == 0 ? json_array_get(at, (size_t)index) : NULL;
        else
            at = json_object_get(at, key);
        path += len + (path[len] == '.');
    }
    return at;
}

const char *json_str(const json_t *root, const char *path, const char *otherwise)
{
    const json_t *at = json_at(root, path);

    return json_is_string(at) ? json_string_value(at) : otherwise;
}

bool json_flag(const json_t *root, const char *path, bool otherwise)
{
    const json_t *at = json_at(root, path);

    return json_is_boolean(at) ? json_is_true(at) : otherwise;
}

double json_num(const json_t *root, const char *path, double otherwise)
{
    const json_t *at = json_at(root, path);

    return json_is_number(at) ? json_number_value(at) : otherwise;
}

int64_t json_int(const json_t *root, const char *path, int64_t otherwise)
{
    const json_t *at = json_at(root, path);
    int64_t value;

    if (json_is_integer(at))
        return json_integer_value(at);
    if (json_is_real(at)) {
        double d = json_real_value(at);

        return d == trunc(d) && fabs(d) <= 9007199254740992.0 ? (int64_t)d : otherwise;
    }
    if (json_is_string(at) && text_int(json_string_value(at), INT64_MIN, INT64_MAX, &value) == 0)
        return value;
    return otherwise;
}

char *json_text(const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY);

    return text ? text : mem_strdup("null"); /* only a tree that holds invalid UTF-8 has no text */
}
