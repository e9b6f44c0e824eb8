#include "../unit/test.h"

#include "base/json.h"
#include "base/mem.h"
#include "drive.h"

#include <stdlib.h>

/* Netlify as its own clients use it. */

static const char token[] = "Authorization: Bearer sim-netlify-token-0001";
static const char bytes[] = "Authorization: Bearer sim-netlify-token-0001\n"
                            "Content-Type: application/octet-stream";
/* SHA-1 of "one", of "two", and of the redirects below */
#define ONE "fe05bcdcdc4928012781a5f1a2a77cbb5398e106"
#define TWO "ad782ecdac770fc6eb9a62e44f90873fb97fb26b"

struct shop {
    struct drive sim;
    const char *base;
    char site[64];
};

static bool shows(struct shop *s, const char *host, const char *path, int status, const char *text)
{
    char *header = mem_printf("Host: %s", host);
    struct drive_reply r = drive_call("GET", drive_base(&s->sim, "sites"), path, header, NULL);
    bool same = r.status == status && strcmp(r.text, text) == 0;

    drive_reply_release(&r);
    free(header);
    return same;
}

/* POSTs a deploy; its id and the number of required digests. */
static size_t deploy(struct shop *s, const char *body, char ret_id[32])
{
    char *path = mem_printf("/sites/%s/deploys", s->site);
    json_t *d = drive_json(200, "POST", s->base, path, token, body);
    size_t required = json_array_size(json_at(d, "required"));

    snprintf(ret_id, 32, "%s", json_str(d, "id", ""));
    json_decref(d);
    free(path);
    return required;
}

static bool wait_for(struct shop *s, const char *id, const char *state)
{
    char *path = mem_printf("/deploys/%s", id);
    bool there = drive_wait(s->base, path, token, "state", state);

    free(path);
    return there;
}

static int put(struct shop *s, const char *id, const char *file, const char *content)
{
    char *path = mem_printf("/deploys/%s/files/%s", id, file);
    int status = drive_status("PUT", s->base, path, bytes, content);

    free(path);
    return status;
}

static void a_site_name_is_taken_once(struct shop *s)
{
    json_t *site = drive_json(201, "POST", s->base, "/sites", token, "{\"name\":\"demo\"}"), *found;

    snprintf(s->site, sizeof(s->site), "%s", json_str(site, "id", ""));
    CHECK(drive_status("POST", s->base, "/sites", token, "{\"name\":\"demo\"}") == 422);
    CHECK(drive_status("GET", s->base, "/sites", NULL, NULL) == 401);
    CHECK(drive_status("GET", s->base, "/sites/demo", token, NULL) == 404); /* an id is wanted */
    found = drive_json(200, "GET", s->base, "/sites?name=demo&filter=all", token, NULL);
    CHECK(strcmp(json_str(found, "0.id", ""), s->site) == 0);
    json_decref(found);
    found =
        drive_json(200, "GET", s->base, "/sites", "Authorization: Bearer sim-netlify-other", NULL);
    CHECK(json_is_array(found) && json_array_size(found) == 0);
    json_decref(found);
    json_decref(site);
}

static void a_deploy_takes_what_is_required_and_goes_live(struct shop *s, char first[32])
{
    CHECK(deploy(s,
                 "{\"files\":{\"/index.html\":\"" ONE "\",\"a b/two.html\":\"" TWO
                 "\",\"/copy.txt\":\"" ONE "\"}}",
                 first) == 2);
    CHECK(put(s, first, "index.html", "wrong") == 422);
    CHECK(put(s, first, "nothing.html", "one") == 422);
    CHECK(put(s, first, "index.html", "one") == 200);
    CHECK(wait_for(s, first, "uploading"));
    CHECK(put(s, first, "a%20b/two.html", "two") == 200);
    CHECK(wait_for(s, first, "ready"));
    CHECK(shows(s, "demo.netlify.localhost", "/", 200, "one"));
    CHECK(shows(s, "demo.netlify.localhost", "/a%20b/two", 200, "two"));
    CHECK(shows(s, "demo.netlify.localhost", "/copy.txt", 200, "one"));
    CHECK(shows(s, "demo.netlify.localhost", "/nothing", 404, "Not Found\n"));
}

