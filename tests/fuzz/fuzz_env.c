#include "manifest/envfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as an env file: no crash, no leak; names are sorted and unique, a refused file leaves
 * the set as it was, and reading the same file again changes nothing but what refers to itself.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char first[] = "HOST=shop.example\nURL=https://$HOST/\n";

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void check_set(const struct env_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct env_var *v = &s->vars[i];
        check(v->name[0] && v->value && v->origin);
        check(i == 0 || strcmp(s->vars[i - 1].name, v->name) < 0);
        const char *value = env_get(s, v->name);
        check(value && strcmp(value, v->value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct env_set s = {0};
    struct err e = ERR_INIT;

    check(env_parse("first.env", first, sizeof(first) - 1, &s, &e) == 0);
    if (env_parse("fuzz.env", (const char *)data, size, &s, &e) < 0) {
        check(e.kind == ERR_MANIFEST && strncmp(e.text, "fuzz.env", 8) == 0);
        check(s.n == 2 && strcmp(env_get(&s, "URL"), "https://shop.example/") == 0);
    } else {
        size_t n = s.n;
        check(n >= 2);
        (void)env_parse("fuzz.env", (const char *)data, size, &s, &e);
        check(s.n == n);
    }
    check_set(&s);
    env_release(&s);
    return 0;
}
