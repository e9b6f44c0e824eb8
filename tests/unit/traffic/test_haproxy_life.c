#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/un.h>

/* HAProxy outlives who started it, comes back when it is killed, and is refused when it is not
 * ours. */

static pid_t worker_of(const char *dir)
{
    char text[8192];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;
    ssize_t got;
    char *pid;

    snprintf(a.sun_path, sizeof a.sun_path, "%.60s/admin.sock", dir);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 || write(fd, "show info\n", 10) != 10) {
        close(fd);
        return 0;
    }
    while (n + 1 < sizeof text && (got = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = 0;
    close(fd);
    pid = strstr(text, "\nPid: ");
    return pid ? (pid_t)strtol(pid + 6, NULL, 10) : 0;
}

/* Ended, also when its parent has not asked for its status yet. */
static bool is_gone(pid_t pid)
{
    char path[64], text[256];
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return n <= 0 || strstr(text, ") Z ") != NULL;
}

static void a_new_process_adopts_it_without_a_blip(void)
{
    struct world w;
    struct load l;
    struct haproxy_order out[] = {world_order("uat", 7, MODE_MAINTENANCE)};
    int64_t master;
    pid_t worker;

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 1));
    master = haproxy_pid(w.h);
    worker = worker_of(w.dir);
    load_begin(&l, w.port, GET);
    run_until(&w, l.shared->sent > 100);
    haproxy_free(w.h); /* as if we died: nothing is said to HAProxy */
    w.h = world_engine(&w);
    CHECK(world_apply(&w));
    run_until(&w, l.shared->sent > 200);
    CHECK(haproxy_pid(w.h) == master && worker_of(w.dir) == worker);
    CHECK(strstr(w.said, "adopted") != NULL);
    run_until(&w, world_reading(&w, "uat").in_maintenance);
    CHECK(world_reading(&w, "uat").in_maintenance && world_reading(&w, "uat").weight == 7);
    load_end(&l);
    CHECK(l.shared->lost == 0);
    CHECK(w.b[0].shared->requests == 0);
    world_end(&w);
    CHECK(is_gone((pid_t)master) && is_gone(worker));
}

static void a_new_process_with_another_plan_reloads_and_keeps_what_was_ordered(void)
{
    struct world w;
    struct load l;
    struct haproxy_order out[] = {world_order("uat", 7, MODE_MAINTENANCE),
                                  world_order("beta", 20, MODE_READY)};
    pid_t worker;

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 2));
    worker = worker_of(w.dir);
    load_begin(&l, w.port, GET);
    haproxy_free(w.h);
    w.h = world_engine(&w);
    w.route.answer_ms = 2000;
    w.servers[1].weight = 33;
    CHECK(world_apply(&w));
    CHECK(worker_of(w.dir) != worker);
    run_until(&w, world_reading(&w, "beta").weight == 20);
    CHECK(world_reading(&w, "beta").weight == 20 && world_reading(&w, "uat").in_maintenance);
    run_until(&w, l.shared->sent > 200);
    load_end(&l);
    CHECK(l.shared->lost == 0);
    CHECK(w.b[0].shared->requests == 0);
    world_end(&w);
}

static void a_reload_under_load_loses_nothing_and_opens_no_window(void)
{
    struct world w;
    struct load l;
    struct haproxy_order out[] = {world_order("uat", 90, MODE_MAINTENANCE)};

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 1));
    load_begin(&l, w.port, GET);
    for (int i = 0; i < 4; i++) {
        w.route.answer_ms++;
        CHECK(world_apply(&w));
        run_until(&w, l.shared->sent > 50L * (i + 1));
    }
    load_end(&l);
    printf("# reloads: %ld sent, %ld lost, %ld slow\n", l.shared->sent, l.shared->lost,
           l.shared->slow);
    CHECK(l.shared->lost == 0);
    CHECK(w.b[0].shared->requests == 0);
    CHECK(w.state == HAPROXY_RUNNING);
    world_end(&w);
}

