#include "../unit/provider/talk.h"

#include "base/mem.h"

/*
 * Prints every request that a provider sends in its life, one JSON object a line, in the form of
 * the simulator's own stream (GET control/requests): platform, method, path, query, headers, body.
 * The replies are canned; no socket is opened. validate.mjs reads it.
 */

struct canned {
    int status; /* 0 = the answer is lost */
    const char *body;
};

struct scene {
    const char *name;
    const struct provider_ops *ops;
    void (*setup)(struct want *w);
    const struct canned *replies; /* ended by body == NULL */
};

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void as_image(struct want *w)
{
    w->image = "ghcr.io/shop/backend:7";
    w->repository = "";
    w->run = "serve --port 5024";
}

static void with_everything(struct want *w)
{
    w->team = "tea-1";
    w->region = "frankfurt";
    w->plan = "starter";
    w->run = "serve --port 5024";
    w->project = "shop";
}

static void with_hook(struct want *w)
{
    w->token = "";
    w->deploy_hook = "https://api.render.com/deploy/srv-1?key=hook-secret";
    w->url = "https://shop.example";
}

static void for_ios(struct want *w)
{
    w->instance = "ios";
}

static void for_ios_by_program(struct want *w)
{
    w->instance = "ios";
    w->mode = "cli";
}

#define SHA1 "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"

static void with_files(struct want *w)
{
    static const struct bundle_file files[] = {
        {.path = "css/main page.css",
         .source = "main.css",
         .size = 5,
         .mode = 0100644,
         .sha1 = SHA1},
    };
    static const struct bundle bundle = {.files = files, .n = 1, .bytes = 5, .digest = "d1"};

    w->bundle = &bundle;
}

static void with_files_of_a_team(struct want *w)
{
    with_files(w);
    w->team = "shop-team";
}

/* --- Koyeb --------------------------------------------------------------------------- */

static const struct canned koyeb_first[] = {
    {200, "{\"apps\":[],\"count\":0}"},
    {0, ""},
    {200, "{\"apps\":[],\"count\":0}"},
    {200, "{\"app\":{\"id\":\"a1\"}}"},
    {200, "{\"services\":[]}"},
    {200, "{\"service\":{\"id\":\"s1\"}}"},
    {200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d1\"}}"},
    {200, "{\"deployment\":{\"id\":\"d1\",\"status\":\"HEALTHY\"}}"},
    {200, "{\"app\":{\"domains\":[{\"name\":\"shop.koyeb.app\",\"status\":\"ACTIVE\"}]}}"},
    {0, NULL},
};
static const struct canned koyeb_next[] = {
    {200, "{\"apps\":[{\"id\":\"a1\",\"name\":\"shop-uat\"}]}"},
    {200, "{\"services\":[{\"id\":\"s1\",\"name\":\"shop-uat\",\"latest_deployment_id\":\"d0\"}]}"},
    {200, "{\"deployment\":{\"id\":\"d0\",\"definition\":{\"env\":[]}}}"},
    {200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d1\"}}"},
    {200, "{\"deployment\":{\"id\":\"d1\",\"status\":\"HEALTHY\"}}"},
    {200, "{\"app\":{\"domains\":[]}}"},
    {0, NULL},
};

/* --- Render -------------------------------------------------------------------------- */

static const struct canned render_first[] = {
    {200, "[{\"owner\":{\"id\":\"tea-1\"}}]"},
    {200, "[]"},
    {201, "{\"service\":{\"id\":\"srv-1\"},\"deployId\":\"dep-0\"}"},
    {200, "{\"id\":\"dep-0\",\"commit\":{\"id\":\"" COMMIT
          "\"},\"image\":{\"ref\":\"ghcr.io/shop/backend:7\"}}"},
    {200, "{\"id\":\"dep-0\",\"status\":\"live\"}"},
    {200, "{\"id\":\"srv-1\",\"serviceDetails\":{\"url\":\"https://shop.onrender.com\"}}"},
    {0, NULL},
};
static const struct canned render_next[] = {
    {200, "[{\"service\":{\"id\":\"srv-1\",\"name\":\"shop-uat\",\"autoDeploy\":\"yes\"}}]"},
    {200, "{}"},
    {200, "[{\"envVar\":{\"key\":\"PORT\",\"value\":\"5024\"}}]"},
    {200, "{\"key\":\"DATABASE_URL\"}"},
    {200, "{\"key\":\"TRINE_RELEASE\"}"},
    {200, "{\"key\":\"TRINE_COMMIT\"}"},
    {200, "[{\"deploy\":{\"id\":\"dep-1\"}}]"},
    {0, ""},
    {200, "[{\"deploy\":{\"id\":\"dep-1\"}}]"},
    {202, ""},
    {200,
     "[{\"deploy\":{\"id\":\"dep-2\",\"trigger\":\"api\",\"commit\":{\"id\":\"" COMMIT "\"}}}]"},
    {200, "{\"id\":\"dep-2\",\"status\":\"live\"}"},
    {200, "{\"id\":\"srv-1\",\"serviceDetails\":{\"url\":\"https://shop.onrender.com\"}}"},
    {0, NULL},
};
static const struct canned render_image[] = {
    {200, "[{\"owner\":{\"id\":\"tea-1\"}}]"},
    {200, "[{\"service\":{\"id\":\"srv-1\",\"name\":\"shop-uat\",\"autoDeploy\":\"no\"}}]"},
    {200, "[]"},
    {200, "{}"},
    {200, "{}"},
    {200, "{}"},
    {200, "{}"},
    {200, "[]"},
    {201, "{\"id\":\"dep-2\"}"},
    {200, "{\"id\":\"dep-2\",\"status\":\"build_failed\"}"},
    {0, NULL},
};
static const struct canned render_by_hook[] = {
    {200, "{\"deploy\":{\"id\":\"dep-1\"}}"},
    {200, "{\"commit\":\"" COMMIT "\"}"},
    {0, NULL},
};

