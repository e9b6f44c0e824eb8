#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/file_hash.h"
#include "provider/static_host.h"

#include "site.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

/*
 * The translators of the static hosts against what the platforms' own clients were recorded to send
 * for the same files: the same calls in the same order, the same hashes, the same bodies. Where
 * ours differ on purpose (a digest asked for once instead of twice, no second look at the project)
 * the test says so.
 *
 * The recordings are files of one JSON object a line; their bodies are cut at 2 KiB, so contents
 * are compared where they are whole and hashes everywhere. The folder is the first argument;
 * without one the test is skipped.
 */

enum { WHOLE = 2048 }; /* bytes of a body that are kept */

static json_t *cloudflare, *netlify, *vercel;
static char scratch[] = "/tmp/trine-transcripts-XXXXXX";

static json_t *load(const char *dir, const char *name)
{
    json_t *records = json_array();
    struct buf text = BUF_INIT(64 << 20);
    struct err e = ERR_INIT;
    char path[4096], *rest, *line;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (buf_read_file(&text, path, &e) < 0)
        printf("# %s\n", e.text);
    rest = text.data;
    while (rest && (line = strsep(&rest, "\n")))
        if (line[0])
            json_array_append_new(records, json_loads(line, 0, NULL));
    buf_release(&text);
    return records;
}

/* The number'th (from 0) record of that method whose URL begins like that. */
static const json_t *record(const json_t *records, const char *method, const char *url, int number)
{
    const json_t *r;
    size_t i;

    json_array_foreach(records, i, r)
    {
        if (strcmp(json_str(r, "method", ""), method) == 0 &&
            strncmp(json_str(r, "url", ""), url, strlen(url)) == 0 && number-- == 0)
            return r;
    }
    printf("# no record of %s %s\n", method, url);
    return NULL;
}

static int answer_as(struct talk *t, const json_t *r)
{
    return answer(t, (int)json_int(r, "status", 0), json_str(r, "resp_body", ""));
}

/* Our next request is the recorded one, whose URL has `base` in front. */
static bool asks_as(struct talk *t, const json_t *r, const char *base)
{
    char line[4096];

    (void)snprintf(line, sizeof(line), "%s %s", json_str(r, "method", ""),
                   json_str(r, "url", "") + strlen(base));
    return asks(t, line);
}

static json_t *body_json(const char *text)
{
    return json_loads(text, 0, NULL);
}

static json_t *our_json(const struct talk *t)
{
    char *text = site_body(&t->call);
    json_t *json = body_json(text);

    free(text);
    return json;
}

/* A JSON array of texts as a set: {"text": true}. */
static json_t *set_of(const json_t *list)
{
    json_t *set = json_object();
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
        json_object_set_new(set, json_string_value(item), json_true());
    return set;
}

static bool same_sets(const json_t *a, const json_t *b)
{
    json_t *x = set_of(a), *y = set_of(b);
    bool same = json_equal(x, y);

    json_decref(x);
    json_decref(y);
    return same;
}

/* --- The files the clients were given --------------------------------------------------------- */

/* The first request's manifest part, as the recording has it whole. */
static json_t *recorded_manifest(const json_t *r)
{
    const char *body = json_str(r, "req_body", ""), *from = strchr(body, '{');
    const char *to = from ? strstr(from, "\r\n") : NULL;

    return to ? json_loadb(from, (size_t)(to - from), 0, NULL) : NULL;
}

static json_t *netlify_digests(void)
{
    const json_t *r = record(netlify, "PUT", "/api/v1/sites/", 0);
    json_t *body = body_json(json_str(r, "req_body", ""));
    json_t *files = json_incref(json_at(body, "files"));

    json_decref(body);
    return files;
}