static void known_content_is_not_asked_for_again_and_drafts_stay_drafts(struct shop *s)
{
    char id[32], *host;

    CHECK(deploy(s, "{\"draft\":true,\"files\":{\"/index.html\":\"" TWO "\"}}", id) == 0);
    CHECK(wait_for(s, id, "ready"));
    host = mem_printf("%s--demo.netlify.localhost", id);
    CHECK(shows(s, host, "/", 200, "two"));
    CHECK(shows(s, "demo.netlify.localhost", "/", 200, "one"));
    free(host);
}

static void the_command_lines_two_steps_work_and_restore_goes_back(struct shop *s,
                                                                   const char *first)
{
    char id[32], *path;
    json_t *d;

    CHECK(deploy(s, "{\"draft\":false,\"deploy_source\":\"cli\"}", id) == 0);
    CHECK(wait_for(s, id, "new"));
    path = mem_printf("/sites/%s/deploys/%s", s->site, id);
    d = drive_json(200, "PUT", s->base, path, token,
                   "{\"async\":true,\"files\":{\"index.html\":\"" TWO "\"}}");
    CHECK(strcmp(json_str(d, "state", ""), "preparing") == 0);
    CHECK(wait_for(s, id, "ready"));
    CHECK(shows(s, "demo.netlify.localhost", "/", 200, "two"));
    json_decref(d);
    free(path);
    path = mem_printf("/sites/%s/deploys/%s/restore", s->site, first);
    CHECK(drive_status("POST", s->base, path, token, "") == 201);
    CHECK(shows(s, "demo.netlify.localhost", "/", 200, "one"));
    free(path);
}

static void a_fourth_deploy_in_a_minute_is_refused(struct shop *s)
{
    char *path = mem_printf("/sites/%s/deploys", s->site);
    struct drive_reply r = drive_call("POST", s->base, path, token, "{\"files\":{}}");
    json_t *books = drive_json(200, "GET", drive_base(&s->sim, "control"), "/books", NULL, NULL);

    CHECK(r.status == 429);
    CHECK(strstr(r.headers, "X-RateLimit-Limit: 3\r\n") != NULL);
    CHECK(strstr(r.headers, "X-RateLimit-Remaining: 0\r\n") != NULL);
    CHECK(strcmp(json_str(books, "platforms.netlify.rates.1.name", ""), "deploys") == 0);
    CHECK(json_int(books, "platforms.netlify.rates.1.most", 0) == 4);
    json_decref(books);
    drive_reply_release(&r);
    free(path);
}

static void a_cancelled_deploy_never_goes_live(struct shop *s)
{
    char id[32], *path;

    /* "free" of the minute: simulated time runs on until a place in the window is there */
    path = mem_printf("/sites/%s/deploys", s->site);
    while (drive_status("POST", s->base, path, token, "{\"title\":\"probe\"}") == 429)
        continue;
    free(path);
    path = mem_printf("/sites/%s/deploys?per_page=1", s->site);
    json_t *list = drive_json(200, "GET", s->base, path, token, NULL);
    snprintf(id, sizeof(id), "%s", json_str(list, "0.id", ""));
    json_decref(list);
    free(path);
    path = mem_printf("/deploys/%s/cancel", id);
    CHECK(drive_status("POST", s->base, path, token, "") == 201);
    CHECK(wait_for(s, id, "error"));
    CHECK(shows(s, "demo.netlify.localhost", "/", 200, "one"));
    free(path);
}

int main(int argc, char **argv)
{
    struct shop s = {0};
    char first[32];

    drive_start(&s.sim, argc > 1 ? argv[1] : NULL, 20);
    s.base = drive_base(&s.sim, "netlify");
    a_site_name_is_taken_once(&s);
    a_deploy_takes_what_is_required_and_goes_live(&s, first);
    known_content_is_not_asked_for_again_and_drafts_stay_drafts(&s);
    the_command_lines_two_steps_work_and_restore_goes_back(&s, first);
    a_fourth_deploy_in_a_minute_is_refused(&s);
    a_cancelled_deploy_never_goes_live(&s);
    drive_stop(&s.sim);
    return DONE();
}
