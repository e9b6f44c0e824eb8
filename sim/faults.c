#include "faults.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The rules, in the order they were given: the first that matches and fires decides. */

struct rule {
    const json_t *json; /* the members as given; borrowed from `rules` */
    int64_t after;      /* matching requests still to be let through */
    int64_t times;      /* hits left; -1 = no end */
    double probability;
    uint64_t random; /* state of this rule's generator */
};

struct faults {
    json_t *rules;
    struct rule *list;
    size_t n;
};

/* What one rule's mix draws from. A stall in a mix ends, so that a run of many is not all waiting.
 */
enum { MIX_STALL_MS = 2000, MIX_DELAY_MS = 200, MIX_SLOW_BYTES = 4096 };
static const char *const mix_kinds[] = {
    "delay_ms", "status",   "retry_after", "close_before", "close_after",   "stall",
    "garbage",  "truncate", "slow_body",   "endless",      "expired_token", "unknown_status"};
enum { MIX_KINDS = sizeof(mix_kinds) / sizeof(*mix_kinds) };

/* Members a rule may have. */
static const char *const members[] = {
    "platform",    "method",        "path",           "host",          "times", "after",
    "probability", "seed",          "delay_ms",       "status",        "close", "stall",
    "garbage",     "truncate",      "endless",        "slow_body",     "mix",   "note",
    "retry_after", "expired_token", "unknown_status", "forbid_origin", "except"};
enum { MEMBERS = sizeof(members) / sizeof(*members) };

struct faults *faults_new(void)
{
    struct faults *f = mem_alloc(sizeof(*f));

    f->rules = json_array();
    return f;
}

void faults_free(struct faults *f)
{
    if (!f)
        return;
    json_decref(f->rules);
    free(f->list);
    free(f);
}

const json_t *faults_rules(const struct faults *f)
{
    return f->rules;
}

/* splitmix64: small, seedable, good enough to spread faults. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) / 9007199254740992.0; /* 2^53 */
}

static int check_members(const json_t *rule, size_t index, struct err *e)
{
    void *at = json_object_iter((json_t *)(uintptr_t)rule);

    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)rule, at)) {
        const char *key = json_object_iter_key(at), *near;
        size_t i = 0;

        while (i < MEMBERS && strcmp(members[i], key) != 0)
            i++;
        if (i < MEMBERS)
            continue;
        near = text_did_you_mean(key, members, MEMBERS);
        return err_set(e, ERR_USAGE, "faults: rule %zu: unknown member \"%s\"%s%s%s", index, key,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return 0;
}

static int check_values(const json_t *rule, size_t index, struct err *e)
{
    double probability = json_num(rule, "probability", 1);
    int64_t status = json_int(rule, "status", 500);
    const json_t *except = json_object_get(rule, "except");
    const char *close = json_str(rule, "close", "after");

    if (probability < 0 || probability > 1)
        return err_set(e, ERR_USAGE, "faults: rule %zu: probability must be within 0 and 1", index);
    if (status < 400 || status > 599)
        return err_set(e, ERR_USAGE, "faults: rule %zu: status must be within 400 and 599", index);
    if (strcmp(close, "before") != 0 && strcmp(close, "after") != 0)
        return err_set(e, ERR_USAGE, "faults: rule %zu: close must be \"before\" or \"after\"",
                       index);
    if (json_int(rule, "delay_ms", 0) < 0 || json_int(rule, "slow_body", 1) < 1)
        return err_set(e, ERR_USAGE, "faults: rule %zu: delay_ms or slow_body is negative", index);
    if (except && !json_is_array(except))
        return err_set(e, ERR_USAGE, "faults: rule %zu: except must be an array of paths", index);
    for (size_t i = 0; i < json_array_size(except); i++)
        if (!json_is_string(json_array_get(except, i)))
            return err_set(e, ERR_USAGE, "faults: rule %zu: except: %zu is no path", index, i);
    return 0;
}

int faults_set(struct faults *f, const json_t *rules, struct err *e)
{
    size_t n = json_array_size(rules);
    struct rule *list;

    if (!json_is_array(rules))
        return err_set(e, ERR_USAGE, "faults: must be a JSON array of rules");
    for (size_t i = 0; i < n; i++) {
        const json_t *rule = json_array_get(rules, i);

        if (!json_is_object(rule))
            return err_set(e, ERR_USAGE, "faults: rule %zu: must be an object", i);
        if (check_members(rule, i, e) != 0 || check_values(rule, i, e) != 0)
            return -1;
    }
    list = mem_array(n ? n : 1, sizeof(*list));
    json_decref(f->rules);
    free(f->list);
    f->rules = json_deep_copy(rules);
    f->list = list;
    f->n = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *rule = json_array_get(f->rules, i);

        list[i] = (struct rule){.json = rule,
                                .after = json_int(rule, "after", 0),
                                .times = json_int(rule, "times", -1),
                                .probability = json_num(rule, "probability", 1),
                                .random = (uint64_t)json_int(rule, "seed", 1)};
    }
    return 0;
}

/* --- Matching -------------------------------------------------------------------------------- */

static bool member_fits(const json_t *rule, const char *name, const char *value)
{
    const char *pattern = json_str(rule, name, NULL);

    return !pattern || text_glob(pattern, value);
}

/* One of the paths that the rule leaves alone? */
static bool is_excepted(const json_t *rule, const char *path)
{
    const json_t *list = json_object_get(rule, "except");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (text_glob(json_string_value(json_array_get(list, i)), path))
            return true;
    return false;
}