/* The content of a file from the request that uploaded it; NULL when it was cut. */
static uint8_t *content_of(const char *path, size_t *ret_len)
{
    struct buf url = BUF_INIT(4096);
    const json_t *r;
    size_t i, len;

    buf_adds(&url, "/files/");
    text_percent_encode(&url, path, true);
    json_array_foreach(netlify, i, r)
    {
        const char *at = strstr(json_str(r, "url", ""), "/files/");
        if (at && strcmp(at, buf_str(&url)) == 0)
            break;
        r = NULL;
    }
    buf_release(&url);
    len = (size_t)json_int(r, "req_bytes", 0);
    const char *body = json_str(r, "req_body", "");
    if (!r || len >= WHOLE)
        return NULL;
    uint8_t *bytes = mem_alloc(len + 3);
    if (strncmp(body, "base64:", 7) == 0) {
        *ret_len = (size_t)base64_decode(body + 7, strlen(body + 7), bytes);
    } else {
        memcpy(bytes, body, len);
        *ret_len = len;
    }
    return bytes;
}

/* A bundle of the paths of `paths` (an object), hashes from the recordings. */
static struct bundle bundle_of(const json_t *paths, const json_t *sha1s, const json_t *manifest)
{
    size_t n = json_object_size(paths), i = 0;
    struct bundle_file *files = mem_array(n, sizeof(*files));
    const char *key;
    const json_t *value;
    char slashed[512];

    json_object_foreach((json_t *)(uintptr_t)paths, key, value)
    {
        struct bundle_file *f = &files[i++];
        const char *sha1_hex = json_string_value(json_object_get(sha1s, key));
        (void)snprintf(slashed, sizeof(slashed), "/%s", key);
        const char *pages = json_string_value(json_object_get(manifest, slashed));
        *f = (struct bundle_file){.path = key, .source = key, .mode = S_IFREG | 0644};
        (void)text_copy(f->sha1, sizeof(f->sha1), sha1_hex ? sha1_hex : "");
        (void)text_copy(f->pages, sizeof(f->pages), pages ? pages : "");
    }
    (void)value;
    return (struct bundle){files, n, 0, "0"};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

static struct talk begin(const struct provider_ops *ops, const struct bundle *b)
{
    struct talk t = talk_with(ops);

