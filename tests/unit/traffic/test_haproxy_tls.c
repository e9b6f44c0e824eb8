#include "world.h"

#include "traffic/haproxy_inner.h"

#include <fcntl.h>

/* Two routers in a row: the second speaks TLS in front, the first speaks TLS to it and checks it.
 */

static int run(const char *const *argv, const char *output)
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        char *args[24] = {NULL};
        int fd = open(output, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

        for (int i = 0; argv[i] && i < 23; i++)
            args[i] = strdup(argv[i]);
        dup2(fd, 1);
        dup2(fd, 2);
        execvp(args[0], args);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Certificate and key in one file, as HAProxy wants them. */
static void make_certificate(const char *path)
{
    char key[120], log[120];
    const char *const argv[] = {"openssl",  "req",
                                "-x509",    "-newkey",
                                "rsa:2048", "-nodes",
                                "-days",    "2",
                                "-subj",    "/CN=localhost",
                                "-addext",  "subjectAltName=DNS:localhost",
                                "-keyout",  key,
                                "-out",     path,
                                NULL};
    struct buf text = BUF_INIT(20000), more = BUF_INIT(20000);
    struct err e;

    snprintf(key, sizeof key, "%s.key", path);
    snprintf(log, sizeof log, "%s.log", path);
    CHECK(run(argv, log) == 0);
    CHECK(buf_read_file(&text, path, &e) == 0 && buf_read_file(&more, key, &e) == 0);
    buf_add(&text, more.data, more.len);
    CHECK(file_write_atomic(path, text.data, text.len, 0600, &e) == 0);
    buf_release(&text);
    buf_release(&more);
}

static bool speaks_http2(struct world *w, const char *ca)
{
    char url[64], output[64];
    const char *const argv[] = {"curl",      "-s", "--http2",
                                "--cacert",  ca,   "-o",
                                "/dev/null", "-w", "%{http_version} %{http_code}",
                                url,         NULL};
    struct buf text = BUF_INIT(1000);
    struct err e;
    bool as_expected;

    snprintf(url, sizeof url, "https://localhost:%d/x", w->port);
    snprintf(output, sizeof output, "%s/curl", w->dir);
    as_expected = run(argv, output) == 0 && buf_read_file(&text, output, &e) == 0 &&
                  !strcmp(buf_str(&text), "2 200");
    buf_release(&text);
    return as_expected;
}

static void tls_is_spoken_in_front_and_checked_behind(void)
{
    struct world behind, front;
    char good[64], other[64], answer[2048];

    world_begin(&behind, 2);
    snprintf(good, sizeof good, "%s/good.pem", behind.dir);
    snprintf(other, sizeof other, "%s/other.pem", behind.dir);
    make_certificate(good);
    make_certificate(other);
    behind.route.certificate = good;
    CHECK(world_apply(&behind));
    CHECK(speaks_http2(&behind, good));

    world_begin(&front, 2);
    front.servers[0].host = "localhost";
    front.servers[0].port = (uint16_t)behind.port;
    front.servers[0].tls = true;
    front.route.n_servers = 1;
    front.plan.ca_file = good;
    CHECK(world_apply(&front));
    CHECK(world_ask(&front, GET, answer) == 200);
    CHECK(behind.b[0].shared->wrong_hosts + behind.b[1].shared->wrong_hosts == 0);
    front.plan.ca_file = other; /* whoever answers now is not the one that we trust */
    CHECK(world_apply(&front));
    CHECK(world_ask(&front, GET, answer) == 503);
    world_end(&front);
    world_end(&behind);
}

static void a_renewed_certificate_is_noticed_in_its_place(void)
{
    struct world w;
    char served[64], renewed[64];

    world_begin(&w, 2);
    snprintf(served, sizeof served, "%s/served.pem", w.dir);
    snprintf(renewed, sizeof renewed, "%s/renewed.pem", w.dir);
    make_certificate(served);
    make_certificate(renewed);
    w.route.certificate = served;
    CHECK(world_apply(&w));
    haproxy_look_at_files(w.h);
    CHECK(haproxy_state(w.h, NULL) == HAPROXY_RUNNING); /* it is the same one */
    CHECK(!speaks_http2(&w, renewed));
    CHECK(rename(renewed, served) == 0);
    haproxy_look_at_files(w.h);
    CHECK(haproxy_state(w.h, NULL) == HAPROXY_STARTING);
    run_until(&w, haproxy_state(w.h, NULL) == HAPROXY_RUNNING);
    CHECK(speaks_http2(&w, served));
    world_end(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    a_renewed_certificate_is_noticed_in_its_place();
    tls_is_spoken_in_front_and_checked_behind();
    return DONE();
}
