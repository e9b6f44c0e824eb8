#include "rest.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

json_t *rest_shown(json_t *record)
{
    json_t *shown = json_copy(record);
    json_object_del(shown, "sim");
    return shown;
}

int64_t rest_query_int(const struct sim_request *r, const char *name, int64_t min, int64_t max,
                       int64_t otherwise)
{
    int64_t value = otherwise;
    const char *text = sim_query(r, name);
    if (text && text_int(text, min, max, &value) != 0)
        return otherwise;
    return value;
}

struct allow {
    const char *name, *value;
    bool asked, allowed;
};

static bool list_has(const char *list, const char *value)
{
    size_t want = strlen(value);
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        if (len == want && strncmp(p, value, len) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

static void allow_one(const char *name, const char *value, void *arg)
{
    struct allow *a = arg;
    if (strcmp(name, a->name) != 0)
        return;
    a->asked = true;
    a->allowed |= list_has(value ? value : "", a->value);
}

bool rest_query_allows(const struct sim_request *r, const char *name, const char *value)
{
    struct allow a = {.name = name, .value = value};
    if (r->x)
        http_exchange_queries(r->x, allow_one, &a);
    return !a.asked || a.allowed;
}

json_t *rest_newest_first(json_t *table)
{
    json_t *list = json_array(), *value;
    const char *key;
    json_object_foreach(table, key, value) json_array_insert(list, 0, value);
    return list;
}

void rest_stamp(json_t *object, const char *member, int64_t ms)
{
    char text[32];
    sim_iso(ms, text);
    json_object_set_new(object, member, json_string(text));
}

void rest_branch_head(const char *repository, const char *branch, char ret[41])
{
    uint8_t digest[SHA1_LEN];
    char text[512];
    int n = snprintf(text, sizeof text, "%s\n%s", repository, branch);
    sha1(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1, digest);
    hex_encode(digest, sizeof digest, ret);
}

const char *rest_take_name(struct sim_request *r, json_t *hosts, const char *wanted,
                           const char *owner)
{
    const char *name = wanted;
    for (unsigned i = 2; json_object_get(hosts, name); i++)
        name = arena_printf(r->arena, "%s-%u", wanted, i);
    json_object_set_new(hosts, name, json_string(owner));
    return name;
}

const char *rest_host_label(struct arena *a, const char *text)
{
    char *label = arena_strdup(a, text);
    for (char *c = label; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')))
            *c = '-';
    }
    return label;
}

void rest_publish(struct sim *s, const struct sim_platform *p, const struct rest_site *site)
{
    sim_site_service(s, p, site->host, site->commit, site->idle_ms, site->cold_ms);
    if (site->environment && *site->environment)
        sim_site_environment(s, site->host, site->environment);
}

void rest_set_live(json_t *record, bool live)
{
    json_object_set_new(sim_member(record, "sim"), "live", json_boolean(live));
}

/* Adds one to a counter member. */
static void count(json_t *object, const char *member)
{
    json_object_set_new(object, member, json_integer(json_int(object, member, 0) + 1));
}

static void count_deployments(json_t *deployments, const char *link, json_t *details, json_t *into)
{
    json_t *deployment;
    const char *id;
    json_object_foreach(deployments, id, deployment)
    {
        json_t *detail = json_object_get(details, json_str(deployment, link, ""));
        bool live = json_flag(deployment, "sim.live", false);
        count(into, "deployments");
        if (live)
            count(into, "live");
        if (!detail)
            continue;
        count(detail, "deployments");
        if (live) {
            count(detail, "live_count");
            json_object_set_new(detail, "live", json_string(id));
        }
    }
}

static void books_of(json_t *account, const char *account_name, const char *projects,
                     const char *link, json_t *into)
{
    json_t *details = json_object(), *project;
    const char *id;
    json_object_foreach(json_object_get(account, projects), id, project)
    {
        json_t *detail =
            json_pack("{s:s, s:s, s:s, s:i, s:i}", "id", id, "name", json_str(project, "name", ""),
                      "account", account_name, "deployments", 0, "live_count", 0);
        count(into, "projects");
        json_object_set(details, id, detail);
        json_array_append_new(json_object_get(into, "project_list"), detail);
    }
    count_deployments(json_object_get(account, "deployments"), link, details, into);
    json_decref(details);
}

void rest_books(json_t *accounts, const char *projects, const char *link, json_t *into)
{
    json_t *account;
    const char *name;
    json_object_set_new(into, "projects", json_integer(0));
    json_object_set_new(into, "deployments", json_integer(0));
    json_object_set_new(into, "live", json_integer(0));
    json_object_set_new(into, "project_list", json_array());
    json_object_foreach(accounts, name, account) books_of(account, name, projects, link, into);
}

/* Where the record with that id is, or `otherwise`. */
static size_t index_of(json_t *list, const char *id, size_t otherwise)
{
    json_t *record;
    size_t i;
    json_array_foreach(list, i, record)
    {
        if (id && strcmp(json_str(record, "id", ""), id) == 0)
            return i;
    }
    return otherwise;
}

json_t *rest_connection(json_t *args, json_t *list)
{
    size_t n = json_array_size(list);
    const char *after = json_str(args, "after", NULL);
    size_t from = after ? index_of(list, after, n - 1) + 1 : 0;
    size_t to = index_of(list, json_str(args, "before", NULL), n);
    int64_t first = json_int(args, "first", -1), last = json_int(args, "last", -1);
    if (to < from)
        to = from;
    if (first >= 0 && to - from > (size_t)first)
        to = from + (size_t)first;
    if (last >= 0 && to - from > (size_t)last)
        from = to - (size_t)last;
    json_t *edges = json_array();
    for (size_t i = from; i < to; i++) {
        json_t *record = json_array_get(list, i);
        json_array_append_new(
            edges, json_pack("{s:s, s:O}", "cursor", json_str(record, "id", ""), "node", record));
    }
    json_t *info = json_pack("{s:b, s:b}", "hasNextPage", to<n, "hasPreviousPage", from> 0);
    if (to > from) {
        json_object_set(info, "startCursor", json_object_get(json_array_get(list, from), "id"));
        json_object_set(info, "endCursor", json_object_get(json_array_get(list, to - 1), "id"));
    }
    json_decref(list);
    return json_pack("{s:o, s:o}", "edges", edges, "pageInfo", info);
}
