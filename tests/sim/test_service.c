#include "drive.h"
#include "probe/check_rig.h"

#include "base/json.h"

#include <signal.h>

/* The checks of WebSocket and CORS against a service that was deployed to the simulator. */
static const char service[] = "simhook.onrender.localhost";
enum { SHORT_MS = 100 };
static const char origin[] = "https://weedgo-beta-ai-admin-dashboard.example";

static void deploy(const struct drive *d)
{
    static const char hook[] = "/deploy/srv-simhook0000000000001?key=sim-render-hook-0001";

    CHECK(drive_status("POST", drive_base(d, "render"), hook, NULL, "") == 200);
    CHECK(drive_wait(drive_base(d, "control"), "/sites", NULL, "0.host", service));
    CHECK(drive_wait(drive_base(d, "control"), "/sites", NULL, "0.kind", "service"));
}

static struct rig run(const struct drive *d, const struct check_ops *ops, const char *rules,
                      int64_t hold_ms)
{
    const char *port = strrchr(drive_base(d, "sites"), ':') + 1;
    bool socket = ops->kind == CHECK_WEBSOCKET;
    char url[128];
    struct target t = {.kind = ops->kind,
                       .url = url,
                       .origin = origin,
                       .hold_ms = hold_ms,
                       .timeout_ms = socket && hold_ms == SHORT_MS ? 60 : 10000};

    snprintf(url, sizeof url, "%s://%s:%s%s", socket ? "ws" : "http", service, port,
             socket ? "/ws" : "/api/v1/stores");
    CHECK(drive_status("POST", drive_base(d, "control"), "/faults", NULL, rules) == 200);
    return rig_run(ops, &t, NULL);
}

static void its_websocket_answers_and_stays_open(const struct drive *d)
{
    struct rig r = run(d, &check_websocket, "[]", SHORT_MS);

    CHECK(r.answer.ok && r.answer.status == 101 && strstr(r.detail, "held open for 0.1 s"));
}

static void faults_reach_into_the_websocket(const struct drive *d)
{
    static const struct {
        const char *rules, *reason;
    } rows[] = {
        {"[{\"path\":\"/ws\",\"status\":503}]", "answered 503 instead of 101"},
        {"[{\"path\":\"/ws\",\"close\":\"before\"}]", "closed before the handshake"},
        {"[{\"path\":\"/ws\",\"close\":\"after\"}]", "closed before the handshake"},
        {"[{\"path\":\"/ws\",\"garbage\":true}]", "a reserved bit is set"},
        {"[{\"path\":\"/ws\",\"truncate\":true}]", "without a close frame (code 1006)"},
        {"[{\"path\":\"/ws\",\"endless\":true}]", "a message longer than"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r = run(d, &check_websocket, rows[i].rules, 20000);

        CHECK(!r.answer.ok && r.answer.answered && strstr(r.reason, rows[i].reason) != NULL);
        printf("# %s\n", r.reason);
    }
}

static void what_is_no_handshake_is_told_which_version_it_speaks(const struct drive *d)
{
    char host[64];
    struct drive_reply r;

    CHECK(drive_status("POST", drive_base(d, "control"), "/faults", NULL, "[]") == 200);
    snprintf(host, sizeof host, "Host: %s", service);
    r = drive_call("GET", drive_base(d, "sites"), "/ws", host, NULL);
    CHECK(r.status == 426 && strcasestr(r.headers, "Sec-WebSocket-Version: 13"));
    drive_reply_release(&r);
}

static void it_allows_origins_but_for_those_forbidden(const struct drive *d)
{
    struct rig r = run(d, &check_cors, "[]", 0);

    CHECK(r.answer.ok && r.answer.status == 204);
    r = run(d, &check_cors, "[{\"forbid_origin\":\"https://*.example\"}]", 0);
    CHECK(!r.answer.ok && strstr(r.reason, "answered 204 without Access-Control-Allow-Origin"));
    CHECK(strstr(r.reason, origin));
    r = run(d, &check_cors, "[{\"forbid_origin\":\"https://*.other\"}]", 0);
    CHECK(r.answer.ok);
}

int main(int argc, char **argv)
{
    struct drive d;

    signal(SIGPIPE, SIG_IGN);
    drive_start(&d, argc > 1 ? argv[1] : NULL, 100);
    deploy(&d);
    its_websocket_answers_and_stays_open(&d);
    faults_reach_into_the_websocket(&d);
    what_is_no_handshake_is_told_which_version_it_speaks(&d);
    it_allows_origins_but_for_those_forbidden(&d);
    drive_stop(&d);
    return DONE();
}
