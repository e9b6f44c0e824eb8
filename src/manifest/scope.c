#include "manifest/schema.h"

#include <string.h>

#define FAMILY_BINDING                                                                             \
    (SCOPE_BIT(SCOPE_STATIC) | SCOPE_BIT(SCOPE_SERVICE) | SCOPE_BIT(SCOPE_MOBILE) |                \
     SCOPE_BIT(SCOPE_DATABASE) | SCOPE_BIT(SCOPE_CACHE) | SCOPE_BIT(SCOPE_STORAGE))
#define BINDING(text)                                                                              \
    {                                                                                              \
        .what = (text), .size = sizeof(struct manifest_binding),                                   \
        .place = offsetof(struct manifest_binding, place), .family = FAMILY_BINDING, .kind = -1    \
    }
#define GROUP(id, text, type)                                                                      \
    [id] = {.what = (text),                                                                        \
            .size = sizeof(struct type),                                                           \
            .place = NO_PLACE,                                                                     \
            .family = SCOPE_BIT(id),                                                               \
            .kind = -1}
#define ENTRY(id, text, type)                                                                      \
    [id] = {.what = (text),                                                                        \
            .size = sizeof(struct type),                                                           \
            .place = offsetof(struct type, place),                                                 \
            .family = SCOPE_BIT(id),                                                               \
            .kind = -1,                                                                            \
            .name_check = check_name,                                                              \
            .name = "NAME"}
#define KINDS(id, text, type, member)                                                              \
    [id] = {.what = (text),                                                                        \
            .size = sizeof(struct type),                                                           \
            .place = offsetof(struct type, place),                                                 \
            .family = SCOPE_BIT(id),                                                               \
            .kind = offsetof(struct type, member),                                                 \
            .name_check = check_name,                                                              \
            .name = "NAME"}
#define SINGLE(id, text, type, word, rule)                                                         \
    [id] = {.what = (text),                                                                        \
            .size = sizeof(struct type),                                                           \
            .place = offsetof(struct type, place),                                                 \
            .family = SCOPE_BIT(id),                                                               \
            .kind = -1,                                                                            \
            .single = true,                                                                        \
            .name_check = (rule),                                                                  \
            .name = (word)}

const struct scope schema_scopes[SCOPES] = {
    GROUP(SCOPE_FILE, "a manifest", manifest),
    KINDS(SCOPE_APP, "an app", manifest_app, kind),
    SINGLE(SCOPE_VARIABLE, "a variable", manifest_pair, "VARIABLE", check_variable),
    ENTRY(SCOPE_ENVIRONMENT, "an environment", manifest_environment),
    [SCOPE_STATIC] = BINDING("static hosting"),
    [SCOPE_SERVICE] = BINDING("service hosting"),
    [SCOPE_MOBILE] = BINDING("mobile building"),
    [SCOPE_DATABASE] = BINDING("a database"),
    [SCOPE_CACHE] = BINDING("a cache"),
    [SCOPE_STORAGE] = BINDING("a storage"),
    KINDS(SCOPE_CHECK, "a check", manifest_check, kind),
    SINGLE(SCOPE_HEADER, "a header", manifest_pair, "HEADER", check_header),
    GROUP(SCOPE_PROBE, "probe", manifest_probe),
    GROUP(SCOPE_TARGETS, "targets", manifest_targets),
    ENTRY(SCOPE_ROUTE, "a route", manifest_route),
    SINGLE(SCOPE_WEIGHT, "a weight", manifest_weight, "ENVIRONMENT", check_name),
    [SCOPE_DNS] = {.what = "dns",
                   .size = sizeof(struct manifest_dns),
                   .place = offsetof(struct manifest_dns, place),
                   .family = SCOPE_BIT(SCOPE_DNS),
                   .kind = offsetof(struct manifest_dns, engine)},
    SINGLE(SCOPE_ANSWER, "an answer", manifest_pair, "ENVIRONMENT", check_name),
    GROUP(SCOPE_BUDGET, "budget", manifest_budget),
    SINGLE(SCOPE_PRICE, "a price", manifest_price, "HOST", check_name),
    ENTRY(SCOPE_LIMIT, "a limit", manifest_limit),
    ENTRY(SCOPE_KEEP_AWAKE, "keep_awake", manifest_keep_awake),
    KINDS(SCOPE_ALERT, "an alert", manifest_alert, kind),
    ENTRY(SCOPE_COPY, "a copy", manifest_copy),
    ENTRY(SCOPE_BACKUP, "a backup", manifest_backup),
    ENTRY(SCOPE_OBJECTS, "objects", manifest_objects),
    ENTRY(SCOPE_PARITY, "a parity rule", manifest_parity),
    KINDS(SCOPE_SCHEDULE, "a schedule", manifest_schedule, job),
    ENTRY(SCOPE_BENCH, "a bench", manifest_bench),
    GROUP(SCOPE_SCORE, "score", manifest_score),
    GROUP(SCOPE_HISTORY, "history", manifest_history),
    GROUP(SCOPE_CRITERIA, "criteria", manifest_criteria),
    GROUP(SCOPE_GITHUB, "github", manifest_github),
};

const struct key *schema_find(enum scope_id in, const char *name)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if ((schema_keys[i].in & SCOPE_BIT(in)) && strcmp(schema_keys[i].name, name) == 0)
            return &schema_keys[i];
    return NULL;
}

const struct key *schema_only_key(enum scope_id in)
{
    const struct key *row = schema_keys;
    while (!(row->in & SCOPE_BIT(in)))
        row++;
    return row;
}

bool schema_applies(const struct key *row, enum scope_id in, const void *base)
{
    int kind = schema_scopes[in].kind;
    if (!row->only || kind < 0)
        return true;
    unsigned value;
    memcpy(&value, (const char *)base + kind, sizeof value);
    return row->only & (1u << value);
}

const char *app_kind_name(enum app_kind k)
{
    return schema_app_kinds[k];
}

const char *alert_kind_name(enum alert_kind k)
{
    return schema_alert_kinds[k];
}

const char *alert_event_name(enum alert_event v)
{
    return schema_events[v];
}

const char *check_kind_name(enum check_kind k)
{
    return schema_check_kinds[k];
}

const char *route_dns_key_name(enum route_dns_key k)
{
    return schema_dns_keys[k];
}
