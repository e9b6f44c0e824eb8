#include "net/peer.h"
#include "probe/check_rig.h"

#include <signal.h>

static void serve_silence(int fd, void *arg)
{
    (void)arg;
    peer_wait_gone(fd);
}

static void a_port_that_accepts_is_well(void)
{
    struct target t = {.kind = CHECK_TCP, .url = "app.localhost"};
    struct peer p;

    peer_start(&p, serve_silence, NULL);
    t.port = (int)p.port;

    struct rig r = rig_run(&check_tcp, &t, NULL);

    CHECK(r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(r.answer.connect >= r.answer.lookup && r.answer.total == r.answer.connect);
    CHECK(r.answer.tls == -1 && r.answer.first_byte == -1);
    rig_cancel_everywhere(&check_tcp, &t, NULL, 4);
    peer_stop(&p);
}

static void a_refusal_names_host_and_port(void)
{
    struct peer p;
    char url[64], place[256];
    struct target t = {.kind = CHECK_TCP, .url = url};

    peer_start(&p, serve_silence, NULL);
    peer_stop(&p);
    snprintf(url, sizeof url, "127.0.0.1:%u", p.port);
    snprintf(place, sizeof place, "%s: cannot connect to %s: Connection refused", url, url);

    struct rig r = rig_run(&check_tcp, &t, NULL);

    CHECK(!r.answer.ok && r.answer.sent && r.answer.answered);
    CHECK(strcmp(r.reason, place) == 0);
}

static void a_name_that_is_none_is_our_own_mistake(void)
{
    struct target t = {.kind = CHECK_TCP, .url = "a b", .port = 80};
    struct rig r = rig_run(&check_tcp, &t, NULL);

    CHECK(!r.answer.ok && !r.answer.sent && !r.answer.answered);
    CHECK(strstr(r.reason, "\"a b\" is not a host name"));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    a_port_that_accepts_is_well();
    a_refusal_names_host_and_port();
    a_name_that_is_none_is_our_own_mistake();
    return DONE();
}
