#include "../unit/test.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "drive.h"

#include <stdlib.h>

/* Cloudflare Pages as its own client uses it. */

#define ACCOUNT "/accounts/5130c0ffee5130c0ffee5130c0ffee51/pages/projects"
static const char token[] = "Authorization: Bearer sim-cloudflare-token-0001";

struct shop {
    struct drive sim;
    const char *base;
    char jwt[600];             /* header line */
    char index[65], empty[65]; /* keys of "<h1>hi</h1>" as html and of nothing as txt */
};

static void key_of(const char *bytes, const char *extension, char ret[65])
{
    char text[256];
    uint8_t digest[BLAKE3_LEN];
    struct blake3_stream *hash = blake3_begin();

    blake3_add(hash, text, base64_encode((const uint8_t *)bytes, strlen(bytes), text));
    blake3_add(hash, extension, strlen(extension));
    blake3_end(hash, digest);
    hex_encode(digest, sizeof(digest), ret);
    ret[32] = '\0';
}

static int upload(struct shop *s, const char *key, const char *bytes)
{
    char text[256];
    char *body;
    int status;

    base64_encode((const uint8_t *)bytes, strlen(bytes), text);
    body = mem_printf("[{\"key\":\"%s\",\"value\":\"%s\",\"base64\":true,\"metadata\":{}}]", key,
                      text);
    status = drive_status("POST", s->base, "/pages/assets/upload", s->jwt, body);
    free(body);
    return status;
}

/* Deploys a manifest to "demo"; the answer. */
static struct drive_reply deploy(struct shop *s, const char *manifest, const char *branch,
                                 const char *redirects)
{
    char *headers = mem_printf("%s\nContent-Type: multipart/form-data; boundary=b", token);
    char *body = mem_printf("--b\r\nContent-Disposition: form-data; name=\"manifest\"\r\n\r\n%s\r\n"
                            "--b\r\nContent-Disposition: form-data; name=\"branch\"\r\n\r\n%s\r\n"
                            "--b\r\nContent-Disposition: form-data; name=\"_redirects\"; "
                            "filename=\"_redirects\"\r\n\r\n%s\r\n--b--\r\n",
                            manifest, branch, redirects);
    struct drive_reply r = drive_call("POST", s->base, ACCOUNT "/demo/deployments", headers, body);

    free(headers);
    free(body);
    return r;
}

static bool wait_until_live(struct shop *s, const char *id)
{
    char *path = mem_printf(ACCOUNT "/demo/deployments/%s", id);
    bool live = drive_wait(s->base, path, token, "result.latest_stage.name", "deploy") &&
                drive_wait(s->base, path, token, "result.latest_stage.status", "success");

    free(path);
    return live;
}

static struct drive_reply visit(struct shop *s, const char *host, const char *path)
{
    char *header = mem_printf("Host: %s", host);
    struct drive_reply r = drive_call("GET", drive_base(&s->sim, "sites"), path, header, NULL);

    free(header);
    return r;
}

static bool shows(struct shop *s, const char *host, const char *path, int status, const char *text)
{
    struct drive_reply r = visit(s, host, path);
    bool same = r.status == status && strcmp(r.text, text) == 0;

    drive_reply_release(&r);
    return same;
}

static void wrong_tokens_and_wrong_accounts_are_refused(struct shop *s)
{
    CHECK(drive_status("GET", s->base, ACCOUNT, NULL, NULL) == 403);
    CHECK(drive_status("GET", s->base, "/user/tokens/verify", "Authorization: Bearer x", NULL) ==
          401);
    CHECK(drive_status("GET", s->base, "/accounts/another/pages/projects", token, NULL) == 403);
    CHECK(drive_status("POST", s->base, "/pages/assets/check-missing", token, "{}") == 403);
    CHECK(drive_status("GET", s->base, "/user/tokens/verify", token, NULL) == 200);
}

static void a_project_is_made_once(struct shop *s)
{
    json_t *made = drive_json(200, "POST", s->base, ACCOUNT, token,
                              "{\"name\":\"demo\",\"production_branch\":\"main\"}");

    CHECK(strncmp(json_str(made, "result.subdomain", ""), "demo.pages.localhost:", 21) == 0);
    CHECK(drive_status("POST", s->base, ACCOUNT, token, "{\"name\":\"demo\"}") == 409);
    CHECK(drive_status("POST", s->base, ACCOUNT, token, "{\"name\":\"-No-\"}") == 400);
    CHECK(drive_status("GET", s->base, ACCOUNT "/nobody", token, NULL) == 404);
    CHECK(drive_status("GET", s->base, ACCOUNT "/nobody/deployments?env=production", token, NULL) ==
          404);
    CHECK(drive_status("GET", s->base, ACCOUNT "?per_page=11", token, NULL) == 400);
    json_decref(made);
}

static void only_missing_assets_are_asked_for(struct shop *s)
{
    json_t *answer = drive_json(200, "GET", s->base, ACCOUNT "/demo/upload-token", token, NULL);
    char *hashes;

    snprintf(s->jwt, sizeof(s->jwt), "Authorization: Bearer %s",
             json_str(answer, "result.jwt", ""));
    json_decref(answer);
    key_of("<h1>hi</h1>", "html", s->index);
    key_of("", "txt", s->empty);
    CHECK(strcmp(s->empty, "f9bc91770fa5e997cbd47fba833629fc") == 0);
    CHECK(upload(s, s->empty, "") == 200 && upload(s, "no-key", "") == 400);
    hashes = mem_printf("{\"hashes\":[\"%s\",\"%s\",\"%s\"]}", s->index, s->empty, s->index);
    answer = drive_json(200, "POST", s->base, "/pages/assets/check-missing", s->jwt, hashes);
    CHECK(json_array_size(json_at(answer, "result")) == 1);
    CHECK(strcmp(json_str(answer, "result.0", ""), s->index) == 0);
    json_decref(answer);
    free(hashes);
}

