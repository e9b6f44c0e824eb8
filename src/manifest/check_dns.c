#include "manifest/parse.h"

#include "net/dns_update.h"

#include <string.h>
#include <strings.h>

/* Checks of `dns:` in routes: names that could never be moved so. */

static bool is_zone_id(const char *zone)
{
    return strlen(zone) == 32 && strspn(zone, "0123456789abcdefABCDEF") == 32;
}

static bool in_zone(const char *host, const char *zone)
{
    size_t len = strlen(host), n = strlen(zone);
    return len >= n && strcasecmp(host + len - n, zone) == 0 &&
           (len == n || host[len - n - 1] == '.');
}

static const struct manifest_pair *answer_of(const struct manifest_dns *dns,
                                             const char *environment)
{
    for (size_t i = 0; i < dns->n_answers; i++)
        if (strcmp(dns->answers[i].name, environment) == 0)
            return &dns->answers[i];
    return NULL;
}

static void check_names(struct reading *r, const struct manifest_route *route, struct complaint c)
{
    const struct manifest_dns *dns = &route->dns;
    bool by_id = dns->engine == ROUTE_DNS_CLOUDFLARE && is_zone_id(dns->zone);

    if (!*route->host && !was_refused(r, &route->host))
        complain(r, &c, "moves the route's public name, so the route needs \"host\"");
    c.key = "dns.zone";
    c.member = &dns->zone;
    if (*route->host && *dns->zone && !by_id && !in_zone(route->host, dns->zone))
        complain(r, &c, "%s is not in the zone %s; give the zone that holds it", route->host,
                 dns->zone);
    for (const struct manifest_route *other = r->m->routes; other < route; other++)
        if (*route->host && other->dns.place.line && strcasecmp(other->host, route->host) == 0)
            complain(r, &c, "the route %s moves %s already; give this route another host",
                     other->name, route->host);
}

static void check_credentials(struct reading *r, const struct manifest_dns *dns, struct complaint c)
{
    if (dns->engine == ROUTE_DNS_CLOUDFLARE && !*dns->token && !was_refused(r, &dns->token))
        complain(r, &c, "the engine cloudflare needs \"token\"");
    if (dns->engine != ROUTE_DNS_RFC2136)
        return;
    if (!*dns->server && !was_refused(r, &dns->server))
        complain(r, &c, "the engine rfc2136 needs \"server\": the zone's primary");
    if (!*dns->key_name != !*dns->key_secret && !was_refused(r, &dns->key_secret))
        complain(r, &c, "needs \"key_name\" and \"key_secret\" together, or neither");
}

static void check_answer(struct reading *r, const struct manifest_route *route,
                         const struct manifest_pair *answer, struct complaint c)
{
    struct err why = ERR_INIT;
    struct dns_record value = {.type = DNS_A};

    c.key = "dns.answers";
    c.place = answer->place;
    c.member = &answer->value;
    if (!require_environment(r, &c, answer->name))
        return;
    if (!route_holds(route, answer->name))
        complain(r, &c,
                 "%s has no part in this route; add it to its weights or backup, or leave "
                 "it out here",
                 answer->name);
    if (!*answer->value)
        return;
    if (dns_value_read(answer->value, &value, &why) < 0)
        complain(r, &c, "%s", why.text);
    else if (value.type == DNS_CNAME && strcasecmp(value.value, route->host) == 0)
        complain(r, &c, "the answer of %s is the moved name itself; give the platform's host",
                 answer->name);
}

/* The zone's own name has SOA and NS records, beside which there can be no alias. */
static void check_apex(struct reading *r, const struct manifest_route *route, struct complaint c)
{
    const struct manifest_dns *dns = &route->dns;
    struct err ignored = ERR_INIT;

    if (dns->engine != ROUTE_DNS_RFC2136 || !*route->host ||
        strcasecmp(route->host, dns->zone) != 0)
        return;
    c.key = "dns.answers";
    c.member = &dns->answers;
    for (size_t i = 0; i < route->n_failover; i++) {
        const struct manifest_pair *answer = answer_of(dns, route->failover[i]);
        struct dns_record value = {.type = DNS_CNAME};

        if (answer)
            (void)dns_value_read(answer->value, &value, &ignored);
        if (value.type == DNS_CNAME)
            complain(r, &c,
                     "%s is the zone itself, which can have no alias; give the IP address "
                     "of %s",
                     route->host, route->failover[i]);
    }
}

void manifest_check_dns(struct reading *r)
{
    for (size_t i = 0; i < r->m->n_routes; i++) {
        const struct manifest_route *route = &r->m->routes[i];
        const struct manifest_dns *dns = &route->dns;
        struct complaint c = {"traffic", route->name, "dns", NULL, dns->place};

        if (dns->place.line == 0)
            continue;
        check_names(r, route, c);
        if (was_given(r, &dns->engine) && !was_refused(r, &dns->engine))
            check_credentials(r, dns, c);
        for (size_t k = 0; k < dns->n_answers; k++)
            check_answer(r, route, &dns->answers[k], c);
        check_apex(r, route, c);
    }
}
