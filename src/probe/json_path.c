#include "probe/json_path.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_LEN = 256, VALUE_MAX_LEN = 256, SHOWN_MAX = 80 };

struct expectation {
    char path[PATH_MAX_LEN], dotted[PATH_MAX_LEN], value[VALUE_MAX_LEN];
    bool quoted; /* the value was, so only a text can match */
};

/* Cuts the spaces at both ends; false when it is empty or too long for ret. */
static bool copy_trimmed(char *ret, size_t size, const char *s, size_t len)
{
    while (len > 0 && *s == ' ')
        s++, len--;
    while (len > 0 && s[len - 1] == ' ')
        len--;
    if (len == 0 || len >= size)
        return false;
    memcpy(ret, s, len);
    ret[len] = '\0';
    return true;
}

static int split(const char *expect, struct expectation *ret, struct err *e)
{
    const char *equals = strchr(expect, '=');
    if (!equals || !copy_trimmed(ret->path, sizeof(ret->path), expect, (size_t)(equals - expect)) ||
        !copy_trimmed(ret->value, sizeof(ret->value), equals + 1, strlen(equals + 1)))
        return err_set(e, ERR_MANIFEST,
                       "\"%.100s\" is no \"path = value\", such as checks[0].status = ok", expect);
    size_t len = strlen(ret->value);
    ret->quoted = len >= 2 && ret->value[0] == '"' && ret->value[len - 1] == '"';
    if (ret->quoted) {
        memmove(ret->value, ret->value + 1, len - 2);
        ret->value[len - 2] = '\0';
    }
    return 0;
}

/* "a.b[0].c" as json_at wants it: "a.b.0.c". False when it is senseless; *ret_bad is where. */
static bool to_dotted(const char *path, char ret[PATH_MAX_LEN], const char **ret_bad)
{
    const char *s = path;
    char *out = ret;
    for (*ret_bad = s; *s; *ret_bad = s) {
        bool index = *s == '[';
        if (!index && s != path && *s++ != '.')
            return false;
        const char *name = s + index;
        size_t len = index ? strspn(name, "0123456789") : strcspn(name, ".[]");
        if (len == 0 || (index && name[len] != ']'))
            return false;
        if (out != ret)
            *out++ = '.';
        memcpy(out, name, len);
        out += len;
        s = name + len + index;
    }
    *out = '\0';
    return out != ret;
}

static int understand(const char *expect, struct expectation *ret, struct err *e)
{
    const char *bad;
    if (split(expect, ret, e) < 0)
        return -1;
    if (to_dotted(ret->path, ret->dotted, &bad))
        return 0;
    return err_set(e, ERR_MANIFEST,
                   "\"%.100s\": the path cannot be read from \"%.40s\" on; write names and "
                   "indexes: a.b[0].c",
                   expect, bad);
}

int json_path_valid(const char *expect, struct err *e)
{
    struct expectation x = {0};
    return understand(expect, &x, e);
}

static bool is_number(const json_t *v, const char *text)
{
    char *end;
    double wanted = strtod(text, &end);
    return json_is_number(v) && *end == '\0' && end != text && json_number_value(v) <= wanted &&
           json_number_value(v) >= wanted;
}

static bool matches(const json_t *v, const struct expectation *x)
{
    if (json_is_string(v))
        return strcmp(json_string_value(v), x->value) == 0;
    if (x->quoted)
        return false;
    return is_number(v, x->value) || (json_is_true(v) && strcmp(x->value, "true") == 0) ||
           (json_is_false(v) && strcmp(x->value, "false") == 0) ||
           (json_is_null(v) && strcmp(x->value, "null") == 0);
}

static int tell(const struct expectation *x, const json_t *v, struct err *e)
{
    char shown[SHOWN_MAX];
    if (!v)
        return err_set(e, ERR_NO, "the JSON has no %.100s", x->path);
    if (json_is_object(v) || json_is_array(v))
        return err_set(e, ERR_NO, "%.100s is %s instead of %.80s", x->path,
                       json_is_object(v) ? "an object" : "an array", x->value);
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    text_copy(shown, sizeof(shown), text ? text : "?");
    free(text);
    return err_set(e, ERR_NO, "%.100s is %s instead of %.80s", x->path, shown, x->value);
}

int json_path_check(const char *expect, const char *text, size_t len, struct err *e)
{
    struct expectation x = {0};
    if (understand(expect, &x, e) < 0)
        return -1;
    json_t *root = json_read(text, len, "the body", e);
    if (!root)
        return -1;
    const json_t *v = json_at(root, x.dotted);
    int rc = v && matches(v, &x) ? 0 : tell(&x, v, e);
    json_decref(root);
    return rc;
}
