#include "net/bases.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

static const double rate_max = 100000;

struct base {
    char *platform, *url;
};

struct bases {
    struct base *items;
    size_t n;
    char *control; /* NULL = none */
    double clock_rate;
};

struct bases *bases_empty(void)
{
    struct bases *b = mem_alloc(sizeof *b);

    b->clock_rate = 1;
    return b;
}

void bases_free(struct bases *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n; i++) {
        free(b->items[i].platform);
        free(b->items[i].url);
    }
    free(b->items);
    free(b->control);
    free(b);
}

static bool is_base_url(const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;

    return scheme > 0 && url[scheme] && url[scheme] != '/' &&
           strcspn(url, "?# \t\r\n") == strlen(url);
}

static int add(struct bases *b, const char *path, const char *platform, const json_t *value,
               struct err *e)
{
    const char *url = json_string_value(value);

    if (!url || !is_base_url(url))
        return err_set(e, ERR_MANIFEST,
                       "%s: bases.%s: must be an address like \"http://127.0.0.1:8001/api/v1\", "
                       "without a query",
                       path, platform);
    b->items = mem_grow(b->items, b->n + 1, sizeof *b->items);

    struct base *item = &b->items[b->n++];

    item->platform = mem_strdup(platform);
    item->url = mem_strdup(url);
    for (size_t len = strlen(url); item->url[len - 1] == '/'; len--)
        item->url[len - 1] = '\0';
    return 0;
}

static int read_control(struct bases *b, const char *path, const json_t *value, struct err *e)
{
    const char *url = json_string_value(value);

    if (!url || !is_base_url(url))
        return err_set(e, ERR_MANIFEST,
                       "%s: control: must be an address like \"http://127.0.0.1:8000\"", path);
    b->control = mem_strdup(url);
    for (size_t len = strlen(url); b->control[len - 1] == '/'; len--)
        b->control[len - 1] = '\0';
    return 0;
}

static int fill(struct bases *b, const char *path, json_t *root, struct err *e)
{
    json_t *bases = json_object_get(root, "bases"), *rate = json_object_get(root, "clock_rate"),
           *control = json_object_get(root, "control"), *value;
    const char *platform;

    if (!json_is_object(root))
        return err_set(e, ERR_MANIFEST, "%s: must be a JSON object with \"bases\"", path);
    if (bases && !json_is_object(bases))
        return err_set(e, ERR_MANIFEST, "%s: bases: must be an object of platform: address", path);
    if (control && read_control(b, path, control, e) < 0)
        return -1;
    json_object_foreach(bases, platform, value)
    {
        if (add(b, path, platform, value, e) < 0)
            return -1;
    }
    if (!rate)
        return 0;
    b->clock_rate = json_number_value(rate); /* 0 when it is no number */
    if (!(b->clock_rate >= 1 && b->clock_rate <= rate_max))
        return err_set(e, ERR_MANIFEST, "%s: clock_rate: must be a number from 1 to 100000", path);
    return 0;
}

int bases_read(const char *name, const char *text, size_t len, struct bases **ret, struct err *e)
{
    struct bases *b = bases_empty();
    json_t *root = json_read(text, len, name, e);
    int rc = root ? fill(b, name, root, e) : -1;

    if (rc == 0)
        *ret = b;
    else {
        e->kind = ERR_MANIFEST; /* json_read takes its text for a peer's */
        bases_free(b);
    }
    json_decref(root);
    return rc;
}

int bases_load(const char *path, struct bases **ret, struct err *e)
{
    struct buf text = BUF_INIT(FILE_MAX);
    int rc = buf_read_file(&text, path, e);

    if (rc == 0)
        rc = bases_read(path, buf_str(&text), text.len, ret, e);
    else
        e->kind = ERR_MANIFEST;
    buf_release(&text);
    return rc;
}

const char *bases_get(const struct bases *b, const char *platform, const char *otherwise)
{
    for (size_t i = 0; b && i < b->n; i++) {
        if (strcmp(b->items[i].platform, platform) == 0)
            return b->items[i].url;
    }
    return otherwise;
}

const char *bases_control(const struct bases *b)
{
    return b ? b->control : NULL;
}

double bases_clock_rate(const struct bases *b)
{
    return b ? b->clock_rate : 1;
}
