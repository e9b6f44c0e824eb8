#include "net/http.h"
#include "net/peer.h"
#include "probe/check_rig.h"

#include <signal.h>

static const char origin[] = "https://admin.example";

struct script {
    const char *answer;
    char request[4096];
};

static void serve(int fd, void *arg)
{
    struct script *s = arg;

    peer_read_head(fd, s->request, sizeof s->request);
    peer_say(fd, s->answer);
    if (!s->answer[0])
        peer_wait_gone(fd);
}

static struct rig ask(struct script *s)
{
    static const struct http_header headers[] = {{"X-Test", "yes"}};
    char url[64];
    struct target t = {
        .kind = CHECK_CORS, .url = url, .origin = origin, .headers = headers, .n_headers = 1};
    struct peer p;

    peer_start(&p, serve, s);
    snprintf(url, sizeof url, "http://app.localhost:%u/api?x=1", p.port);

    struct rig r = rig_run(&check_cors, &t, NULL);

    peer_stop(&p);
    return r;
}

#define NO_CONTENT "HTTP/1.1 204 No Content\r\n"
#define HEADERS "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"

static void an_allowed_origin_is_well(void)
{
    struct script s = {
        NO_CONTENT "Access-Control-Allow-Origin: https://admin.example\r\n" HEADERS "\r\n", ""};
    struct rig r = ask(&s);

    CHECK(r.answer.ok && r.answer.sent && r.answer.answered && r.answer.status == 204);
    CHECK(r.answer.total >= r.answer.first_byte && r.answer.first_byte >= r.answer.connect);
    CHECK(strncmp(s.request, "OPTIONS /api?x=1 HTTP/1.1\r\n", 27) == 0);
    CHECK(strstr(s.request, "\r\nOrigin: https://admin.example\r\n"));
    CHECK(strstr(s.request, "\r\nAccess-Control-Request-Method: GET\r\n"));
    CHECK(strstr(s.request, "\r\nAccess-Control-Request-Headers: content-type\r\n"));
    CHECK(strstr(s.request, "\r\nX-Test: yes\r\n"));
    s.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\naccess-control-allow-origin: *\r\n"
               "access-control-allow-headers: *\r\n\r\n";
    r = ask(&s);
    CHECK(r.answer.ok);
}

static void what_a_browser_would_refuse_is_told(void)
{
    static const struct {
        const char *answer, *reason;
        int status;
    } rows[] = {
        {NO_CONTENT "\r\n",
         "app.localhost answered 204 without Access-Control-Allow-Origin; add "
         "https://admin.example to the origins that it allows",
         204},
        {NO_CONTENT "Access-Control-Allow-Origin: https://other.example\r\n" HEADERS "\r\n",
         "app.localhost allows the origin \"https://other.example\", not https://admin.example",
         204},
        {NO_CONTENT "Access-Control-Allow-Origin: https://admin.example/\r\n" HEADERS "\r\n",
         "allows the origin \"https://admin.example/\", not", 204},
        {NO_CONTENT "Access-Control-Allow-Origin: https://a.b, https://admin.example\r\n\r\n",
         "allows the origin \"https://a.b, https://admin.example\", not", 204},
        {NO_CONTENT "Access-Control-Allow-Origin: \x1b[2J\xff\r\n\r\n", "\"?[2J?\", not", 204},
        {NO_CONTENT "Access-Control-Allow-Origin: *\r\n\r\n",
         "allows the headers \"\", not content-type", 204},
        {"HTTP/1.1 405 No\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
         "answered the pre-flight with 405 instead of 2xx", 405},
        {"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", "answered 405 without", 405},
        {"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: /other\r\n\r\n",
         "redirects the pre-flight (301)", 301},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script s = {rows[i].answer, ""};
        struct rig r = ask(&s);

        CHECK(!r.answer.ok && r.answer.answered && r.answer.status == rows[i].status);
        CHECK(strstr(r.reason, rows[i].reason) != NULL);
    }
}

static void nobody_there_is_told(void)
{
    struct script s = {"SSH-2.0\r\n", ""};
    struct rig r = ask(&s);

    CHECK(!r.answer.ok && r.answer.status == 0 && r.answer.sent);
    printf("# %s\n", r.reason);
}

static void it_can_be_cancelled_at_any_time(void)
{
    struct script s = {"", ""};
    struct peer p;
    char url[64];
    struct target t = {.kind = CHECK_CORS, .url = url, .origin = origin};

    peer_start(&p, serve, &s);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", p.port);
    rig_cancel_everywhere(&check_cors, &t, NULL, 5);
    peer_stop(&p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    an_allowed_origin_is_well();
    what_a_browser_would_refuse_is_told();
    nobody_there_is_told();
    it_can_be_cancelled_at_any_time();
    return DONE();
}
