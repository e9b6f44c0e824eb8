#include "manifest/platform.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

/* A project's name becomes a label of a host name, at most 63 characters (RFC 1035, 2.3.4);
 * Cloudflare Pages stops at 58. The free databases of Neon and Koyeb (which is made of the same)
 * sleep after 5 minutes; neon.com/docs/introduction/scale-to-zero. */
static const struct platform platforms[] = {
    {"cloudflare-pages", HOSTS_STATIC, 58, 0},
    {"netlify", HOSTS_STATIC, 63, 0},
    {"vercel", HOSTS_STATIC, 63, 0},
    {"koyeb", HOSTS_SERVICE | HOSTS_DATABASE, 63, 300000},
    {"render", HOSTS_SERVICE | HOSTS_DATABASE | HOSTS_CACHE, 63, 0},
    {"railway", HOSTS_SERVICE | HOSTS_DATABASE | HOSTS_CACHE | HOSTS_STORAGE, 63, 0},
    {"expo", HOSTS_MOBILE, 63, 0},
    {"neon", HOSTS_DATABASE, 63, 300000},
    {"supabase", HOSTS_DATABASE | HOSTS_STORAGE, 63, 0},
    {"postgres", HOSTS_DATABASE, 63, 0}, /* any server, by its url */
    {"upstash", HOSTS_CACHE, 63, 0},
    {"redis", HOSTS_CACHE, 63, 0}, /* any server, by its url */
    {"r2", HOSTS_STORAGE, 63, 0},
    {"s3", HOSTS_STORAGE, 63, 0},                                 /* any endpoint that speaks S3 */
    {"exec", HOSTS_STATIC | HOSTS_SERVICE | HOSTS_MOBILE, 63, 0}, /* the user's own commands */
};
enum { N_PLATFORMS = sizeof platforms / sizeof platforms[0] };

const struct platform *platform_find(const char *name)
{
    for (size_t i = 0; i < N_PLATFORMS; i++)
        if (strcmp(platforms[i].name, name) == 0)
            return &platforms[i];
    return NULL;
}

const char *platform_did_you_mean(const char *name)
{
    const char *names[N_PLATFORMS];
    for (size_t i = 0; i < N_PLATFORMS; i++)
        names[i] = platforms[i].name;
    return strlen(name) <= 64 ? text_did_you_mean(name, names, N_PLATFORMS) : NULL;
}

void platform_list(unsigned hosts, struct buf *out)
{
    const char *last = NULL;
    for (size_t i = 0, n = 0; i < N_PLATFORMS; i++) {
        if (!(platforms[i].hosts & hosts))
            continue;
        if (last)
            buf_addf(out, "%s%s", n++ ? ", " : "", last);
        last = platforms[i].name;
    }
    if (last)
        buf_addf(out, "%s%s", out->len ? " or " : "", last);
}

void platform_list_hosts(unsigned hosts, struct buf *out)
{
    static const char *const words[] = {"static apps", "services", "mobile apps",
                                        "databases",   "caches",   "files"};
    for (size_t i = 0, n = 0; i < sizeof words / sizeof words[0]; i++)
        if (hosts & (1u << i))
            buf_addf(out, "%s%s", n++ ? " and " : "", words[i]);
}