static void killed(bool the_worker)
{
    struct world w;
    struct haproxy_order out[] = {world_order("uat", 90, MODE_MAINTENANCE)};
    char answer[2048];
    pid_t worker, master;

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 1));
    worker = worker_of(w.dir);
    master = (pid_t)haproxy_pid(w.h);
    kill(the_worker ? worker : master, SIGKILL);
    run_until(&w, w.state == HAPROXY_LOST);
    CHECK(w.state == HAPROXY_LOST);
    run_until(&w, w.state == HAPROXY_RUNNING);
    CHECK(w.state == HAPROXY_RUNNING);
    CHECK(is_gone(worker) && is_gone(master));
    CHECK(haproxy_pid(w.h) > 1 && haproxy_pid(w.h) != master);
    for (int i = 0; i < 10; i++)
        CHECK(world_ask(&w, GET, answer) == 200);
    CHECK(w.b[0].shared->requests == 0);
    run_until(&w, world_reading(&w, "uat").in_maintenance);
    CHECK(world_reading(&w, "uat").in_maintenance);
    world_end(&w);
}

/* A stopped process answers nothing: it is ended and started anew. */
static void one_that_hangs_is_ended_and_started_again(void)
{
    struct world w;
    pid_t worker, master;

    world_begin(&w, 2);
    CHECK(world_apply(&w));
    worker = worker_of(w.dir);
    master = (pid_t)haproxy_pid(w.h);
    kill(worker, SIGSTOP);
    run_until(&w, w.state == HAPROXY_LOST);
    run_until(&w, w.state == HAPROXY_RUNNING);
    CHECK(w.state == HAPROXY_RUNNING && haproxy_pid(w.h) != master);
    CHECK(is_gone(worker) && is_gone(master));
    world_end(&w);
}

static void a_foreign_haproxy_is_left_alone(void)
{
    struct world w;
    struct haproxy *other;
    int64_t master;

    world_begin(&w, 2);
    CHECK(world_apply(&w));
    master = haproxy_pid(w.h);
    other = w.h;
    w.h = world_engine(&w);
    w.plan.project = "another";
    CHECK(!world_apply(&w));
    CHECK(w.state == HAPROXY_REFUSED && strstr(w.why, "trine-test") != NULL);
    CHECK(!is_gone((pid_t)master));
    haproxy_free(w.h);
    w.h = other;
    world_end(&w);
}

static void a_foreign_socket_is_left_alone(void)
{
    struct world w;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t child;

    world_begin(&w, 2);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/admin.sock", w.dir);
    CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0);
    child = fork();
    if (child == 0) {
        backend_alone(fd);
        for (;;) {
            int c = accept(fd, NULL, NULL);

            (void)!write(c, "hello, I am a database\n", 23);
            close(c);
        }
    }
    CHECK(!world_apply(&w));
    CHECK(w.state == HAPROXY_REFUSED && strstr(w.why, "admin.sock") != NULL);
    CHECK(strstr(w.why, "another program") != NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
    world_end(&w);
}

static void a_taken_port_names_who_has_it_and_is_taken_when_it_is_free(void)
{
    struct world w;
    char answer[2048], expected[64];
    int fd;

    world_begin(&w, 2);
    fd = backend_listen(&w.port);
    CHECK(!world_apply(&w));
    snprintf(expected, sizeof expected, "(pid %d)", getpid());
    CHECK(w.state == HAPROXY_REFUSED && strstr(w.why, expected) != NULL);
    CHECK(strstr(w.why, w.listen) != NULL);
    close(fd);
    run_until(&w, w.state == HAPROXY_RUNNING);
    CHECK(w.state == HAPROXY_RUNNING);
    CHECK(world_ask(&w, GET, answer) == 200);
    world_end(&w);
}