    t.want.project_name = "demo";
    t.want.bundle = b;
    t.want.account = "acc";
    t.want.branch = "main";
    return t;
}

/* --- Hashes ----------------------------------------------------------------------------------- */

static void our_hashes_of_the_recorded_contents_are_the_recorded_hashes(void)
{
    json_t *sha1s = netlify_digests();
    json_t *manifest = recorded_manifest(
        record(cloudflare, "POST", "/client/v4/accounts/acc/pages/projects/demo/deployments", 0));
    struct file_reader *reader = file_reader_new(NULL);
    char path[512], hex[2 * SHA1_LEN + 1], slashed[512];
    const char *key;
    json_t *value;
    int compared = 0;

    (void)snprintf(path, sizeof(path), "%s/content", scratch);
    json_object_foreach(sha1s, key, value)
    {
        struct file_hashes hashes;
        struct err e = ERR_INIT;
        struct stat st;
        size_t len = 0;
        uint8_t *bytes = content_of(key, &len);
        if (!bytes)
            continue;
        CHECK(file_write_atomic(path, bytes, len, 0600, &e) == 0 && stat(path, &st) == 0);
        struct file_wanted wanted = {
            path,
            {st.st_dev, st.st_ino, (uint64_t)st.st_size, 0, 0, provider_extension(key)},
            true};
        CHECK(file_hash(reader, &wanted, &hashes, &e) == 0);
        hex_encode(hashes.sha1, SHA1_LEN, hex);
        CHECK(strcmp(hex, json_string_value(value)) == 0);
        (void)snprintf(slashed, sizeof(slashed), "/%s", key);
        const char *pages = json_string_value(json_object_get(manifest, slashed));
        if (pages) {
            hex_encode(hashes.pages, PAGES_LEN, hex);
            CHECK(strcmp(hex, pages) == 0);
            compared++;
        }
        free(bytes);
    }
    CHECK(compared >= 6);
    (void)unlink(path);
    file_reader_free(reader);
    json_decref(manifest);
    json_decref(sha1s);
}

/* --- Cloudflare Pages ------------------------------------------------------------------------- */

static struct bundle cloudflare_bundle(json_t **ret_paths)
{
    const json_t *create =
        record(cloudflare, "POST", "/client/v4/accounts/acc/pages/projects/demo/deployments", 0);
    json_t *manifest = recorded_manifest(create), *paths = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(manifest, key, value) json_object_set(paths, key + 1, value);
    struct bundle b = bundle_of(paths, NULL, manifest);
    qsort((void *)(uintptr_t)b.files, b.n, sizeof(*b.files), by_path);
    json_decref(manifest);
    *ret_paths = paths;
    return b;
}

/* Uploads until something else comes; the keys of all batches. */
static json_t *uploaded_keys(struct talk *t, const json_t *reply)
{
    json_t *keys = json_array();

    while (t->turn == TURN_SEND && strstr(t->call.http.url, "/pages/assets/upload")) {
        json_t *batch = our_json(t), *item;
        size_t i;
        json_array_foreach(batch, i, item) json_array_append(keys, json_object_get(item, "key"));
        json_decref(batch);
        CHECK(answer_as(t, reply) == 0);
        (void)turn(t);
    }
    return keys;
}

static void check_create(struct talk *t, const json_t *r)
{
    const char *recorded = json_str(r, "req_body", "");
    char *body = site_body(&t->call);
    json_t *theirs = recorded_manifest(r), *whole = json_pack("{s:s}", "req_body", body);
    json_t *ours = recorded_manifest(whole);

    CHECK(ours && json_equal(ours, theirs));
    CHECK(strstr(body, "name=\"branch\"\r\n\r\nmain\r\n") &&
          strstr(recorded, "name=\"branch\"\r\n\r\nmain\r\n"));
    json_decref(ours);
    json_decref(theirs);
    json_decref(whole);
    free(body);
}

/* One deployment; `number` counts those recorded. The client looks at the project and fetches the
 * token twice, we once; it polls once more after a create that says success already. */
static void check_cloudflare_run(int number, bool uploads)
{
    static const char base[] = "/client/v4";
    const char *project = "/client/v4/accounts/acc/pages/projects/demo";
    json_t *paths, *theirs, *ours, *keys;
    struct bundle b = cloudflare_bundle(&paths);
    struct talk t = begin(&provider_cloudflare, &b);
    const json_t *r = record(cloudflare, "GET", project, 0);

    CHECK(asks_as(&t, r, base) && answer_as(&t, r) == 0);
    r = record(cloudflare, "GET", "/client/v4/accounts/acc/pages/projects/demo/upload-token",
               2 * number);
    CHECK(asks_as(&t, r, base) && answer_as(&t, r) == 0);
    r = record(cloudflare, "POST", "/client/v4/pages/assets/check-missing", number);
    CHECK(asks_as(&t, r, base));
    theirs = body_json(json_str(r, "req_body", ""));
    ours = our_json(&t);
    CHECK(same_sets(json_at(ours, "hashes"), json_at(theirs, "hashes")));
    CHECK(answer_as(&t, r) == 0);
    (void)turn(&t);
    keys = uploaded_keys(&t, record(cloudflare, "POST", "/client/v4/pages/assets/upload", 0));
    CHECK(json_array_size(keys) == (uploads ? json_array_size(json_at(ours, "hashes")) : 0));
    CHECK(!uploads || same_sets(keys, json_at(theirs, "hashes")));
    r = record(cloudflare, "POST", "/client/v4/pages/assets/upsert-hashes", number);
    CHECK(asks_as(&t, r, base) && answer_as(&t, r) == 0);
    r = record(cloudflare, "POST", "/client/v4/accounts/acc/pages/projects/demo/deployments",
               number);
    CHECK(asks_as(&t, r, base));
    check_create(&t, r);
    CHECK(answer_as(&t, r) == 0);
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://demo.pages.dev") == 0);
    json_decref(keys);
    json_decref(ours);
    json_decref(theirs);
    free((void *)(uintptr_t)b.files);
    json_decref(paths);
    talk_end(&t);
}

static void cloudflare_projects_are_made_as_recorded(void)
{
    static const char base[] = "/client/v4";
    struct bundle none = {NULL, 0, 0, "0"};
    struct talk t = begin(&provider_cloudflare, &none);
    const json_t *r = record(cloudflare, "GET", "/client/v4/accounts/acc/pages/projects/demo2", 0);

    t.want.project_name = "demo2";
    CHECK(asks_as(&t, r, base) && answer_as(&t, r) == 0);
    r = record(cloudflare, "POST", "/client/v4/accounts/acc/pages/projects", 2);
    CHECK(asks_as(&t, r, base));
    json_t *theirs = body_json(json_str(r, "req_body", "")), *ours = our_json(&t);
    CHECK(ours && json_equal(ours, theirs));
    CHECK(answer_as(&t, r) == 0);
    json_decref(ours);
    json_decref(theirs);
    talk_end(&t);
}

/* --- Netlify ---------------------------------------------------------------------------------- */

/* Each required digest goes once, under a path and a URL that the client used for it as well. */
static void check_netlify_uploads(struct talk *t, const json_t *digests, const json_t *required)
{
    json_t *sent = json_object();

    while (turn(t) == TURN_SEND && strcmp(t->call.http.method, "PUT") == 0) {
        const char *path = t->call.http.parts[0].data;
        char url[600];
        (void)snprintf(url, sizeof(url), "/api/v1%s", t->call.http.url);
        const char *digest = json_string_value(json_object_get(digests, path));
        CHECK(record(netlify, "PUT", url, 0) != NULL);
        CHECK(digest && !json_object_get(sent, digest));
        json_object_set_new(sent, digest ? digest : "", json_true());
        CHECK(answer(t, 200, "{}") == 0);
    }
    json_t *wanted = set_of(required);
    CHECK(json_equal(sent, wanted));
    json_decref(wanted);
    json_decref(sent);
}

/* The client makes an empty deploy first and then puts the digests into it; we say them at once. */
static void netlify_digests_and_uploads_are_those_recorded(void)
{
    static const char base[] = "/api/v1";
    json_t *digests = netlify_digests();
    struct bundle b = bundle_of(digests, digests, NULL);
    struct talk t = begin(&provider_netlify, &b);
    const json_t *r = record(netlify, "GET", "/api/v1/sites?name=demo", 0);
    const char *find = json_str(r, "url", "") + strlen(base);
    struct err e = ERR_INIT;

    qsort((void *)(uintptr_t)b.files, b.n, sizeof(*b.files), by_path);
    CHECK(turn(&t) == TURN_SEND && strncmp(t.call.http.url, find, strlen(find)) == 0);
    CHECK(answer_as(&t, r) == 0);
    r = record(netlify, "POST", "/api/v1/sites/5f0e2b1c", 0);
    const char *create = json_str(r, "url", "") + strlen(base);
    CHECK(turn(&t) == TURN_SEND && strncmp(t.call.http.url, create, strlen(create)) == 0);
    json_t *ours = our_json(&t);
    CHECK(json_equal(json_at(ours, "files"), digests));
    r = record(netlify, "PUT", "/api/v1/sites/5f0e2b1c", 0);
    json_t *reply =
        json_read(json_str(r, "resp_body", ""), strlen(json_str(r, "resp_body", "")), "reply", &e);
    CHECK(answer_as(&t, r) == 0);
    check_netlify_uploads(&t, digests, json_at(reply, "required"));
    char deploy[300];
    (void)snprintf(deploy, sizeof(deploy), "/api/v1/sites/%s/deploys/%s",
                   json_str(reply, "site_id", ""), json_str(reply, "id", ""));
    for (int i = 0; i < 2; i++) {
        r = record(netlify, "GET", deploy, i);
        CHECK(asks_as(&t, r, base) && answer_as(&t, r) == 0);
    }
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://demo.netlify.app") == 0);
    json_decref(reply);
    json_decref(ours);
    json_decref(digests);
    free((void *)(uintptr_t)b.files);
    talk_end(&t);
}

/* --- Vercel ----------------------------------------------------------------------------------- */

/* The prebuilt run's records only. */
static json_t *vercel_run(const char *run)
{
    json_t *records = json_array(), *r;
    size_t i;

    json_array_foreach(vercel, i, r)
    {
        if (strcmp(json_str(r, "run", ""), run) == 0)
            json_array_append(records, r);
    }
    return records;
}

/* The entries of the file list that the cut body has whole: path -> entry. */
static json_t *recorded_entries(const char *body)
{
    json_t *entries = json_object();
    const char *from = strstr(body, "\"files\":[");

    while (from && (from = strchr(from + 1, '{'))) {
        const char *to = strchr(from, '}');
        json_t *entry = to ? json_loadb(from, (size_t)(to + 1 - from), 0, NULL) : NULL;
        if (!entry)
            break;
        json_object_set_new(entries, json_str(entry, "file", ""), entry);
    }
    return entries;
}

static bool ours_alone(const char *path)
{
    return strcmp(path, ".vercel/output/config.json") == 0 ||
           strcmp(path, ".vercel/output/static/_headers") == 0 ||
           strcmp(path, ".vercel/output/static/_redirects") == 0;
}

/* Path -> sha of our file list; sizes are made up here, so they are not compared. */
static json_t *our_entries(const struct talk *t)
{
    json_t *body = our_json(t), *shas = json_object(), *item;
    size_t i;

    json_array_foreach(json_at(body, "files"), i, item)
        json_object_set(shas, json_str(item, "file", ""), json_object_get(item, "sha"));
    json_decref(body);
    return shas;
}

static void check_vercel_create(const struct talk *t, const json_t *r)
{
    const char *recorded = json_str(r, "req_body", "");
    json_t *theirs = recorded_entries(recorded), *ours = our_entries(t), *entry;
    const char *path;

    CHECK(json_object_size(theirs) >= 10);
    json_object_foreach(theirs, path, entry)
    {
        if (!ours_alone(path))
            CHECK(json_equal(json_object_get(ours, path), json_object_get(entry, "sha")));
    }
    json_decref(ours);
    json_decref(theirs);
}

/* The recorded list of what is missing, with our config.json in the place of theirs and without the
 * two rule files, which we turn into its routes. */
static json_t *our_missing(const struct talk *t, const json_t *r)
{
    struct err e = ERR_INIT;
    const char *body = json_str(r, "resp_body", "");
    json_t *reply = json_read(body, strlen(body), "reply", &e), *ours = our_entries(t);
    json_t *missing = json_array(), *sha, *item;
    const char *path;
    size_t i;

    json_array_foreach(json_at(reply, "error.missing"), i, item)
    {
        json_object_foreach(ours, path, sha)
        {
            if (json_equal(sha, item)) {
                json_array_append(missing, item);
                break;
            }
        }
    }
    json_array_append(missing, json_object_get(ours, ".vercel/output/config.json"));
    CHECK(json_array_size(missing) + 2 == json_array_size(json_at(reply, "error.missing")));
    json_decref(ours);
    json_decref(reply);
    return missing;
}

static void check_vercel_uploads(struct talk *t, const json_t *missing)
{
    json_t *sent = json_array();

    while (turn(t) == TURN_SEND && strcmp(t->call.http.url, "/v2/files?teamId=team_acme") == 0) {
        json_array_append_new(sent,
                              json_string(http_request_find(&t->call.http, "x-vercel-digest")));
        CHECK(answer(t, 200, "{\"urls\":[]}") == 0);
    }
    CHECK(same_sets(sent, missing) && json_array_size(sent) == json_array_size(missing));
    json_decref(sent);
}

static void vercel_prebuilt_output_is_asked_for_uploaded_and_watched_as_recorded(void)
{
    json_t *run = vercel_run("vc-full3"), *digests = netlify_digests();
    struct err e = ERR_INIT;
    char headers[300], redirects[300];

    (void)snprintf(headers, sizeof(headers), "%s/_headers", scratch);
    (void)snprintf(redirects, sizeof(redirects), "%s/_redirects", scratch);
    CHECK(file_write_atomic(headers, "", 0, 0600, &e) == 0);
    CHECK(file_write_atomic(redirects, "/old /about/ 301\n", 17, 0600, &e) == 0);
    json_object_del(digests, "netlify.toml"); /* made by that client alone */
    json_object_set_new(digests, "_headers", json_string("0"));
    json_object_set_new(digests, "_redirects", json_string("1"));
    struct bundle b = bundle_of(digests, digests, NULL);
    struct bundle_file *files = (void *)(uintptr_t)b.files;
    qsort(files, b.n, sizeof(*files), by_path);
    for (size_t i = 0; i < b.n; i++)
        files[i].source = strcmp(files[i].path, "_headers") == 0     ? headers
                          : strcmp(files[i].path, "_redirects") == 0 ? redirects
                                                                     : files[i].path;
    struct talk t = begin(&provider_vercel, &b);
    t.want.account = "";
    t.want.team = "team_acme";
    const json_t *r = record(run, "GET", "/v9/projects/", 0); /* by id; we do not know it yet */
    CHECK(asks(&t, "GET /v9/projects/demo?teamId=team_acme") && answer_as(&t, r) == 0);
    r = record(run, "POST", "/v13/deployments", 0);
    CHECK(asks_as(&t, r, ""));
    check_vercel_create(&t, r);
    json_t *missing = our_missing(&t, r);
    json_t *reply =
        json_pack("{s:{s:s, s:O}}", "error", "code", "missing_files", "missing", missing);
    char *text = json_text(reply);
    CHECK(answer(&t, 400, text) == 0);
    check_vercel_uploads(&t, missing);
    r = record(run, "POST", "/v13/deployments", 1);
    CHECK(asks_as(&t, r, "") && answer_as(&t, r) == 0);
    r = record(run, "GET", "/v13/deployments/", 0);
    CHECK(asks_as(&t, r, "") && answer_as(&t, r) == 0);
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://demo.vercel.app") == 0);
    free(text);
    json_decref(reply);
    json_decref(missing);
    free(files);
    (void)unlink(headers);
    (void)unlink(redirects);
    json_decref(digests);
    json_decref(run);
    talk_end(&t);
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "";

    if (!dir[0] || access(dir, R_OK) < 0 || !mkdtemp(scratch)) {
        printf("1..0 # SKIP no folder of recorded client transcripts; give -Dtranscripts=DIR\n");
        return 0;
    }
    cloudflare = load(dir, "cloudflare.jsonl");
    netlify = load(dir, "netlify.jsonl");
    vercel = load(dir, "vercel.jsonl");
    our_hashes_of_the_recorded_contents_are_the_recorded_hashes();
    check_cloudflare_run(0, true);
    check_cloudflare_run(1, false);
    cloudflare_projects_are_made_as_recorded();
    netlify_digests_and_uploads_are_those_recorded();
    vercel_prebuilt_output_is_asked_for_uploaded_and_watched_as_recorded();
    json_decref(cloudflare);
    json_decref(netlify);
    json_decref(vercel);
    (void)rmdir(scratch);
    return DONE();
}
