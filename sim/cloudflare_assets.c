#include "cloudflare.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The asset store of an account: content by key, filled through an upload token. A key is the first
 * half of BLAKE3(base64(bytes) ++ extension), so a file's key depends on its name's extension,
 * which an upload does not tell. Whether a key is right is therefore checked when a manifest names
 * a path.
 */
enum { KEY_LEN = 32, TOKEN_LIFE_S = 3600, FILES_MAX = 20000, FILE_BYTES_MAX = 25 << 20 };

static const char signing_key[] = "trine-sim upload token"; /* seals nothing worth stealing */

/* --- Upload tokens --------------------------------------------------------------------------- */

static char *base64url(struct arena *arena, const void *data, size_t len)
{
    char *text = arena_alloc(arena, 4 * ((len + 2) / 3) + 1);

    base64_encode(data, len, text);
    for (char *p = text; *p; p++) {
        if (*p == '+')
            *p = '-';
        else if (*p == '/')
            *p = '_';
        else if (*p == '=')
            *p = '\0';
    }
    return text;
}

static char *signature(struct arena *arena, const char *text, size_t len)
{
    uint8_t digest[SHA256_LEN];

    hmac_sha256(signing_key, strlen(signing_key), text, len, digest);
    return base64url(arena, digest, sizeof(digest));
}

void cf_upload_token_get(struct sim_request *r)
{
    static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    int64_t now_s = sim_real_now_ms(r->sim) / 1000; /* clients check exp against real time */
    const char *claims, *signed_part;

    if (!cf_project(r))
        return;
    claims = arena_printf(
        r->arena, "{\"account_id\":\"%s\",\"max_file_count_allowed\":%d,\"iat\":%lld,\"exp\":%lld}",
        r->account, FILES_MAX, (long long)now_s, (long long)now_s + TOKEN_LIFE_S);
    signed_part = arena_printf(r->arena, "%s.%s", base64url(r->arena, head, strlen(head)),
                               base64url(r->arena, claims, strlen(claims)));
    cf_answer(r, json_pack("{s:o}", "jwt",
                           json_sprintf("%s.%s", signed_part,
                                        signature(r->arena, signed_part, strlen(signed_part)))));
}

