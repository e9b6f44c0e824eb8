#include "cloudflare.h"

#include "base/json.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/*
 * Cloudflare's zones and DNS records, as its API reference describes them ("DNS Records for a
 * Zone"). An account's record holds {"zones": {ID: {"name", "records": {ID: record}}}}. A zone is
 * active at once, and nothing answers DNS questions.
 */

enum {
    ID_DIGITS = 32,
    PAGE = 100,
    PAGE_MAX = 5000,
    TTL_LEAST = 60,
    TTL_MOST = 86400,
    AUTOMATIC = 1
};
enum {
    NO_ZONE = 7003,
    BAD_NAME = 1061,
    BAD_A = 9005,
    BAD_AAAA = 9006,
    BAD_CNAME = 9007,
    BAD_TTL = 9021,
    BAD_TYPE = 9004,
    NO_RECORD = 81044,
    HOST_TAKEN = 81053,
    IDENTICAL = 81058,
};

static json_t *zones(struct sim_request *r)
{
    return sim_member(cf_account(r), "zones");
}

static json_t *zone_show(const char *id, const json_t *zone)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s}", "id", id, "name", json_str(zone, "name", ""),
                     "status", "active", "paused", 0, "type", "full");
}

/* The zone of the path, or NULL after a refusal. */
static json_t *zone_of(struct sim_request *r)
{
    json_t *zone = json_object_get(zones(r), r->segments[1]);

    if (!zone)
        cf_refuse(r, 404, NO_ZONE,
                  "Could not route to the requested path, perhaps your object identifier is "
                  "invalid?");
    return zone;
}

static json_t *record_of(struct sim_request *r)
{
    json_t *zone = zone_of(r), *record;

    if (!zone)
        return NULL;
    record = json_object_get(sim_member(zone, "records"), r->segments[3]);
    if (!record)
        cf_refuse(r, 404, NO_RECORD, "Record does not exist.");
    return record;
}

/* --- Zones ----------------------------------------------------------------------------------- */

static void zone_list(struct sim_request *r)
{
    const char *wanted = sim_query(r, "name"), *id;
    json_t *list = json_array(), *zone;

    json_object_foreach(zones(r), id, zone)
    {
        if (!wanted || strcasecmp(wanted, json_str(zone, "name", "")) == 0)
            json_array_append_new(list, zone_show(id, zone));
    }
    cf_page(r, list, 20, 50);
}

static void zone_create(struct sim_request *r)
{
    const char *name = json_str(r->json, "name", ""), *other_id;
    json_t *zone;
    char id[ID_DIGITS + 1];

    json_object_foreach(zones(r), other_id, zone)
    {
        if (strcasecmp(name, json_str(zone, "name", "")) == 0) {
            cf_refuse(r, 400, BAD_NAME, "The zone already exists.");
            return;
        }
    }
    sim_id(r->sim, "", ID_DIGITS, id, sizeof id);
    zone = json_pack("{s:s, s:{}}", "name", name, "records");
    json_object_set_new(zones(r), id, zone);
    sim_changed(r->sim);
    cf_answer(r, zone_show(id, zone));
}

/* --- What a record must be ------------------------------------------------------------------- */

static bool is_address_type(const char *type)
{
    return strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0;
}

static bool content_is_good(struct sim_request *r, const char *type, const char *content)
{
    unsigned char address[16];

    if (strcmp(type, "A") == 0 && inet_pton(AF_INET, content, address) != 1)
        cf_refuse(r, 400, BAD_A, "Content for A record must be a valid IPv4 address.");
    else if (strcmp(type, "AAAA") == 0 && inet_pton(AF_INET6, content, address) != 1)
        cf_refuse(r, 400, BAD_AAAA, "Content for AAAA record must be a valid IPv6 address.");
    else if (strcmp(type, "CNAME") == 0 &&
             (!strchr(content, '.') || inet_pton(AF_INET, content, address) == 1))
        cf_refuse(r, 400, BAD_CNAME, "Content for CNAME record is invalid.");
    else
        return true;
    return false;
}

/* Addresses and aliases exclude each other; a second record of the same type must differ. */
static bool stands_beside_others(struct sim_request *r, json_t *zone, const char *own_id,
                                 const json_t *wanted)
{
    const char *type = json_str(wanted, "type", ""), *id;
    json_t *other;

    json_object_foreach(sim_member(zone, "records"), id, other)
    {
        const char *there = json_str(other, "type", "");
        bool alias = strcmp(type, "CNAME") == 0 || strcmp(there, "CNAME") == 0;
        bool host = (is_address_type(type) || strcmp(type, "CNAME") == 0) &&
                    (is_address_type(there) || strcmp(there, "CNAME") == 0);

        if ((own_id && strcmp(id, own_id) == 0) ||
            strcasecmp(json_str(other, "name", ""), json_str(wanted, "name", "")) != 0)
            continue;
        if (alias && host) {
            cf_refuse(r, 400, HOST_TAKEN,
                      "An A, AAAA, or CNAME record with that host already exists.");
            return false;
        }
        if (strcmp(type, there) == 0 &&
            strcmp(json_str(other, "content", ""), json_str(wanted, "content", "")) == 0) {
            cf_refuse(r, 400, IDENTICAL, "An identical record already exists.");
            return false;
        }
    }
    return true;
}

