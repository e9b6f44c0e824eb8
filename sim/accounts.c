#include "sim.h"

#include "base/hash.h"

#include <string.h>

/*
 * Who may log in. The tokens are made up and published with the example set-up (examples/weedgo/
 * sim.env); nothing here opens anything but this simulator.
 */
static const struct {
    const char *platform, *token, *account;
} known[] = {
    {"cloudflare-pages", "sim-cloudflare-token-0001", "5130c0ffee5130c0ffee5130c0ffee51"},
    {"netlify", "sim-netlify-token-0001", "simulated"},
    {"vercel", "sim-vercel-token-0001", "team_simulated0001"},
    {"koyeb", "sim-koyeb-token-0001", "simulated"},
    {"render", "sim-render-key-0001", "simulated"},
    {"railway", "sim-railway-token-0001", "simulated"},
    {"expo", "sim-expo-token-0001", "simulated"},
};

const char *sim_bearer(const struct sim_request *r)
{
    const char *value = sim_header(r, "Authorization");

    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    value += 7;
    return value + strspn(value, " ");
}

/* "cloudflare-pages" -> "cloudflare": tokens name the company. */
static bool made_up_for(const char *platform, const char *token)
{
    size_t len = strcspn(platform, "-");

    return strncmp(token, "sim-", 4) == 0 && strncmp(token + 4, platform, len) == 0 &&
           token[4 + len] == '-' && token[5 + len] != '\0';
}

/* Account names stand in addresses that everybody may see, so they must not tell the token. */
static const char *account_of(const struct sim_request *r, const char *token)
{
    uint8_t digest[SHA1_LEN];
    char hex[2 * SHA1_LEN + 1];

    sha1(token, strlen(token), digest);
    hex_encode(digest, sizeof(digest), hex);
    return arena_printf(r->arena, "sim-%.12s", hex);
}

const char *sim_account(const struct sim_request *r, const char *token)
{
    const char *platform = r->platform->name;
    char *plain;

    if (!token)
        return NULL;
    plain = arena_strdup(r->arena, token);
    for (char *p = plain; *p; p++)
        if (*p == '_') /* Vercel's command line refuses tokens with a hyphen */
            *p = '-';
    token = plain;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i].platform, platform) == 0 && strcmp(known[i].token, token) == 0)
            return known[i].account;
    return made_up_for(platform, token) ? account_of(r, token) : NULL;
}