/* Undoes base64url; NULL when it is none. */
static const char *decode(struct arena *arena, const char *text, size_t len)
{
    char *plain = arena_alloc(arena, len + 4);
    uint8_t *data = arena_alloc(arena, len + 4);
    int64_t n;

    for (size_t i = 0; i < len; i++)
        plain[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    while (len % 4)
        plain[len++] = '=';
    n = base64_decode(plain, len, data);
    return n < 0 ? NULL : arena_strndup(arena, (const char *)data, (size_t)n);
}

const char *cf_token_account(struct sim_request *r, const char *jwt)
{
    const char *dot = strrchr(jwt, '.'), *first = strchr(jwt, '.'), *claims, *account = NULL;
    struct err ignored = ERR_INIT;
    json_t *json;

    if (!dot || dot == first || strcmp(dot + 1, signature(r->arena, jwt, (size_t)(dot - jwt))) != 0)
        return NULL;
    claims = decode(r->arena, first + 1, (size_t)(dot - first - 1));
    json = claims ? json_read(claims, strlen(claims), "upload token", &ignored) : NULL;
    if (json_int(json, "exp", 0) > sim_real_now_ms(r->sim) / 1000)
        account = arena_strdup(r->arena, json_str(json, "account_id", NULL));
    json_decref(json);
    return account;
}

bool cf_is_asset_call(const struct sim_request *r)
{
    return r->n_segments == 3 && strcmp(r->segments[0], "pages") == 0 &&
           strcmp(r->segments[1], "assets") == 0;
}

/* --- Assets ---------------------------------------------------------------------------------- */

static bool key_is_formed(const char *key)
{
    return key && strlen(key) == KEY_LEN && strspn(key, "0123456789abcdef") == KEY_LEN;
}

/* The array "hashes" of the body, all well-formed; NULL after a refusal. */
static const json_t *hashes_of(struct sim_request *r)
{
    const json_t *hashes = json_object_get(r->json, "hashes"), *hash;
    size_t i;

    json_array_foreach(hashes, i, hash)
    {
        if (!key_is_formed(json_string_value(hash)))
            hashes = NULL;
        if (!hashes)
            break;
    }
    if (!json_is_array(hashes)) {
        cf_refuse(r, 400, CF_BAD_REQUEST,
                  "`hashes` must be an array of 32 lower-case hexadecimal digits each");
        return NULL;
    }
    return hashes;
}

void cf_check_missing(struct sim_request *r)
{
    const json_t *hashes = hashes_of(r), *hash;
    json_t *missing, *seen;
    size_t i;

    if (!hashes)
        return;
    missing = json_array();
    seen = json_object();
    json_array_foreach(hashes, i, hash)
    {
        const char *key = json_string_value(hash);

        if (json_object_get(seen, key) || sim_blob_has(r->sim, cf_space(r), key))
            continue;
        json_object_set_new(seen, key, json_true());
        json_array_append_new(missing, json_string(key));
    }
    json_decref(seen);
    cf_answer(r, missing);
}

/* Stores one entry; what is wrong with it, or NULL. */
static const char *store(struct sim_request *r, const json_t *entry, const char *space)
{
    const char *key = json_str(entry, "key", NULL);
    const json_t *value = json_object_get(entry, "value");
    size_t len = json_string_length(value);
    uint8_t *bytes;
    int64_t n;
    bool fresh;

    if (!key_is_formed(key) || !json_is_string(value))
        return "every entry needs a key of 32 hexadecimal digits and a value";
    if (!json_flag(entry, "base64", false))
        return "every entry's value must be base64 and say so";
    bytes = mem_alloc(3 * (len / 4) + 1);
    n = base64_decode(json_string_value(value), len, bytes);
    if (n >= 0 && n <= FILE_BYTES_MAX) {
        fresh = sim_blob_put(r->sim, space, key, bytes, (size_t)n);
        sim_count_upload(r->sim, r->platform, (size_t)n, !fresh);
    }
    free(bytes);
    if (n > FILE_BYTES_MAX)
        return "a file is larger than 25 MiB";
    return n < 0 ? "a value is not base64" : NULL;
}

void cf_upload(struct sim_request *r)
{
    const char *space = cf_space(r), *wrong = NULL;
    const json_t *entry;
    size_t i;

    json_array_foreach(r->json, i, entry)
    {
        wrong = store(r, entry, space);
        if (wrong)
            break;
    }
    if (!json_is_array(r->json))
        wrong = "the body must be an array of entries";
    if (wrong)
        cf_refuse(r, 400, CF_BAD_REQUEST, wrong);
    else
        cf_answer(r, json_pack("{s:I, s:[]}", "successful_key_count",
                               (json_int_t)json_array_size(r->json), "unsuccessful_keys"));
}

void cf_upsert(struct sim_request *r)
{
    if (hashes_of(r))
        cf_answer(r, NULL);
}

/* --- Checking -------------------------------------------------------------------------------- */

/* Behind the last dot of the base name; "" for none, a leading or a trailing one. */
static const char *extension_of(const char *path)
{
    const char *name = strrchr(path, '/'), *dot;

    name = name ? name + 1 : path;
    dot = strrchr(name, '.');
    return dot && dot != name ? dot + 1 : "";
}

static void key_of(const char *bytes, size_t len, const char *extension,
                   char ret[2 * BLAKE3_LEN + 1])
{
    char *text = mem_alloc(4 * ((len + 2) / 3) + 1);
    struct blake3_stream *hash = blake3_begin();
    uint8_t digest[BLAKE3_LEN];

    blake3_add(hash, text, base64_encode((const uint8_t *)bytes, len, text));
    blake3_add(hash, extension, strlen(extension));
    blake3_end(hash, digest);
    hex_encode(digest, sizeof(digest), ret);
    ret[KEY_LEN] = '\0';
    free(text);
}

bool cf_key_is_right(struct sim_request *r, const char *key, const char *path)
{
    json_t *checked = sim_member(cf_account(r), "checked");
    const char *before = json_string_value(json_object_get(checked, key)), *bytes;
    const char *extension = extension_of(path);
    struct arena arena = ARENA_INIT;
    char right[2 * BLAKE3_LEN + 1] = "";
    size_t len;

    if (before)
        return strcmp(before, extension) == 0;
    bytes = sim_blob_read(r->sim, cf_space(r), key, &arena, &len);
    if (bytes)
        key_of(bytes, len, extension, right);
    arena_release(&arena);
    if (strcmp(right, key) != 0)
        return false;
    json_object_set_new(checked, key, json_string(extension));
    return true;
}
