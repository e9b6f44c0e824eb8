#include "manifest/catalogue.h"

#include "base/embed.h"
#include "base/mem.h"
#include "manifest/platform.h"
#include "manifest/schema.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded_file manifest_data[];

struct catalogue {
    json_t *root; /* its texts are borrowed by the rows */
    struct catalogue_row *rows;
    size_t n;
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static enum limit_metric metric_of(const char *word)
{
    size_t i = 0;

    while (schema_metrics[i] && strcmp(schema_metrics[i], word) != 0)
        i++;
    assert(schema_metrics[i]); /* our own file; a test reads it */
    return (enum limit_metric)i;
}

static unsigned hosts_of(const char *word)
{
    static const struct {
        const char *word;
        unsigned hosts;
    } words[] = {{"", 0},
                 {"static", HOSTS_STATIC},
                 {"service", HOSTS_SERVICE},
                 {"mobile", HOSTS_MOBILE},
                 {"database", HOSTS_DATABASE},
                 {"cache", HOSTS_CACHE},
                 {"storage", HOSTS_STORAGE}};
    size_t i = 0, n = sizeof(words) / sizeof(words[0]);

    while (i < n && strcmp(words[i].word, word) != 0)
        i++;
    assert(i < n);
    return words[i].hosts;
}

static struct catalogue_row row_of(const json_t *o)
{
    return (struct catalogue_row){
        .platform = text_of(o, "platform"),
        .hosts = hosts_of(text_of(o, "of")),
        .metric = metric_of(text_of(o, "metric")),
        .amount = json_is_true(json_object_get(o, "unlimited")) ? (double)INFINITY
                                                                : number_of(o, "amount"),
        .per = strcmp(text_of(o, "per"), "day") == 0 ? PER_DAY : PER_MONTH,
        .per_gb = number_of(o, "per_gb"),
        .per_10k_requests = number_of(o, "per_10k_requests"),
        .per_awake_hour = number_of(o, "per_awake_hour"),
        .beyond = text_of(o, "beyond"),
        .source = text_of(o, "source"),
        .doubt = text_of(o, "doubt"),
    };
}

struct catalogue *catalogue_new(void)
{
    struct catalogue *c = mem_alloc(sizeof(*c));

    c->root = json_loadb((const char *)manifest_data[0].data, manifest_data[0].len, 0, NULL);
    assert(c->root);
    const json_t *list = json_object_get(c->root, "allowances");
    c->n = json_array_size(list);
    c->rows = mem_array(c->n, sizeof(*c->rows));
    for (size_t i = 0; i < c->n; i++)
        c->rows[i] = row_of(json_array_get(list, i));
    return c;
}

void catalogue_free(struct catalogue *c)
{
    if (!c)
        return;
    json_decref(c->root);
    free(c->rows);
    free(c);
}

const struct catalogue_row *catalogue_rows(const struct catalogue *c, size_t *ret_n)
{
    *ret_n = c->n;
    return c->rows;
}

const char *catalogue_load_terms(const struct catalogue *c, const char *platform)
{
    const json_t *list = json_object_get(c->root, "load_tests");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        if (strcmp(text_of(o, "platform"), platform) == 0)
            return text_of(o, "terms");
    }
    return NULL;
}
