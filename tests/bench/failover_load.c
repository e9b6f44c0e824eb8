/*
 * Users of a router: GET requests at a constant rate (an open loop: each at its moment, whatever
 * became of the ones before), kept connections. Faults are begun and ended at set moments by
 * commands. Prints one line of JSON about what users saw.
 *
 * usage: failover_load PORT RATE SECONDS FAULT_MS 'COMMAND' MEND_MS 'COMMAND' PRIMARY [LOG]
 *
 * A request is lost when it was not answered 200 within 5 s, slow when it took over 250 ms; both
 * from its intended moment. `clear_ms`: from the fault's begin until nothing that was meant later
 * is lost or slow, while the fault lasts; -1: never. `return_ms`: from the mending until, over a
 * stretch of half a second, at least 80 % is answered by PRIMARY again (its share before the fault
 * is 90 %); -1: not seen. `primary_share_fault`: PRIMARY's part of what was answered in the fault's
 * last third. LOG: a line a request.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS_MAX = 12000, ANSWER_MAX = 2048, EVENTS = 256, LIMIT_US = 5000000, SLOW_US = 250000 };

struct request {
    int64_t meant_us, took_us; /* took -1: lost */
    bool by_primary;
};

struct slot {        /* a connection */
    int fd;          /* -1: none */
    int64_t request; /* index of what it carries, -1: idle */
    size_t len;
    char got[ANSWER_MAX];
};

struct moment { /* of a fault */
    int64_t at_us, did_us;
    const char *command;
};

struct load {
    uint16_t port;
    const char *primary;
    struct request *requests;
    int64_t n, next, open, oldest;
    int64_t start_us, every_ns;
    struct slot slots[SLOTS_MAX];
    int idle[SLOTS_MAX], n_idle;
    int epoll;
    struct moment moments[2];
};

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void hang_up(struct slot *s)
{
    (void)close(s->fd);
    s->fd = -1;
    s->len = 0;
}

static void end_request(struct load *l, struct slot *s, int64_t took_us, bool by_primary)
{
    struct request *r = &l->requests[s->request];

    r->took_us = took_us;
    r->by_primary = by_primary;
    s->request = -1;
    s->len = 0;
    l->open--;
    l->idle[l->n_idle++] = (int)(s - l->slots);
}

static void lose(struct load *l, struct slot *s)
{
    hang_up(s);
    end_request(l, s, -1, false);
}

static int connect_slot(const struct load *l, struct slot *s)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct epoll_event v = {.events = EPOLLIN, .data.u32 = (uint32_t)(s - l->slots)};
    int one = 1;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        hang_up(s);
        return -1;
    }
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &v);
}

