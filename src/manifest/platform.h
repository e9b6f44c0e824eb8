#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The platforms a manifest may name, and what each can host. How one is spoken to is the provider
 * folder's affair; here is only what can be said of a manifest without any network. Constant.
 */
enum hosting {
    HOSTS_STATIC = 1,
    HOSTS_SERVICE = 2,
    HOSTS_MOBILE = 4,
    HOSTS_DATABASE = 8,
    HOSTS_CACHE = 16,
    HOSTS_STORAGE = 32,
};

struct buf;
struct platform {
    const char *name;
    unsigned hosts;  /* bits of enum hosting */
    size_t name_max; /* longest project or service name */
    /* A database on the free plan sleeps after so long without a query; 0 = never. */
    int64_t database_sleep_ms;
};

const struct platform *platform_find(const char *name); /* NULL when unknown */
/* The nearest name, or NULL. */
const char *platform_did_you_mean(const char *name);
/* "cloudflare-pages, netlify, vercel or exec": all that can host one of these. */
void platform_list(unsigned hosts, struct buf *out);
/* "static apps", "services", ... of the bits, joined. */
void platform_list_hosts(unsigned hosts, struct buf *out);
