#include "provider/allowance.h"

#include "base/mem.h"
#include "manifest/catalogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct allowances {
    struct catalogue *catalogue;
    const struct manifest *manifest;
};

/* What is asked. */
struct question {
    const struct allowances *allowances;
    const char *platform;
    const struct traffic *traffic;
    bool month; /* of traffic over a month; else of one moment */
};

struct allowances *allowances_new(const struct manifest *m)
{
    struct allowances *a = mem_alloc(sizeof(*a));

    a->manifest = m;
    a->catalogue = catalogue_new();
    return a;
}

void allowances_free(struct allowances *a)
{
    if (!a)
        return;
    catalogue_free(a->catalogue);
    free(a);
}

/* Egress is bandwidth by another name; "" when traffic takes nothing of it. */
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
    case METRIC_HOURS:
        return "hours";
    case METRIC_COMMANDS:
        return "commands";
    case METRIC_STORAGE:
    case METRIC_SERVICES:
    case METRIC_BUILDS:
    case METRIC_DEPLOYS:
        break;
    }
    return "";
}

/* In the unit of the row; negative when the row is about something else. */
static double used_of(const struct catalogue_row *row, const struct traffic *t)
{
    switch (row->metric) {
    case METRIC_BANDWIDTH:
    case METRIC_EGRESS:
        return t->bytes;
    case METRIC_REQUESTS:
        return t->requests;
    case METRIC_COMMANDS:
        return t->commands > 0 ? t->commands : -1;
    case METRIC_HOURS:
        return t->awake_hours > 0 ? t->awake_hours * row->per_awake_hour : -1;
    case METRIC_CREDIT:
        return t->bytes / 1e9 * row->per_gb + t->requests / 1e4 * row->per_10k_requests +
               t->awake_hours * row->per_awake_hour;
    case METRIC_STORAGE:
    case METRIC_SERVICES:
    case METRIC_BUILDS:
    case METRIC_DEPLOYS:
        break;
    }
    return -1;
}

static bool same_metric(enum limit_metric a, enum limit_metric b)
{
    return strcmp(metric_word(a), metric_word(b)) == 0 && *metric_word(a);
}

static const struct manifest_limit *override_of(const struct question *q, enum limit_metric metric)
{
    const struct manifest *m = q->allowances->manifest;

    for (size_t i = 0; m && i < m->n_limits; i++)
        if (strcmp(m->limits[i].platform, q->platform) == 0 &&
            same_metric(m->limits[i].metric, metric))
            return &m->limits[i];
    return NULL;
}

static bool is_listed(const struct question *q, enum limit_metric metric)
{
    size_t n;
    const struct catalogue_row *rows = catalogue_rows(q->allowances->catalogue, &n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].platform, q->platform) == 0 && same_metric(rows[i].metric, metric))
            return true;
    return false;
}

/* Money is kept in cents by the manifest and hours in milliseconds; the catalogue counts whole
 * units of credit, and hours. */
static double amount_of(const struct manifest_limit *l)
{
    switch (l->limit.unit) {
    case UNIT_CENTS:
        return (double)l->limit.value / 100;
    case UNIT_MS:
        return (double)l->limit.value / 3600000;
    case UNIT_NONE:
    case UNIT_COUNT:
    case UNIT_BYTES:
        break;
    }
    return (double)l->limit.value;
}

static void weigh(const struct question *q, const struct catalogue_row *row,
                  struct allowance_share *ret)
{
    double used = used_of(row, q->traffic), amount = row->amount;
    bool all_days = q->month && row->per == PER_DAY;

    if (isinf(amount))
        ret->unlimited = !ret->known;
    if (isinf(amount) || used < 0 || amount <= 0)
        return;
    if (all_days)
        amount *= MONTH_HOURS / 24.0;
    if (ret->known && used / amount <= ret->share)
        return;
    *ret = (struct allowance_share){.known = true,
                                    .share = used / amount,
                                    .metric = metric_word(row->metric),
                                    .used = used,
                                    .amount = amount,
                                    .per = row->per == PER_DAY && !all_days ? "day" : "month",
                                    .beyond = row->beyond,
                                    .source = row->source,
                                    .doubt = row->doubt};
}

/* Limits of the manifest that the catalogue does not list at all. */
static void own_limits(const struct question *q, struct allowance_share *ret)
{
    const struct manifest *m = q->allowances->manifest;

    for (size_t i = 0; m && i < m->n_limits; i++) {
        const struct manifest_limit *l = &m->limits[i];
        if (strcmp(l->platform, q->platform) == 0 && l->metric != METRIC_CREDIT &&
            !is_listed(q, l->metric))
            weigh(q,
                  &(struct catalogue_row){.metric = l->metric,
                                          .amount = amount_of(l),
                                          .per = l->per,
                                          .per_awake_hour = 1,
                                          .beyond = "the limit that you set is reached",
                                          .source = "the manifest",
                                          .doubt = ""},
                  ret);
    }
}

static void answer(const struct question *q, struct allowance_share *ret)
{
    size_t n;
    const struct catalogue_row *rows = catalogue_rows(q->allowances->catalogue, &n);
    unsigned hosts = q->traffic->hosts;

    *ret =
        (struct allowance_share){.metric = "", .per = "", .beyond = "", .source = "", .doubt = ""};
    own_limits(q, ret);
    for (size_t i = 0; i < n; i++) {
        struct catalogue_row row = rows[i];
        if (strcmp(row.platform, q->platform) != 0 || (hosts && row.hosts && !(hosts & row.hosts)))
            continue;
        const struct manifest_limit *own = override_of(q, row.metric);
        if (!own && q->traffic->paid)
            continue;
        if (own && !isinf(row.amount)) {
            row.amount = amount_of(own);
            row.per = own->per == PER_NONE ? row.per : own->per;
            row.source = "the manifest";
            row.doubt = "";
        }
        weigh(q, &row, ret);
    }
}

void allowance_share(const struct allowances *a, const char *platform, const struct traffic *t,
                     struct allowance_share *ret)
{
    answer(&(struct question){.allowances = a, .platform = platform, .traffic = t}, ret);
}

void allowance_share_of_month(const struct allowances *a, const char *platform,
                              const struct traffic *t, struct allowance_share *ret)
{
    answer(&(struct question){.allowances = a, .platform = platform, .traffic = t, .month = true},
           ret);
}

const char *allowance_load_terms(const struct allowances *a, const char *platform)
{
    return catalogue_load_terms(a->catalogue, platform);
}