/* --- Railway ------------------------------------------------------------------------- */

static const struct canned railway_first[] = {
    {200, "{\"errors\":[{\"message\":\"Not Authorized\"}]}"},
    {200, "{\"data\":{\"projects\":{\"edges\":[],\"pageInfo\":{\"hasNextPage\":true,\"endCursor\":"
          "\"c\"}}}}"},
    {200, "{\"data\":{\"projects\":{\"edges\":[{\"node\":{\"id\":\"p1\",\"name\":\"shop\"}}]}}}"},
    {200, "{\"data\":{\"project\":{\"environments\":{\"edges\":[{\"node\":{\"id\":\"e1\",\"name\":"
          "\"uat\"}}]},"
          "\"services\":{\"edges\":[]}}}}"},
    {200, "{\"data\":{\"serviceCreate\":{\"id\":\"s1\"}}}"},
    {200, "{\"data\":{\"serviceInstanceUpdate\":true}}"},
    {200, "{\"data\":{\"variableCollectionUpsert\":true}}"},
    {200, "{\"data\":{\"deployments\":{\"edges\":[]}}}"},
    {0, ""},
    {200, "{\"data\":{\"deployments\":{\"edges\":[]}}}"},
    {200, "{\"data\":{\"serviceInstanceDeployV2\":\"d1\"}}"},
    {200, "{\"data\":{\"deployment\":{\"status\":\"SUCCESS\"}}}"},
    {200, "{\"data\":{\"serviceInstance\":{\"domains\":{}}}}"},
    {200, "{\"data\":{\"serviceDomainCreate\":{\"domain\":\"shop.up.railway.app\"}}}"},
    {0, NULL},
};
static const struct canned railway_next[] = {
    {200, "{\"data\":{\"projectToken\":{\"projectId\":\"p1\",\"environmentId\":\"e1\"}}}"},
    {200, "{\"data\":{\"project\":{\"services\":{\"edges\":[{\"node\":{\"id\":\"s1\",\"name\":"
          "\"shop-uat\"}}]}}}}"},
    {200, "{\"data\":{\"serviceInstanceUpdate\":true}}"},
    {200, "{\"data\":{\"variableCollectionUpsert\":true}}"},
    {200, "{\"data\":{\"deployments\":{\"edges\":[]}}}"},
    {200, "{\"data\":{\"serviceInstanceDeployV2\":\"d1\"}}"},
    {200, "{\"data\":{\"deployment\":{\"status\":\"SUCCESS\"}}}"},
    {200, "{\"data\":{\"serviceInstance\":{\"domains\":{\"serviceDomains\":[{\"domain\":\"shop.up."
          "railway.app\"}]}}}}"},
    {0, NULL},
};

/* --- Expo ---------------------------------------------------------------------------- */

static const struct canned expo_workflow[] = {
    {200, "{\"data\":{\"app\":{\"byId\":{\"workflowRunsPaginated\":{\"edges\":[]}}}}}"},
    {200, "{\"data\":{\"id\":\"run-1\"}}"},
    {200, "{\"data\":{\"status\":\"success\",\"jobs\":[{\"buildId\":\"b1\"}]}}"},
    {200, "{\"data\":{\"builds\":{\"byId\":{\"status\":\"FINISHED\",\"gitCommitHash\":\"" COMMIT
          "\"}}}}"},
    {0, NULL},
};
static const struct canned expo_program[] = {
    {200, "{\"data\":{\"app\":{\"byId\":{\"builds\":[]}}}}"},
    {200, "[{\"id\":\"b1\"}]"},
    {200, "{\"data\":{\"builds\":{\"byId\":{\"status\":\"FINISHED\",\"gitCommitHash\":\"" COMMIT
          "\"}}}}"},
    {0, NULL},
};

