#include "base/mem.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "probe/schedule.h"
#include "test.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The real engine against a real server on the loopback. Nothing here depends on how fast the
 * machine is: each slot gives exactly one sample, whatever became of it. */

enum { SEEN_MAX = 400 };

struct seen {
    const struct target *target;
    struct sample sample;
    char reason[256];
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct schedule *schedule;
    struct seen seen[SEEN_MAX];
    int n_seen, n_done, n_connections;
    int stop_after; /* results; 0 = never */
};

/* "/hang" is never answered, "/sick" with 503, anything else with 200. */
static void answer(struct http_exchange *x, void *arg)
{
    struct fixture *f = arg;
    const char *path = http_exchange_path(x);
    const char *connection = http_exchange_header(x, "X-Probe");
    f->n_connections += connection && strcmp(connection, "yes") == 0;
    if (strcmp(path, "/hang") == 0)
        return;
    int status = strcmp(path, "/sick") == 0 ? 503 : 200;
    http_exchange_answer(x, status, "text/plain", "well", 4);
}

static void note(const struct probe_result *r, void *arg)
{
    struct fixture *f = arg;
    if (f->n_seen == SEEN_MAX)
        abort();
    struct seen *s = &f->seen[f->n_seen++];
    s->target = r->target;
    s->sample = *r->sample;
    snprintf(s->reason, sizeof(s->reason), "%s", r->reason);
    if (f->n_seen == f->stop_after)
        schedule_stop(f->schedule);
}

/* The schedule is freed where a program would free it. */
static void note_done(void *arg)
{
    struct fixture *f = arg;
    f->n_done++;
    schedule_free(f->schedule);
    f->schedule = NULL;
    loop_stop(f->loop);
}

static void fixture_init(struct fixture *f, int64_t duration_ms, int64_t ticks)
{
    struct err e = ERR_INIT;
    memset(f, 0, sizeof(*f));
    f->loop = loop_new(NULL);
    struct http_server_options server = {.address = "127.0.0.1"};
    f->server = http_server_new(f->loop, &server, answer, f, &e);
    if (!f->server)
        abort();
    struct schedule_options o = {
        .user_agent = "trine-test",
        .duration_ms = duration_ms,
        .ticks = ticks,
        .done = note_done,
        .result = note,
        .arg = f,
    };
    f->schedule = schedule_new(f->loop, &o);
}

static void fixture_release(struct fixture *f)
{
    schedule_free(f->schedule);
    http_server_free(f->server);
    loop_free(f->loop);
}

/* A generous target of its own; the url is freed with target_release. */
static struct target target(const struct fixture *f, const char *environment, const char *app,
                            const char *path)
{
    return (struct target){
        .environment = environment,
        .app = app,
        .instance = "only",
        .check = path,
        .series = 7,
        .url = mem_printf("http://127.0.0.1:%u%s", http_server_port(f->server), path),
        .every_ms = 40,
        .timeout_ms = 20000,
    };
}

static void target_release(struct target *t)
{
    free((void *)(uintptr_t)t->url);
}

static void must_add(struct schedule *s, const struct target *t)
{
    struct err e = ERR_INIT;
    if (schedule_add(s, t, &e) < 0)
        abort();
}

static void run(struct fixture *f)
{
    schedule_start(f->schedule);
    loop_run(f->loop);
}

/* How many samples of a target had an outcome; the last of them goes to *ret. */
static int count(const struct fixture *f, const struct target *t, enum sample_outcome outcome,
                 struct seen *ret)
{
    int n = 0;
    for (int i = 0; i < f->n_seen; i++) {
        if (f->seen[i].target != t || f->seen[i].sample.outcome != outcome)
            continue;
        n++;
        if (ret)
            *ret = f->seen[i];
    }
    return n;
}

static int count_all(const struct fixture *f, const struct target *t)
{
    int n = 0;
    for (int i = 0; i < f->n_seen; i++)
        n += f->seen[i].target == t;
    return n;
}

/* A time that a probe has at its n-th sample; samples of one target come in slot order unless one
 * is missed while another runs, so they are looked for by time. */
static bool has_time(const struct fixture *f, const struct target *t, int64_t at_ms)
{
    for (int i = 0; i < f->n_seen; i++)
        if (f->seen[i].target == t && f->seen[i].sample.at_ms == at_ms)
            return true;
    return false;
}