static void a_manifest_needs_content_that_is_there_and_right(struct shop *s)
{
    char *absent = mem_printf("{\"/index.html\":\"%s\"}", s->index);
    char *wrong = mem_printf("{\"/empty.html\":\"%s\"}", s->empty);
    struct drive_reply first = deploy(s, absent, "main", ""), second = deploy(s, wrong, "main", "");

    CHECK(first.status == 400 && strstr(first.text, "never uploaded"));
    CHECK(second.status == 400 && strstr(second.text, "not this file's"));
    drive_reply_release(&first);
    drive_reply_release(&second);
    free(absent);
    free(wrong);
}

static void a_deployment_goes_through_its_stages_and_is_served(struct shop *s, char first[64])
{
    char *manifest =
        mem_printf("{\"/index.html\":\"%s\",\"/a/empty.txt\":\"%s\",\"/page.html\":\"%s\"}",
                   s->index, s->empty, s->index);
    struct drive_reply r;

    CHECK(upload(s, s->index, "<h1>hi</h1>") == 200);
    r = deploy(s, manifest, "main", "/old /page 301\n");
    CHECK(r.status == 200);
    CHECK(strcmp(json_str(r.json, "result.latest_stage.status", ""), "active") == 0);
    snprintf(first, 64, "%s", json_str(r.json, "result.id", ""));
    CHECK(wait_until_live(s, first));
    CHECK(shows(s, "demo.pages.localhost", "/", 200, "<h1>hi</h1>"));
    CHECK(shows(s, "demo.pages.localhost", "/page", 200, "<h1>hi</h1>"));
    CHECK(shows(s, "demo.pages.localhost", "/page.html", 308, ""));
    CHECK(shows(s, "demo.pages.localhost", "/old", 301, ""));
    CHECK(shows(s, "demo.pages.localhost", "/a/empty.txt", 200, ""));
    CHECK(shows(s, "demo.pages.localhost", "/any/where", 200, "<h1>hi</h1>")); /* no 404 page */
    drive_reply_release(&r);
    free(manifest);
}

static void a_preview_leaves_production_alone_and_a_rollback_moves_it(struct shop *s,
                                                                      const char *first)
{
    char *other = mem_printf("{\"/a/empty.txt\":\"%s\"}", s->empty), *path;
    struct drive_reply preview = deploy(s, other, "feature/x", "");
    struct drive_reply second = deploy(s, other, "main", "");

    CHECK(wait_until_live(s, json_str(preview.json, "result.id", "")));
    CHECK(wait_until_live(s, json_str(second.json, "result.id", "")));
    CHECK(shows(s, "feature-x.demo.pages.localhost", "/a/empty.txt", 200, ""));
    CHECK(shows(s, "demo.pages.localhost", "/", 404, "Not Found\n"));
    path = mem_printf(ACCOUNT "/demo/deployments/%s/rollback", first);
    CHECK(drive_status("POST", s->base, path, token, "") == 200);
    CHECK(shows(s, "demo.pages.localhost", "/", 200, "<h1>hi</h1>"));
    free(path);
    path = mem_printf(ACCOUNT "/demo/deployments/%s", first);
    CHECK(drive_status("DELETE", s->base, path, token, NULL) == 400); /* it is live */
    free(path);
    path = mem_printf(ACCOUNT "/demo/deployments/%s", json_str(second.json, "result.id", ""));
    CHECK(drive_status("DELETE", s->base, path, token, NULL) == 200);
    free(path);
    free(other);
    drive_reply_release(&preview);
    drive_reply_release(&second);
}

static void everything_is_there_after_a_restart(struct shop *s, const char *program)
{
    json_t *books;

    drive_restart(&s->sim, program, 100);
    s->base = drive_base(&s->sim, "cloudflare-pages");
    CHECK(shows(s, "demo.pages.localhost", "/page", 200, "<h1>hi</h1>"));
    books = drive_json(200, "GET", drive_base(&s->sim, "control"), "/books", NULL, NULL);
    CHECK(json_int(books, "platforms.cloudflare-pages.projects", 0) == 1);
    CHECK(json_int(books, "platforms.cloudflare-pages.deployments", 0) == 2);
    CHECK(json_int(books, "platforms.cloudflare-pages.live", 0) == 1);
    CHECK(json_int(books, "platforms.cloudflare-pages.uploads", 0) == 2);
    json_decref(books);
}

int main(int argc, char **argv)
{
    struct shop s = {0};
    char first[64];

    drive_start(&s.sim, argc > 1 ? argv[1] : NULL, 100);
    s.base = drive_base(&s.sim, "cloudflare-pages");
    wrong_tokens_and_wrong_accounts_are_refused(&s);
    a_project_is_made_once(&s);
    only_missing_assets_are_asked_for(&s);
    a_manifest_needs_content_that_is_there_and_right(&s);
    a_deployment_goes_through_its_stages_and_is_served(&s, first);
    a_preview_leaves_production_alone_and_a_rollback_moves_it(&s, first);
    everything_is_there_after_a_restart(&s, argv[1]);
    drive_stop(&s.sim);
    return DONE();
}
