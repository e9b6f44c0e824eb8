#include "base/json.h"
#include "koyeb.h"

#include <string.h>

static const char *const regions[] = {"fra", "was", "sin", "tyo", "par", "sfo", NULL};
static const char *const types[] = {"WEB", "WORKER", "DATABASE", "SANDBOX", NULL};
static const char *const sources[] = {"git", "docker", "archive", "database", NULL};

static bool one_of(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (word && strcmp(*words, word) == 0)
            return true;
    }
    return false;
}

bool koyeb_is_free(json_t *definition)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "instance_types"), i, item)
    {
        if (strcmp(json_str(item, "type", ""), "free") == 0)
            return true;
    }
    return false;
}

static void check_source(json_t *definition, json_t *fields)
{
    unsigned n = 0;
    for (const char *const *source = sources; *source; source++)
        n += json_is_object(json_object_get(definition, *source));
    if (n != 1)
        koyeb_field(fields, "definition", "exactly one source of git, docker, archive, database");
    if (json_object_get(definition, "git") && !*json_str(definition, "git.repository", ""))
        koyeb_field(fields, "definition.git.repository", "this field is required");
    if (json_object_get(definition, "docker") && !*json_str(definition, "docker.image", ""))
        koyeb_field(fields, "definition.docker.image", "this field is required");
}

static bool port_is_open(json_t *definition, int64_t port)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "ports"), i, item)
    {
        if (json_int(item, "port", -1) == port)
            return true;
    }
    return false;
}

static void check_network(json_t *definition, json_t *fields)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "ports"), i, item)
    {
        int64_t port = json_int(item, "port", 0);
        if (port < 1 || port > 65535)
            koyeb_field(fields, "definition.ports.port", "must be between 1 and 65535");
    }
    json_array_foreach(json_object_get(definition, "routes"), i, item)
    {
        if (!port_is_open(definition, json_int(item, "port", -1)))
            koyeb_field(fields, "definition.routes.port", "no such port is exposed");
        if (*json_str(item, "path", "") != '/')
            koyeb_field(fields, "definition.routes.path", "must begin with /");
    }
}

static bool secret_exists(json_t *account, const char *name)
{
    json_t *secret;
    const char *id;
    json_object_foreach(sim_member(account, "secrets"), id, secret)
    {
        if (strcmp(json_str(secret, "name", ""), name) == 0)
            return true;
    }
    return false;
}

static void check_env(json_t *account, json_t *definition, json_t *fields)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "env"), i, item)
    {
        const char *secret = json_str(item, "secret", NULL);
        if (!*json_str(item, "key", ""))
            koyeb_field(fields, "definition.env.key", "this field is required");
        if (!secret && !json_is_string(json_object_get(item, "value")))
            koyeb_field(fields, "definition.env.value", "either value or secret is required");
        if (secret && !secret_exists(account, secret))
            koyeb_field(fields, "definition.env.secret", "no secret has this name");
    }
}

static void check_scale(json_t *definition, json_t *fields)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "scalings"), i, item)
    {
        int64_t min = json_int(item, "min", 0), max = json_int(item, "max", 1);
        if (min < 0 || max < 1 || min > max)
            koyeb_field(fields, "definition.scalings", "min must not be over max");
        if (koyeb_is_free(definition) && max > 1)
            koyeb_field(fields, "definition.scalings.max", "a free instance cannot be scaled");
    }
    json_array_foreach(json_object_get(definition, "regions"), i, item)
    {
        const char *region = json_string_value(item);
        if (!one_of(regions, region))
            koyeb_field(fields, "definition.regions", "unknown region");
        else if (koyeb_is_free(definition) && strcmp(region, "fra") != 0 &&
                 strcmp(region, "was") != 0)
            koyeb_field(fields, "definition.regions", "free instances run in fra or was");
    }
}

void koyeb_check_definition(json_t *account, json_t *definition, json_t *fields)
{
    if (!json_is_object(definition)) {
        koyeb_field(fields, "definition", "this field is required");
        return;
    }
    if (!one_of(types, json_str(definition, "type", "WEB")))
        koyeb_field(fields, "definition.type", "unknown service type");
    if (koyeb_is_free(definition) && strcmp(json_str(definition, "type", "WEB"), "WEB") != 0)
        koyeb_field(fields, "definition.instance_types", "free instances run web services only");
    check_source(definition, fields);
    check_network(definition, fields);
    check_env(account, definition, fields);
    check_scale(definition, fields);
}