static void every_slot_gives_one_sample_with_its_phases(void)
{
    struct fixture f;
    struct seen ok = {0};
    fixture_init(&f, 0, 5);
    struct target t = target(&f, "uat", "shop", "/");
    struct http_header header = {"X-Probe", "yes"};
    t.headers = &header;
    t.n_headers = 1;
    t.expect_body = "well";
    must_add(f.schedule, &t);
    run(&f);
    int n_ok = count(&f, &t, SAMPLE_OK, &ok);
    CHECK(f.n_done == 1 && count_all(&f, &t) == 5);
    CHECK(n_ok >= 1 && n_ok + count(&f, &t, SAMPLE_MISSED, NULL) == 5);
    CHECK(f.n_connections == n_ok);
    CHECK(ok.sample.status == 200 && ok.sample.series == 7 && ok.sample.class_ == SAMPLE_WARM);
    CHECK(ok.sample.late_us >= 0 && ok.sample.connect_us > 0 && ok.sample.tls_us == -1);
    CHECK(ok.sample.first_byte_us >= ok.sample.connect_us);
    CHECK(ok.sample.total_us >= ok.sample.late_us + ok.sample.first_byte_us);
    CHECK(ok.sample.at_ms > INT64_C(1700000000000) && ok.reason[0] == '\0');
    target_release(&t);
    fixture_release(&f);
}

static void all_environments_of_an_app_share_their_ticks_and_other_apps_do_not(void)
{
    struct fixture f;
    int pairs = 0, strangers = 0;
    fixture_init(&f, 0, 4);
    struct target uat = target(&f, "uat", "shop", "/"), beta = target(&f, "beta", "shop", "/"),
                  other = target(&f, "uat", "admin", "/");
    uat.every_ms = beta.every_ms = other.every_ms = 200;
    must_add(f.schedule, &uat);
    must_add(f.schedule, &other);
    must_add(f.schedule, &beta);
    run(&f);
    for (int i = 0; i < f.n_seen; i++) {
        if (f.seen[i].target != &uat)
            continue;
        pairs += has_time(&f, &beta, f.seen[i].sample.at_ms);
        strangers += has_time(&f, &other, f.seen[i].sample.at_ms);
    }
    CHECK(pairs == 4 && count_all(&f, &beta) == 4);
    CHECK(strangers == 0 && count_all(&f, &other) == 4);
    target_release(&uat);
    target_release(&beta);
    target_release(&other);
    fixture_release(&f);
}

static void a_target_that_hangs_fails_in_its_time_and_delays_nobody(void)
{
    struct fixture f;
    struct seen failed = {0}, missed = {0};
    fixture_init(&f, 0, 30);
    struct target hung = target(&f, "uat", "shop", "/hang"), well = target(&f, "beta", "shop", "/");
    hung.timeout_ms = 1000;
    must_add(f.schedule, &hung);
    must_add(f.schedule, &well);
    run(&f);
    CHECK(count_all(&f, &hung) == 30 && count_all(&f, &well) == 30);
    CHECK(count(&f, &hung, SAMPLE_FAILED, &failed) >= 1 && count(&f, &hung, SAMPLE_OK, NULL) == 0);
    CHECK(failed.sample.status == 0 && failed.sample.total_us >= 900000 && failed.reason[0]);
    CHECK(count(&f, &hung, SAMPLE_MISSED, &missed) >= 1);
    CHECK(missed.sample.late_us == -1 && missed.sample.total_us == -1 && missed.reason[0]);

    /* The healthy one was answered while the other hung. */
    int before = 0;
    for (int i = 0; i < f.n_seen && f.seen[i].sample.outcome != SAMPLE_FAILED; i++)
        before += f.seen[i].target == &well && f.seen[i].sample.outcome == SAMPLE_OK;
    CHECK(before >= 1);
    target_release(&hung);
    target_release(&well);
    fixture_release(&f);
}

/* A port on which nobody listens: bound and given back. */
static unsigned closed_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    close(fd);
    return ntohs(a.sin_port);
}