static bool is_good(struct sim_request *r, json_t *zone, const char *own_id, const json_t *wanted)
{
    static const char *const types[] = {"A", "AAAA", "CNAME", "TXT", "MX", "CAA", "NS", NULL};
    const char *type = json_str(wanted, "type", "");
    int64_t ttl = json_int(wanted, "ttl", AUTOMATIC);
    bool known = false;

    for (size_t i = 0; types[i]; i++)
        known = known || strcmp(types[i], type) == 0;
    if (!known)
        cf_refuse(r, 400, BAD_TYPE, "DNS record type is invalid.");
    else if (ttl != AUTOMATIC && (ttl < TTL_LEAST || ttl > TTL_MOST))
        cf_refuse(r, 400, BAD_TTL,
                  "Invalid TTL. Must be between 60 and 86,400 seconds, or 1 for Automatic.");
    else
        return content_is_good(r, type, json_str(wanted, "content", "")) &&
               stands_beside_others(r, zone, own_id, wanted);
    return false;
}

/* A name outside of the zone is taken as one below it. */
static void complete_name(struct sim_request *r, const json_t *zone, json_t *record)
{
    const char *name = json_str(record, "name", ""), *origin = json_str(zone, "name", "");
    size_t len = strlen(name), n = strlen(origin);

    if (len < n || strcasecmp(name + len - n, origin) != 0 || (len > n && name[len - n - 1] != '.'))
        json_object_set_new(record, "name",
                            json_string(strcmp(name, "@") == 0
                                            ? origin
                                            : arena_printf(r->arena, "%s.%s", name, origin)));
}

/* --- Records --------------------------------------------------------------------------------- */

static void stamp(struct sim_request *r, json_t *record, const char *member)
{
    char at[32];

    sim_iso(sim_now_ms(r->sim), at);
    json_object_set_new(record, member, json_string(at));
}

/* The members of a request that a record has; the rest is Cloudflare's. */
static void take_members(json_t *record, const json_t *from)
{
    static const char *const members[] = {"type",    "name",    "content", "ttl",
                                          "proxied", "comment", "tags",    "settings"};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(from, members[i]);

        if (value)
            json_object_set(record, members[i], value);
    }
    /* What it answers for itself has its own TTL. */
    if (json_flag(record, "proxied", false))
        json_object_set_new(record, "ttl", json_integer(AUTOMATIC));
}

static json_t *new_record(void)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:n, s:[], s:{}, s:{}}", "type", "", "name",
                     "", "content", "", "ttl", AUTOMATIC, "proxied", 0, "proxiable", 1, "comment",
                     "tags", "settings", "meta");
}

static void record_list(struct sim_request *r)
{
    static const char *const filters[][2] = {
        {"name.exact", "name"}, {"name", "name"}, {"type", "type"}, {"content.exact", "content"}};
    json_t *zone = zone_of(r), *list = json_array(), *record;
    const char *id;

    if (!zone) {
        json_decref(list);
        return;
    }
    json_object_foreach(sim_member(zone, "records"), id, record)
    {
        bool listed = true;

        for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
            const char *wanted = sim_query(r, filters[i][0]);

            listed =
                listed && (!wanted || strcasecmp(wanted, json_str(record, filters[i][1], "")) == 0);
        }
        if (listed)
            json_array_append(list, record);
    }
    cf_page(r, list, PAGE, PAGE_MAX);
}

static void record_get(struct sim_request *r)
{
    json_t *record = record_of(r);

    if (record)
        cf_answer(r, json_incref(record));
}

static void record_create(struct sim_request *r)
{
    json_t *zone = zone_of(r), *record;
    char id[ID_DIGITS + 1];

    if (!zone)
        return;
    record = new_record();
    take_members(record, r->json);
    complete_name(r, zone, record);
    if (!is_good(r, zone, NULL, record)) {
        json_decref(record);
        return;
    }
    sim_id(r->sim, "", ID_DIGITS, id, sizeof id);
    json_object_set_new(record, "id", json_string(id));
    stamp(r, record, "created_on");
    stamp(r, record, "modified_on");
    json_object_set_new(sim_member(zone, "records"), id, record);
    sim_changed(r->sim);
    cf_answer(r, json_incref(record));
}

/* PATCH begins with what is there, PUT with an empty record. */
static void change(struct sim_request *r, bool whole)
{
    json_t *record = record_of(r), *zone, *changed;
    const char *id = r->segments[3];

    if (!record)
        return;
    zone = json_object_get(zones(r), r->segments[1]);
    changed = whole ? new_record() : json_copy(record);
    take_members(changed, r->json);
    complete_name(r, zone, changed);
    if (!is_good(r, zone, id, changed)) {
        json_decref(changed);
        return;
    }
    json_object_set_new(changed, "id", json_string(id));
    json_object_set(changed, "created_on", json_object_get(record, "created_on"));
    stamp(r, changed, "modified_on");
    json_object_set_new(sim_member(zone, "records"), id, changed);
    sim_changed(r->sim);
    cf_answer(r, json_incref(changed));
}

static void record_patch(struct sim_request *r)
{
    change(r, false);
}

static void record_put(struct sim_request *r)
{
    change(r, true);
}

static void record_delete(struct sim_request *r)
{
    const char *id = r->segments[3];

    if (!record_of(r))
        return;
    json_object_del(sim_member(json_object_get(zones(r), r->segments[1]), "records"), id);
    sim_changed(r->sim);
    cf_answer(r, json_pack("{s:s}", "id", id));
}

bool cf_dns(struct sim_request *r)
{
#define RECORDS "/zones/:zone/dns_records"
    static const struct sim_endpoint table[] = {{"GET", "/zones", zone_list},
                                                {"POST", "/zones", zone_create},
                                                {"GET", RECORDS, record_list},
                                                {"POST", RECORDS, record_create},
                                                {"GET", RECORDS "/:id", record_get},
                                                {"PATCH", RECORDS "/:id", record_patch},
                                                {"PUT", RECORDS "/:id", record_put},
                                                {"DELETE", RECORDS "/:id", record_delete},
                                                {NULL, NULL, NULL}};
#undef RECORDS
    return sim_dispatch(r, table);
}