static void a_plan_that_cannot_be_applied_leaves_what_runs(void)
{
    struct world w;
    struct load l;
    int taken = 0, fd = backend_listen(&taken);
    char listen[32], old[32];

    world_begin(&w, 2);
    CHECK(world_apply(&w));
    load_begin(&l, w.port, GET);
    snprintf(old, sizeof old, "%s", w.listen);
    snprintf(listen, sizeof listen, "127.0.0.1:%d", taken);
    w.route.listen = listen;
    CHECK(!world_apply(&w));
    CHECK(strstr(w.err.text, listen) != NULL && w.state == HAPROXY_RUNNING);
    w.route.listen = w.listen;
    w.route.certificate = "/does/not/exist.pem";
    CHECK(!world_apply(&w));
    CHECK(strstr(w.err.text, "/does/not/exist.pem") != NULL && w.state == HAPROXY_RUNNING);
    w.route.certificate = "/etc/hostname"; /* readable, and no certificate */
    CHECK(!world_apply(&w));
    CHECK(strstr(w.err.text, "refuses") != NULL && w.state == HAPROXY_RUNNING);
    w.route.certificate = "";
    w.servers[0].weight = 0;
    w.servers[1].weight = 0;
    CHECK(!world_apply(&w));
    CHECK(strstr(w.err.text, "weight") != NULL && w.state == HAPROXY_RUNNING);
    run_until(&w, l.shared->sent > 100);
    load_end(&l);
    CHECK(l.shared->lost == 0);
    close(fd);
    world_end(&w);
}

static void write_program(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* Its check looks names up, which takes seconds when a name server is silent. */
static void orders_are_followed_while_a_new_plan_is_checked(void)
{
    struct world w;
    char path[64], text[200];
    struct haproxy_options o = {
        .program = path, .state = world_state, .reading = world_read, .say = world_said, .arg = &w};
    struct haproxy_order out[] = {world_order("uat", 90, MODE_MAINTENANCE)};

    world_begin(&w, 2);
    snprintf(path, sizeof path, "%s/program", w.dir);
    snprintf(text, sizeof text,
             "#!/bin/sh\n[ \"$1\" = -c ] && while [ -e %s/slow ]; do sleep 0.05; done\n"
             "exec /usr/sbin/haproxy \"$@\"\n",
             w.dir);
    write_program(path, text);
    haproxy_free(w.h);
    w.h = haproxy_new(w.loop, &o);
    CHECK(world_apply(&w));
    snprintf(text, sizeof text, "%s/slow", w.dir);
    write_program(text, "");
    w.servers[1].weight = 20;
    haproxy_apply(w.h, &w.plan, NULL, NULL);
    CHECK(world_steer(&w, out, 1));
    CHECK(haproxy_state(w.h, NULL) == HAPROXY_STARTING); /* the check is not over */
    CHECK(world_reading(&w, "uat").in_maintenance);
    CHECK(unlink(text) == 0);
    run_until(&w, haproxy_state(w.h, NULL) == HAPROXY_RUNNING);
    run_until(&w,
              world_reading(&w, "uat").in_maintenance && world_reading(&w, "beta").weight == 20);
    CHECK(world_reading(&w, "uat").in_maintenance && world_reading(&w, "beta").weight == 20);
    world_end(&w);
}

static void a_program_that_is_missing_old_or_another_one_is_told(void)
{
    static const struct {
        const char *text, *expected;
    } programs[] = {
        {NULL, "missing"},
        {"#!/bin/sh\necho 'HA-Proxy version 2.2.9-2 2021/05/15'\n", "2.6"},
        {"#!/bin/sh\necho hello\n", "not HAProxy"},
    };
    struct world w;

    world_begin(&w, 2);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char path[64];
        struct haproxy_options o = {.program = path, .state = world_state, .arg = &w};

        snprintf(path, sizeof path, "%s/program", w.dir);
        if (programs[i].text)
            write_program(path, programs[i].text);
        haproxy_free(w.h);
        w.h = haproxy_new(w.loop, &o);
        CHECK(!world_apply(&w));
        CHECK(w.state == HAPROXY_REFUSED && strstr(w.why, programs[i].expected) != NULL);
    }
    world_end(&w);
}