static void a_refused_connection_is_a_failure(void)
{
    struct seen seen = {0};
    struct fixture f;
    fixture_init(&f, 0, 1);
    struct target t = target(&f, "uat", "shop", "/");
    target_release(&t);
    t.url = mem_printf("http://127.0.0.1:%u/", closed_port());
    must_add(f.schedule, &t);
    run(&f);
    CHECK(count(&f, &t, SAMPLE_FAILED, &seen) == 1);
    CHECK(seen.sample.status == 0 && seen.sample.first_byte_us == -1);
    CHECK(strstr(seen.reason, "127.0.0.1"));
    target_release(&t);
    fixture_release(&f);
}

static void an_unwelcome_status_is_a_failure_with_its_reason(void)
{
    struct fixture f;
    struct seen seen = {0};
    fixture_init(&f, 0, 1);
    struct target t = target(&f, "uat", "shop", "/sick");
    must_add(f.schedule, &t);
    run(&f);
    CHECK(count(&f, &t, SAMPLE_FAILED, &seen) == 1 && seen.sample.status == 503);
    CHECK(strstr(seen.reason, "503"));
    target_release(&t);
    fixture_release(&f);
}

static void only_the_first_probe_of_a_sleeping_service_is_cold(void)
{
    struct fixture f;
    fixture_init(&f, 0, 4);
    struct target a = target(&f, "uat", "shop", "/a"), b = target(&f, "uat", "shop", "/b"),
                  awake = target(&f, "beta", "shop", "/a");
    a.sleep_after_ms = b.sleep_after_ms = INT64_C(24) * 3600 * 1000;
    must_add(f.schedule, &a);
    must_add(f.schedule, &b);
    must_add(f.schedule, &awake);
    run(&f);
    int cold_a = 0, cold_b = 0, cold_awake = 0;
    for (int i = 0; i < f.n_seen; i++) {
        if (f.seen[i].sample.class_ != SAMPLE_COLD)
            continue;
        cold_a += f.seen[i].target == &a;
        cold_b += f.seen[i].target == &b;
        cold_awake += f.seen[i].target == &awake;
    }
    CHECK(cold_a == 1 && cold_b == 0 && cold_awake == 0);
    target_release(&a);
    target_release(&b);
    target_release(&awake);
    fixture_release(&f);
}

static void it_ends_after_its_duration(void)
{
    struct fixture f;
    fixture_init(&f, 100, 0);
    struct target t = target(&f, "uat", "shop", "/");
    must_add(f.schedule, &t);
    run(&f);
    CHECK(f.n_done == 1 && count_all(&f, &t) == 3); /* at 0, 40 and 80 ms */
    target_release(&t);
    fixture_release(&f);
}

static void stopped_from_a_result_it_ends_once_and_begins_nothing_more(void)
{
    struct fixture f;
    fixture_init(&f, 0, 0);
    f.stop_after = 3;
    struct target t = target(&f, "uat", "shop", "/");
    must_add(f.schedule, &t);
    run(&f);
    CHECK(f.n_done == 1 && f.n_seen >= 3 && f.n_seen <= 4);
    target_release(&t);
    fixture_release(&f);
}

static void without_targets_it_is_done_at_once(void)
{
    struct fixture f;
    fixture_init(&f, 0, 0);
    run(&f);
    CHECK(f.n_done == 1 && f.n_seen == 0);
    fixture_release(&f);
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static void freeing_it_drops_the_probes_under_way(void)
{
    struct fixture f;
    fixture_init(&f, 0, 0);
    struct target t = target(&f, "uat", "shop", "/hang");
    must_add(f.schedule, &t);
    struct timer *timer = timer_new(f.loop, stop_loop, f.loop);
    timer_start(timer, 100);
    run(&f);
    timer_free(timer);
    CHECK(f.n_done == 0 && count(&f, &t, SAMPLE_OK, NULL) == 0);
    target_release(&t);
    fixture_release(&f);
}

int main(void)
{
    every_slot_gives_one_sample_with_its_phases();
    all_environments_of_an_app_share_their_ticks_and_other_apps_do_not();
    a_target_that_hangs_fails_in_its_time_and_delays_nobody();
    a_refused_connection_is_a_failure();
    an_unwelcome_status_is_a_failure_with_its_reason();
    only_the_first_probe_of_a_sleeping_service_is_cold();
    it_ends_after_its_duration();
    stopped_from_a_result_it_ends_once_and_begins_nothing_more();
    without_targets_it_is_done_at_once();
    freeing_it_drops_the_probes_under_way();
    return DONE();
}