static void send_next(struct load *l)
{
    static const char text[] = "GET /api/v1/products?limit=20 HTTP/1.1\r\nHost: bench.test\r\n\r\n";
    struct slot *s;

    l->requests[l->next] =
        (struct request){.meant_us = l->start_us + l->next * l->every_ns / 1000, .took_us = -1};
    if (l->n_idle == 0) { /* more are waiting than any real client would have */
        l->next++;
        return;
    }
    s = &l->slots[l->idle[--l->n_idle]];
    s->request = l->next++;
    l->open++;
    if ((s->fd < 0 && connect_slot(l, s) < 0) ||
        write(s->fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1) {
        if (s->fd >= 0)
            hang_up(s);
        end_request(l, s, -1, false);
    }
}

static void take(struct load *l, struct slot *s)
{
    ssize_t got = read(s->fd, s->got + s->len, sizeof(s->got) - 1 - s->len);

    if (got <= 0) {
        hang_up(s);
        if (s->request >= 0)
            end_request(l, s, -1, false);
        return;
    }
    if (s->request < 0) { /* nobody asked */
        hang_up(s);
        return;
    }
    s->len += (size_t)got;
    s->got[s->len] = '\0';
    const char *body = strstr(s->got, "\r\n\r\n"),
               *length = strcasestr(s->got, "\ncontent-length:");
    if (!body || !length)
        return;
    if (s->len < (size_t)(body + 4 - s->got) + strtoul(length + 16, NULL, 10))
        return;
    const char *by = strcasestr(s->got, "\nx-backend: ");
    bool good = strncmp(s->got + 9, "200", 3) == 0;
    bool primary = by && strncmp(by + 12, l->primary, strlen(l->primary)) == 0;
    bool closes = strcasestr(s->got, "\nconnection: close");
    end_request(l, s, good ? now_us() - l->requests[s->request].meant_us : -1, primary);
    if (closes)
        hang_up(s);
}

static void give_up_old(struct load *l)
{
    for (int i = 0; i < SLOTS_MAX; i++) {
        struct slot *s = &l->slots[i];
        if (s->request >= 0 && now_us() - l->requests[s->request].meant_us > LIMIT_US)
            lose(l, s);
    }
}

static void run_moments(struct load *l)
{
    for (int i = 0; i < 2; i++) {
        struct moment *m = &l->moments[i];
        if (m->did_us || now_us() < l->start_us + m->at_us)
            continue;
        m->did_us = now_us();
        if (fork() == 0) {
            (void)execl("/bin/sh", "sh", "-c", m->command, (char *)NULL);
            _exit(127);
        }
    }
}

static void run(struct load *l)
{
    struct epoll_event events[EVENTS];
    int64_t looked = 0;

    l->start_us = now_us() + 10000;
    while (l->next < l->n || l->open > 0) {
        int64_t due = l->start_us + l->next * l->every_ns / 1000 - now_us();
        while (l->next < l->n && due <= 0) {
            send_next(l);
            due = l->start_us + l->next * l->every_ns / 1000 - now_us();
        }
        int n = epoll_wait(l->epoll, events, EVENTS, l->next < l->n && due < 1000 ? 0 : 1);
        for (int i = 0; i < n; i++)
            if (l->slots[events[i].data.u32].fd >= 0)
                take(l, &l->slots[events[i].data.u32]);
        run_moments(l);
        if (now_us() - looked > 50000) {
            looked = now_us();
            give_up_old(l);
        }
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* --- What users saw ------------------------------------------------------------------------------
 */

static bool is_bad(const struct request *r)
{
    return r->took_us < 0 || r->took_us > SLOW_US;
}

/* The end of the last request that was meant in the fault and went badly; 0: none. */
static int64_t clear_after(const struct load *l, int64_t fault, int64_t mend)
{
    int64_t last = 0;

    for (int64_t i = 0; i < l->n; i++)
        if (is_bad(&l->requests[i]) && l->requests[i].meant_us >= fault &&
            l->requests[i].meant_us < mend)
            last = l->requests[i].meant_us - fault + 1000;
    return mend - fault - last < 500000 && last > 0 ? -1 : last / 1000;
}

static int64_t back_after(const struct load *l, int64_t mend)
{
    int64_t width = 500000000 / l->every_ns, by = 0;

    if (width < 10)
        width = 10;
    for (int64_t i = 0; i < l->n; i++) {
        by += l->requests[i].by_primary;
        by -= i >= width && l->requests[i - width].by_primary;
        if (i >= width && l->requests[i - width].meant_us >= mend && by * 10 >= width * 8)
            return (l->requests[i].meant_us - mend) / 1000;
    }
    return -1;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print(const struct load *l)
{
    int64_t fault = l->moments[0].did_us, mend = l->moments[1].did_us, worst = 0, n = 0;
    int64_t lost = 0, slow = 0, lost_return = 0, slow_before = 0, primary = 0, answered = 0;
    int64_t *times = calloc((size_t)l->n + 1, sizeof(*times));

    for (int64_t i = 0; i < l->n; i++) {
        const struct request *r = &l->requests[i];
        bool in_fault = r->meant_us >= fault && r->meant_us < mend;
        lost += r->took_us < 0 && in_fault;
        lost_return += r->took_us < 0 && !in_fault;
        slow += r->took_us > SLOW_US && in_fault;
        slow_before += r->took_us > SLOW_US && !in_fault;
        worst = r->took_us > worst ? r->took_us : worst;
        bool late = in_fault && r->meant_us > mend - (mend - fault) / 3;
        answered += late && r->took_us >= 0;
        primary += late && r->by_primary;
        if (r->meant_us < fault && r->took_us >= 0)
            times[n++] = r->took_us;
    }
    qsort(times, (size_t)n, sizeof(*times), by_time);
    (void)printf("{\"sent\":%lld,\"lost\":%lld,\"slow\":%lld,\"clear_ms\":%lld,\"return_ms\":%lld,"
                 "\"lost_elsewhen\":%lld,\"slow_elsewhen\":%lld,\"worst_ms\":%.1f,"
                 "\"p50_before_ms\":%.3f,\"p99_before_ms\":%.3f,\"primary_share_fault\":%.3f}\n",
                 (long long)l->n, (long long)lost, (long long)slow,
                 (long long)clear_after(l, fault, mend), (long long)back_after(l, mend),
                 (long long)lost_return, (long long)slow_before, (double)worst / 1000,
                 n ? (double)times[n / 2] / 1000 : -1.0,
                 n ? (double)times[n * 99 / 100] / 1000 : -1.0,
                 answered ? (double)primary / (double)answered : 0.0);
    free(times);
}

static void write_log(const struct load *l, const char *path)
{
    FILE *f = fopen(path, "w");

    for (int64_t i = 0; f && i < l->n; i++)
        (void)fprintf(f, "%lld %lld %d\n", (long long)(l->requests[i].meant_us - l->start_us),
                      (long long)l->requests[i].took_us, l->requests[i].by_primary);
    if (f)
        (void)fclose(f);
}

int main(int argc, char **argv)
{
    static struct load l;
    double rate = argc >= 9 ? strtod(argv[2], NULL) : 0;

    if (rate <= 0 || rate > 20000) {
        (void)fprintf(stderr, "usage: failover_load PORT RATE SECONDS FAULT_MS 'COMMAND' MEND_MS "
                              "'COMMAND' PRIMARY [LOG]\n");
        return 2;
    }
    l.port = (uint16_t)strtol(argv[1], NULL, 10);
    l.every_ns = (int64_t)(1e9 / rate);
    l.n = (int64_t)(rate * strtod(argv[3], NULL));
    l.moments[0] = (struct moment){strtol(argv[4], NULL, 10) * 1000, 0, argv[5]};
    l.moments[1] = (struct moment){strtol(argv[6], NULL, 10) * 1000, 0, argv[7]};
    l.primary = argv[8];
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.requests = calloc((size_t)l.n + 1, sizeof(*l.requests));
    if (!l.requests || l.epoll < 0)
        return 1;
    for (int i = SLOTS_MAX; i-- > 0;) {
        l.slots[i].fd = -1;
        l.slots[i].request = -1;
        l.idle[l.n_idle++] = i;
    }
    run(&l);
    print(&l);
    if (argc > 9)
        write_log(&l, argv[9]);
    return 0;
}
