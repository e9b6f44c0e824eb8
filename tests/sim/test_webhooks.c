#include "base/json.h"
#include "drive.h"
#include "test.h"

#include <jansson.h>
#include <stdlib.h>

static const char as_json[] = "Content-Type: application/json";

static int post(const char *base, const char *path, const char *body)
{
    return drive_status("POST", base, path, as_json, body);
}

static void slack_takes_blocks_and_refuses_what_does_not_fit(const char *base)
{
    static const char path[] = "/services/T0A/B0A/secret";
    char long_header[400];

    CHECK(post(base, path, "{\"text\": \"hello\"}") == 200);
    CHECK(post(base, path,
               "{\"text\": \"x\", \"blocks\": [{\"type\": \"header\", \"text\": {\"type\": "
               "\"plain_text\", \"text\": \"y\"}}]}") == 200);
    CHECK(post(base, path, "{}") == 400);
    CHECK(post(base, path, "not json") == 400);
    CHECK(post(base, path,
               "{\"text\": \"x\", \"blocks\": [{\"type\": \"header\", \"text\": {\"type\": "
               "\"mrkdwn\", \"text\": \"y\"}}]}") == 400);
    snprintf(long_header, sizeof long_header,
             "{\"text\": \"x\", \"blocks\": [{\"type\": \"header\", \"text\": {\"type\": "
             "\"plain_text\", \"text\": \"%0151d\"}}]}",
             0);
    CHECK(post(base, path, long_header) == 400);
    CHECK(post(base, "/services/T0GONE/B0A/secret", "{\"text\": \"hello\"}") == 404);
}

static void discord_takes_embeds_and_refuses_what_does_not_fit(const char *base)
{
    static const char path[] = "/api/webhooks/86/token";
    char long_title[400];

    CHECK(post(base, path, "{\"embeds\": [{\"title\": \"a\", \"description\": \"b\"}]}") == 204);
    CHECK(post(base, path, "{\"content\": \"a\"}") == 204);
    CHECK(post(base, path, "{\"embeds\": []}") == 400);
    snprintf(long_title, sizeof long_title, "{\"embeds\": [{\"title\": \"%0257d\"}]}", 0);
    CHECK(post(base, path, long_title) == 400);
    CHECK(post(base, "/api/webhooks/0/token", "{\"content\": \"a\"}") == 404);
}

static void a_webhook_without_a_right_signature_is_refused(const char *base)
{
    CHECK(post(base, "/hooks/x", "{}") == 401);
    CHECK(drive_status("POST", base, "/hooks/x", "webhook-signature: v1,AAAA", "{}") == 401);
    CHECK(drive_status("GET", base, "/hooks/x", NULL, NULL) == 404);
}

int main(int argc, char **argv)
{
    struct drive sim;

    (void)argc;
    drive_start(&sim, argv[1], 100);
    const char *base = drive_base(&sim, "webhooks");
    slack_takes_blocks_and_refuses_what_does_not_fit(base);
    discord_takes_embeds_and_refuses_what_does_not_fit(base);
    a_webhook_without_a_right_signature_is_refused(base);
    drive_stop(&sim);
    return DONE();
}