static bool rule_fits(const struct rule *rule, const struct fault_view *v)
{
    return member_fits(rule->json, "platform", v->platform) &&
           member_fits(rule->json, "method", v->method) &&
           member_fits(rule->json, "host", v->host) &&
           (member_fits(rule->json, "path", v->path) ||
            member_fits(rule->json, "path", v->full_path)) &&
           !is_excepted(rule->json, v->path) && !is_excepted(rule->json, v->full_path);
}

static bool rule_fires(struct rule *rule, const struct fault_view *v)
{
    if (rule->times == 0 || !rule_fits(rule, v))
        return false;
    if (rule->after > 0) {
        rule->after--;
        return false;
    }
    if (rule->probability < 1 && random_unit(&rule->random) >= rule->probability)
        return false;
    if (rule->times > 0)
        rule->times--;
    return true;
}

/* --- What a rule does ------------------------------------------------------------------------ */

static void choose_named(const json_t *rule, struct fault_choice *ret)
{
    static const struct {
        const char *name;
        enum fault_kind kind;
    } flags[] = {{"garbage", FAULT_GARBAGE},
                 {"truncate", FAULT_TRUNCATE},
                 {"endless", FAULT_ENDLESS},
                 {"expired_token", FAULT_EXPIRED},
                 {"stall", FAULT_STALL}};

    ret->delay_ms = json_int(rule, "delay_ms", 0);
    ret->retry_after_s = json_int(rule, "retry_after", -1);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (json_flag(rule, flags[i].name, false))
            ret->kind = flags[i].kind;
    if (json_object_get(rule, "status") || ret->retry_after_s >= 0) {
        ret->kind = FAULT_STATUS;
        ret->number = json_int(rule, "status", 503);
    } else if (json_object_get(rule, "close")) {
        bool before = strcmp(json_str(rule, "close", ""), "before") == 0;

        ret->kind = before ? FAULT_CLOSE_BEFORE : FAULT_CLOSE_AFTER;
    } else if (json_object_get(rule, "slow_body")) {
        ret->kind = FAULT_SLOW_BODY;
        ret->number = json_int(rule, "slow_body", MIX_SLOW_BYTES);
    } else if (json_object_get(rule, "unknown_status")) {
        ret->kind = FAULT_UNKNOWN_STATUS;
        text_copy(ret->word, sizeof(ret->word), json_str(rule, "unknown_status", "unheard-of"));
    } else if (json_object_get(rule, "forbid_origin")) {
        ret->kind = FAULT_FORBID_ORIGIN;
        text_copy(ret->word, sizeof(ret->word), json_str(rule, "forbid_origin", "*"));
    }
}

static bool mix_allows(const json_t *mix, const char *kind)
{
    for (size_t i = 0; i < json_array_size(mix); i++) {
        const char *word = json_string_value(json_array_get(mix, i));

        if (word && strcmp(word, kind) == 0)
            return true;
    }
    return !json_is_array(mix);
}

static void choose_status(uint64_t random, struct fault_choice *ret)
{
    static const int statuses[] = {500, 502, 503, 504, 429, 408};

    ret->kind = FAULT_STATUS;
    ret->number = statuses[random % (sizeof(statuses) / sizeof(*statuses))];
}

static void choose_kind(const char *kind, uint64_t random, struct fault_choice *ret)
{
    static const struct {
        const char *name;
        struct fault_choice is;
    } table[] = {
        {"delay_ms", {.kind = FAULT_NONE, .delay_ms = MIX_DELAY_MS}},
        {"retry_after", {.kind = FAULT_STATUS, .number = 429, .retry_after_s = 2}},
        {"close_before", {.kind = FAULT_CLOSE_BEFORE}},
        {"close_after", {.kind = FAULT_CLOSE_AFTER}},
        {"stall", {.kind = FAULT_STALL, .number = MIX_STALL_MS}},
        {"garbage", {.kind = FAULT_GARBAGE}},
        {"truncate", {.kind = FAULT_TRUNCATE}},
        {"slow_body", {.kind = FAULT_SLOW_BODY, .number = MIX_SLOW_BYTES}},
        {"endless", {.kind = FAULT_ENDLESS}},
        {"expired_token", {.kind = FAULT_EXPIRED}},
        {"unknown_status", {.kind = FAULT_UNKNOWN_STATUS, .word = "unheard-of"}},
    };

    *ret = (struct fault_choice){.retry_after_s = -1};
    if (strcmp(kind, "status") == 0)
        choose_status(random, ret);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (strcmp(table[i].name, kind) == 0)
            *ret = table[i].is;
    if (ret->number != 429)
        ret->retry_after_s = -1;
}

/* "mix": true draws from all kinds, "mix": [names] from those. A permanent token does not expire
 * for the length of one request, so that kind needs a short-lived credential. */
static void choose_mixed(struct rule *rule, const struct fault_view *v, struct fault_choice *ret)
{
    const json_t *mix = json_object_get(rule->json, "mix");

    for (int tries = 0; tries < 64; tries++) {
        uint64_t random = random_next(&rule->random);
        const char *kind = mix_kinds[random % MIX_KINDS];

        if (!mix_allows(mix, kind) || (strcmp(kind, "expired_token") == 0 && !v->short_lived))
            continue;
        choose_kind(kind, random >> 32, ret);
        return;
    }
}

void faults_choose(struct faults *f, const struct fault_view *v, struct fault_choice *ret)
{
    *ret = (struct fault_choice){.retry_after_s = -1};
    for (size_t i = 0; i < f->n; i++) {
        struct rule *rule = &f->list[i];
        const json_t *mix = json_object_get(rule->json, "mix");

        if (!rule_fires(rule, v))
            continue;
        if (json_is_true(mix) || json_is_array(mix))
            choose_mixed(rule, v, ret);
        else
            choose_named(rule->json, ret);
        return;
    }
}