/* --- Netlify ------------------------------------------------------------------------- */

static const struct canned netlify_first[] = {
    {200, "[]"},
    {0, ""},
    {200, "[]"},
    {201, "{\"id\":\"site-1\",\"name\":\"shop-uat\"}"},
    {0, ""},
    {200, "[]"},
    {200, "{\"id\":\"dep-1\",\"state\":\"uploading\",\"required\":[\"" SHA1 "\"]}"},
    {200, "{\"id\":\"f\"}"},
    {200, "{\"id\":\"dep-1\",\"state\":\"ready\",\"ssl_url\":\"https://shop-uat.netlify.app\"}"},
    {0, NULL},
};

static const struct scene scenes[] = {
    {"koyeb, first deployment", &provider_koyeb, NULL, koyeb_first},
    {"koyeb, next deployment", &provider_koyeb, with_everything, koyeb_next},
    {"koyeb, an image", &provider_koyeb, as_image, koyeb_first},
    {"render, first deployment", &provider_render, NULL, render_first},
    {"render, next deployment", &provider_render, with_everything, render_next},
    {"render, first image", &provider_render, as_image, render_first},
    {"render, next image", &provider_render, as_image, render_image},
    {"render, by hook", &provider_render, with_hook, render_by_hook},
    {"railway, first deployment", &provider_railway, with_everything, railway_first},
    {"railway, next deployment", &provider_railway, NULL, railway_next},
    {"railway, an image", &provider_railway, as_image, railway_next},
    {"expo, workflow", &provider_expo, for_ios, expo_workflow},
    {"expo, program", &provider_expo, for_ios_by_program, expo_program},
    {"netlify, first deployment", &provider_netlify, with_files, netlify_first},
    {"netlify, for a team", &provider_netlify, with_files_of_a_team, netlify_first},
};

/* --- Writing a request down ---------------------------------------------------------- */

static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/") : 0;
}

static json_t *query_of(char *text)
{
    json_t *query = json_object();

    while (text && *text) {
        char *next = strchr(text, '&');
        if (next)
            *next++ = '\0';
        char *value = strchr(text, '=');
        if (value)
            *value++ = '\0';
        if (http_percent_decode(text) && (!value || http_percent_decode(value)))
            json_object_set_new(query, text, json_string(value ? value : ""));
        text = next;
    }
    return query;
}

/* The one header that a description says something about; others may hold credentials. */
static json_t *headers_of(const struct http_request *r)
{
    return json_pack("{s:s*}", "content-type", http_request_find(r, "content-type"));
}

/* Requests to the running app and programs are not the platform's. */
static void print_request(const struct talk *t)
{
    const struct http_request *r = &t->call.http;
    const char *base = t->ops->base;
    size_t origin = origin_length(base);
    char *path;

    if (!r->method || (r->url[0] != '/' && strncmp(r->url, base, origin) != 0))
        return;
    path =
        r->url[0] == '/' ? mem_printf("%s%s", base + origin, r->url) : mem_strdup(r->url + origin);
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    json_t *line = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "platform", t->ops->name, "method",
                             r->method, "path", path, "query", query_of(query), "headers",
                             headers_of(r), "body_bytes", (json_int_t)http_request_length(r));
    if (r->n_parts == 1 && r->parts[0].kind == HTTP_PART_TEXT)
        json_object_set_new(line, "body", json_loadb(r->parts[0].data, r->parts[0].len, 0, NULL));
    char *text = json_text(line);
    puts(text);
    free(text);
    json_decref(line);
    free(path);
}

/* False when the provider did not want what the scene has in store. */
static bool play(const struct scene *s)
{
    struct talk t = talk_with(s->ops);
    bool good = true;

    if (s->setup)
        s->setup(&t.want);
    for (const struct canned *c = s->replies; good && c->body; c++) {
        good = turn(&t) == TURN_SEND;
        if (!good)
            break;
        print_request(&t);
        if (c->status == 0)
            lost(&t);
        else
            good = answer(&t, c->status, c->body) == 0;
    }
    good = good && turn(&t) != TURN_SEND;
    if (!good)
        fprintf(stderr, "%s: at step %d: %s\n", s->name, t.d.step, t.e.text);
    talk_end(&t);
    return good;
}

int main(void)
{
    bool good = true;

    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        good = play(&scenes[i]) && good;
    return good ? 0 : 1;
}
