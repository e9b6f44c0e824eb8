#include "provider/allowance.h"

#include "base/embed.h"
#include "base/json.h"
#include "base/mem.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded_file provider_data[];

struct allowances {
    json_t *root;
    const struct manifest *manifest;
};

struct allowances *allowances_new(const struct manifest *m)
{
    struct allowances *a = mem_alloc(sizeof(*a));

    a->manifest = m;
    a->root = json_loadb((const char *)provider_data[0].data, provider_data[0].len, 0, NULL);
    assert(a->root); /* our own file; a test reads it */
    return a;
}

void allowances_free(struct allowances *a)
{
    if (!a)
        return;
    json_decref(a->root);
    free(a);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static double used_of(const json_t *row, const struct traffic *t)
{
    const char *metric = text_of(row, "metric");

    if (strcmp(metric, "bandwidth") == 0)
        return (double)t->bytes;
    if (strcmp(metric, "requests") == 0)
        return (double)t->requests;
    return (double)t->bytes / 1e9 * number_of(row, "per_gb") +
           (double)t->requests / 1e4 * number_of(row, "per_10k_requests");
}

static const char *metric_word(enum limit_metric m)
{
    switch (m) {
    case METRIC_BANDWIDTH:
    case METRIC_EGRESS:
        return "bandwidth";
    case METRIC_REQUESTS:
        return "requests";
    case METRIC_CREDIT:
        return "credit";
    case METRIC_STORAGE:
    case METRIC_HOURS:
    case METRIC_COMMANDS:
    case METRIC_SERVICES:
    case METRIC_BUILDS:
    case METRIC_DEPLOYS:
        break;
    }
    return "";
}

static const struct manifest_limit *override_of(const struct allowances *a, const char *platform,
                                                const char *metric)
{
    for (size_t i = 0; a->manifest && i < a->manifest->n_limits; i++) {
        const struct manifest_limit *l = &a->manifest->limits[i];
        if (strcmp(l->platform, platform) == 0 && strcmp(metric_word(l->metric), metric) == 0)
            return l;
    }
    return NULL;
}

static void keep_larger(struct allowance_share *ret, const struct allowance_share *s)
{
    if (!ret->known || s->share > ret->share)
        *ret = *s;
}

/* Money is kept in cents by the manifest; the catalogue counts whole units of credit. */
static double amount_of(const struct manifest_limit *l)
{
    return l->limit.unit == UNIT_CENTS ? (double)l->limit.value / 100 : (double)l->limit.value;
}

/* Limits of the manifest that the catalogue does not list at all. */
static void own_limits(const struct allowances *a, const char *platform, const struct traffic *t,
                       struct allowance_share *ret)
{
    for (size_t i = 0; a->manifest && i < a->manifest->n_limits; i++) {
        const struct manifest_limit *l = &a->manifest->limits[i];
        const char *metric = metric_word(l->metric);
        bool bytes = strcmp(metric, "bandwidth") == 0;
        if (strcmp(l->platform, platform) != 0 || l->limit.value <= 0 ||
            !(bytes || strcmp(metric, "requests") == 0))
            continue;
        double used = bytes ? (double)t->bytes : (double)t->requests;
        keep_larger(ret, &(struct allowance_share){.known = true,
                                                   .share = used / amount_of(l),
                                                   .metric = metric,
                                                   .used = used,
                                                   .amount = amount_of(l),
                                                   .per = l->per == PER_DAY ? "day" : "month",
                                                   .beyond = "the limit that you set is reached",
                                                   .source = "the manifest"});
    }
}

void allowance_share(const struct allowances *a, const char *platform, const struct traffic *t,
                     struct allowance_share *ret)
{
    size_t i;
    json_t *row;

    *ret = (struct allowance_share){.metric = "", .per = "", .beyond = "", .source = ""};
    own_limits(a, platform, t, ret);
    json_array_foreach(json_object_get(a->root, "allowances"), i, row)
    {
        const struct manifest_limit *own = override_of(a, platform, text_of(row, "metric"));
        double amount = own ? amount_of(own) : number_of(row, "amount");
        if (strcmp(text_of(row, "platform"), platform) != 0 || amount <= 0)
            continue;
        keep_larger(ret, &(struct allowance_share){.known = true,
                                                   .share = used_of(row, t) / amount,
                                                   .metric = text_of(row, "metric"),
                                                   .used = used_of(row, t),
                                                   .amount = amount,
                                                   .per = text_of(row, "per"),
                                                   .beyond = text_of(row, "beyond"),
                                                   .source = own ? "the manifest"
                                                                 : text_of(row, "source")});
    }
}

const char *allowance_load_terms(const struct allowances *a, const char *platform)
{
    size_t i;
    json_t *row;

    json_array_foreach(json_object_get(a->root, "load_tests"), i,
                       row) if (strcmp(text_of(row, "platform"), platform) ==
                                0) return text_of(row, "terms");
    return NULL;
}
