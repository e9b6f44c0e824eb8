#include "sites.h"
#include "core.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIAS_HOPS = 4 };

struct sites {
    json_t *index; /* host -> place in `list` */
    struct site **list;
    size_t n;
};

struct sites *sites_new(void)
{
    struct sites *l = mem_alloc(sizeof(*l));

    l->index = json_object();
    return l;
}

static void site_forget_rules(struct site *site)
{
    routes_release(site->routes);
    arena_release(&site->rules);
    site->rules = ARENA_INIT;
    site->redirects = NULL;
    site->headers = NULL;
    site->routes = NULL;
    site->parsed = false;
}

static void sites_clear(struct sites *l)
{
    for (size_t i = 0; i < l->n; i++) {
        site_forget_rules(l->list[i]);
        free(l->list[i]->host);
        free(l->list[i]);
    }
    free(l->list);
    l->list = NULL;
    l->n = 0;
    json_object_clear(l->index);
}

void sites_free(struct sites *l)
{
    if (!l)
        return;
    sites_clear(l);
    json_decref(l->index);
    free(l);
}

/* --- By host --------------------------------------------------------------------------------- */

static struct site *site_exact(const struct sim *s, const char *host)
{
    const struct sites *l = s->sites;
    const json_t *place = json_object_get(l->index, host);
    size_t at = place ? (size_t)json_integer_value(place) : l->n;

    return at < l->n ? l->list[at] : NULL;
}

struct site *site_find(const struct sim *s, const char *host)
{
    struct site *site = site_exact(s, host);

    for (int hop = 0; site && hop < ALIAS_HOPS; hop++) {
        const char *target = json_string_value(json_object_get(site->record, "target"));

        if (!target)
            return site;
        site = site_exact(s, target);
    }
    return NULL;
}

bool sim_site_exists(const struct sim *s, const char *host)
{
    return site_exact(s, host) != NULL;
}

static struct site *site_make(struct sim *s, const char *host)
{
    struct sites *l = s->sites;
    struct site *site = site_exact(s, host);

    if (site) {
        site_forget_rules(site);
        return site;
    }
    site = mem_alloc(sizeof(*site));
    site->host = mem_strdup(host);
    site->used_ms = sim_now_ms(s);
    l->list = mem_grow(l->list, l->n + 1, sizeof(struct site *));
    l->list[l->n] = site;
    json_object_set_new(l->index, host, json_integer((json_int_t)l->n++));
    return site;
}

/* Puts the record (stolen) into the state and makes the host show it. */
static struct site *publish(struct sim *s, const struct sim_platform *p, const char *host,
                            json_t *record)
{
    struct site *site = site_make(s, host);

    json_object_set_new(record, "platform", json_string(p->name));
    json_object_set_new(sim_member(s->state, "sites"), host, record);
    site->record = record;
    site->platform = p;
    sim_changed(s);
    return site;
}

void sites_load(struct sim *s)
{
    const char *host;
    json_t *record;

    sites_clear(s->sites);
    json_object_foreach(sim_member(s->state, "sites"), host, record)
    {
        struct site *site = site_make(s, host);

        site->record = record;
        site->platform = sim_platform_named(json_str(record, "platform", ""));
    }
}

void sim_site_remove(struct sim *s, const char *host)
{
    struct sites *l = s->sites;
    const json_t *place = json_object_get(l->index, host);
    size_t at = place ? (size_t)json_integer_value(place) : l->n;
    struct site *site;

    if (!place)
        return;
    site = l->list[at];
    l->list[at] = l->list[--l->n];
    json_object_set_new(l->index, l->list[at]->host, json_integer((json_int_t)at));
    json_object_del(l->index, host);
    json_object_del(sim_member(s->state, "sites"), host);
    site_forget_rules(site);
    free(site->host);
    free(site);
    sim_changed(s);
}

/* --- Publishing ------------------------------------------------------------------------------ */

/* The commit that a bundle carries about itself, when it does. */
static const char *commit_of(struct sim *s, const char *space, const json_t *files,
                             struct arena *arena)
{
    const char *blob = json_string_value(json_object_get(files, "/.well-known/trine.json"));
    struct err ignored = ERR_INIT;
    const char *text, *commit = NULL;
    size_t len;
    json_t *json;

    text = blob ? sim_blob_read(s, space, blob, arena, &len) : NULL;
    if (!text)
        return NULL;
    json = json_read(text, len, "the bundle's own description", &ignored);
    commit = arena_strdup(arena, json_str(json, "commit", NULL));
    json_decref(json);
    return commit;
}