static void a_websocket_stays_while_its_server_is_drained(void)
{
    struct world w;
    struct haproxy_order out[] = {world_order("uat", 90, MODE_DRAIN)};
    char text[2048] = "";
    int fd;

    world_begin(&w, 2);
    w.route.answer_ms = 300;
    CHECK(world_apply(&w));
    out[0] = world_order("beta", 10, MODE_MAINTENANCE);
    CHECK(world_steer(&w, out, 1));
    fd = client_connect(w.port);
    CHECK(client_exchange(fd,
                          "GET /ws HTTP/1.1\r\nHost: www.example\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          text, sizeof text) == 101);
    struct haproxy_order swap[] = {world_order("uat", 90, MODE_DRAIN),
                                   world_order("beta", 10, MODE_READY)};
    swap[0].release = true; /* only those that are taken out for good are released */
    CHECK(world_steer(&w, swap, 2));
    CHECK(world_ask(&w, GET, text) == 200 && w.b[1].shared->requests == 1);
    swap[0].mode = MODE_MAINTENANCE;
    CHECK(world_steer(&w, swap, 2));
    usleep(400000); /* longer than an answer may take */
    CHECK(send(fd, "ping", 4, MSG_NOSIGNAL) == 4);
    CHECK(recv(fd, text, sizeof text, 0) == 4 && memcmp(text, "ping", 4) == 0);
    run_until(&w, world_reading(&w, "uat").counters.waiting == 0);
    CHECK(world_reading(&w, "uat").counters.waiting == 0 && world_reading(&w, "uat").sessions == 1);
    close(fd);
    world_end(&w);
}

/* The last one: three hundred errors later it is still asked. */
static void a_trusted_server_is_never_taken_out(void)
{
    struct world w;
    struct haproxy_order out[] = {world_order("uat", 90, MODE_READY),
                                  world_order("beta", 10, MODE_MAINTENANCE)};
    char answer[2048];

    out[0].trusted = true;
    world_begin(&w, 2);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 2));
    w.b[0].shared->mode = BACKEND_503;
    for (int i = 0; i < 20; i++)
        CHECK(world_ask(&w, GET, answer) == 503);
    CHECK(w.b[0].shared->requests == 20); /* and none was multiplied */
    CHECK(!world_reading(&w, "uat").down_by_itself);
    w.b[0].shared->mode = BACKEND_OK;
    CHECK(world_ask(&w, GET, answer) == 200);
    backend_kill(&w.b[0]);
    for (int i = 0; i < 20; i++)
        CHECK(world_ask(&w, GET, answer) == 503);
    backend_revive(&w.b[0]);
    CHECK(world_ask(&w, GET, answer) == 200);
    run_until(&w, !world_reading(&w, "uat").down_by_itself);
    CHECK(!world_reading(&w, "uat").down_by_itself);
    world_end(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    a_new_process_adopts_it_without_a_blip();
    a_new_process_with_another_plan_reloads_and_keeps_what_was_ordered();
    a_reload_under_load_loses_nothing_and_opens_no_window();
    killed(true);
    killed(false);
    one_that_hangs_is_ended_and_started_again();
    a_foreign_haproxy_is_left_alone();
    a_foreign_socket_is_left_alone();
    a_taken_port_names_who_has_it_and_is_taken_when_it_is_free();
    a_plan_that_cannot_be_applied_leaves_what_runs();
    orders_are_followed_while_a_new_plan_is_checked();
    a_program_that_is_missing_old_or_another_one_is_told();
    a_websocket_stays_while_its_server_is_drained();
    a_trusted_server_is_never_taken_out();
    return DONE();
}