void sim_site_static(struct sim *s, const struct sim_platform *p, const char *host,
                     const char *blob_space, const json_t *files)
{
    struct arena arena = ARENA_INIT;
    const char *commit = commit_of(s, blob_space, files, &arena);

    publish(s, p, host,
            json_pack("{s:s, s:s, s:O, s:s*}", "kind", "static", "space", blob_space, "files",
                      files, "commit", commit));
    arena_release(&arena);
}

/* Adds to a host's record; what it implies is parsed anew at the next request. */
static void record_add(struct sim *s, const char *host, const char *name, json_t *value)
{
    struct site *site = site_exact(s, host);

    if (!site) {
        json_decref(value);
        return;
    }
    json_object_set_new(site->record, name, value);
    site_forget_rules(site);
    sim_changed(s);
}

void sim_site_rules(struct sim *s, const char *host, const char *headers, const char *redirects)
{
    if (headers)
        record_add(s, host, "headers", json_string(headers));
    if (redirects)
        record_add(s, host, "redirects", json_string(redirects));
}

void sim_site_routes(struct sim *s, const char *host, const json_t *routes)
{
    record_add(s, host, "routes", json_deep_copy(routes));
}

void sim_site_types(struct sim *s, const char *host, const json_t *types)
{
    record_add(s, host, "types", json_deep_copy(types));
}

void sim_site_alias(struct sim *s, const struct sim_platform *p, const char *host,
                    const char *target)
{
    publish(s, p, host, json_pack("{s:s, s:s}", "kind", "alias", "target", target));
}

void sim_site_service(struct sim *s, const struct sim_platform *p, const char *host,
                      const char *commit, int64_t idle_ms, int64_t cold_ms)
{
    const struct site *old = site_exact(s, host);
    const char *environment = old ? json_str(old->record, "environment", NULL) : NULL;
    json_t *record = json_pack("{s:s, s:s*, s:s, s:I, s:I}", "kind", "service", "commit", commit,
                               "environment", environment ? environment : "production", "idle_ms",
                               (json_int_t)idle_ms, "cold_ms", (json_int_t)cold_ms);
    struct site *site = publish(s, p, host, record);

    site->used_ms = sim_now_ms(s);
    site->sent_to_sleep = false;
}

void sim_site_environment(struct sim *s, const char *host, const char *environment)
{
    record_add(s, host, "environment", json_string(environment));
}

/* --- Asking ---------------------------------------------------------------------------------- */

static bool is_service(const struct site *site)
{
    return strcmp(json_str(site->record, "kind", ""), "service") == 0;
}

static bool asleep(const struct sim *s, const struct site *site)
{
    int64_t idle_ms = json_int(site->record, "idle_ms", 0);

    return is_service(site) &&
           (site->sent_to_sleep || (idle_ms > 0 && sim_now_ms(s) - site->used_ms > idle_ms));
}

bool sim_site_asleep(struct sim *s, const char *host)
{
    const struct site *site = site_find(s, host);

    return site && asleep(s, site);
}

bool site_sleep_now(struct sim *s, const char *host)
{
    struct site *site = site_find(s, host);

    if (!site || !is_service(site))
        return false;
    site->sent_to_sleep = true;
    return true;
}

int64_t service_wake(struct sim *s, struct site *site, int64_t cold_ms)
{
    int64_t now_us = clock_mono_us(loop_clock(s->loop));

    if (!is_service(site))
        return 0;
    if (asleep(s, site)) {
        if (cold_ms < 0)
            cold_ms = json_int(site->record, "cold_ms", 0);
        site->awake_us = now_us + cold_ms * 1000;
    }
    site->sent_to_sleep = false;
    site->used_ms = sim_now_ms(s);
    return site->awake_us > now_us ? (site->awake_us - now_us + 999) / 1000 : 0;
}

void sim_site_hostport(const struct sim *s, const char *host, char ret[320])
{
    snprintf(ret, 320, "%.300s:%u", host, (unsigned)s->sites_port);
}

void sim_site_origin(const struct sim *s, const char *host, char ret[320])
{
    snprintf(ret, 320, "http://%.300s:%u", host, (unsigned)s->sites_port);
}

json_t *sites_books(const struct sim *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->sites->n; i++) {
        const struct site *site = s->sites->list[i], *shown = site_find(s, site->host);
        const char *kind = json_str(site->record, "kind", "");
        json_t *entry = json_pack("{s:s, s:s, s:s, s:s*, s:b}", "host", site->host, "platform",
                                  site->platform ? site->platform->name : "", "kind", kind,
                                  "commit", shown ? json_str(shown->record, "commit", NULL) : NULL,
                                  "asleep", shown && asleep(s, shown));
        char origin[320];

        sim_site_origin(s, site->host, origin);
        json_object_set_new(entry, "url", json_string(origin));
        json_array_append_new(list, entry);
    }
    return list;
}
