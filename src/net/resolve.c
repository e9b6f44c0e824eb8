#include "net/resolve.h"
#include "base/mem.h"
#include "net/loop.h"

#include <ares.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { TIMEOUT_MS = 2000, TRIES = 3, NAME_MAX_LEN = 253 };

/* One of c-ares' sockets. */
struct watched {
    struct watched *next, **link;
    uv_poll_t poll;
    struct resolver *resolver;
    ares_socket_t fd;
};

/* A look-up lives until c-ares is done with it; a cancelled one has no callback any more. */
struct lookup {
    struct lookup *next;
    struct resolver *resolver;
    uint64_t id;
    resolve_fn *fn; /* NULL: cancelled */
    void *arg;
    char *host;
    uint16_t port;
    bool known; /* the result is there: given out at the next turn */
    struct resolved result;
    struct address list[RESOLVE_MAX];
};

struct resolver {
    struct loop *loop;
    char *servers;
    unsigned timeout_ms;
    ares_channel channel;
    bool usable;                /* the channel was made */
    struct timespec configured; /* when /etc/resolv.conf was changed last */
    struct watched *watched;
    struct lookup *lookups;
    size_t in_ares;
    uint64_t last_id;
    struct timer *retry; /* when c-ares wants to be called */
    struct timer *give;  /* gives out what is known already */
};

/* ---- what needs no server ---- */

void address_text(const struct address *a, bool with_port, char ret[ADDRESS_TEXT])
{
    char ip[INET6_ADDRSTRLEN] = "";

    if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, sizeof ip);
        if (with_port)
            snprintf(ret, ADDRESS_TEXT, "[%s]:%u", ip, ntohs(a->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, ip, sizeof ip);
        if (with_port)
            snprintf(ret, ADDRESS_TEXT, "%s:%u", ip, ntohs(a->v4.sin_port));
    }
    if (!with_port)
        snprintf(ret, ADDRESS_TEXT, "%s", ip);
}

static void add_v4(struct lookup *l, const struct in_addr *ip)
{
    struct address *a = &l->list[l->result.n++];

    a->v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = *ip, .sin_port = htons(l->port)};
    a->len = sizeof a->v4;
}

static void add_v6(struct lookup *l, const struct in6_addr *ip, uint32_t scope)
{
    struct address *a = &l->list[l->result.n++];

    a->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                  .sin6_addr = *ip,
                                  .sin6_port = htons(l->port),
                                  .sin6_scope_id = scope};
    a->len = sizeof a->v6;
}

static bool is_loopback_name(const char *host)
{
    static const char loopback[] = "localhost";
    size_t len = strlen(host), n = sizeof loopback - 1;

    if (len > 0 && host[len - 1] == '.')
        len--;
    return len >= n && strncasecmp(host + len - n, loopback, n) == 0 &&
           (len == n || host[len - n - 1] == '.');
}

/* An address written out, a loopback name, or no name at all. */
static bool answer_at_once(struct lookup *l)
{
    struct in_addr v4;
    struct in6_addr v6;
    static const char name_characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(l->host);

    if (inet_pton(AF_INET, l->host, &v4) == 1) {
        add_v4(l, &v4);
    } else if (inet_pton(AF_INET6, l->host, &v6) == 1) {
        add_v6(l, &v6, 0);
    } else if (is_loopback_name(l->host)) {
        v4.s_addr = htonl(INADDR_LOOPBACK);
        add_v4(l, &v4);
        add_v6(l, &in6addr_loopback, 0);
    } else if (len == 0 || len > NAME_MAX_LEN + 1 || strspn(l->host, name_characters) != len) {
        err_set(&l->result.err, ERR_USAGE,
                "\"%.60s%s\" is not a host name (others than ASCII: write the xn-- form)", l->host,
                len > 60 ? "..." : "");
    } else {
        return false;
    }
    l->result.answered = l->result.n > 0;
    l->known = true;
    return true;
}

/* ---- look-ups ---- */

static void free_lookup(struct resolver *r, struct lookup *l)
{
    struct lookup **at = &r->lookups;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free(l->host);
    free(l);
}

static void give_known(void *arg)
{
    struct resolver *r = arg;
    struct lookup *l = r->lookups;

    /* From the beginning again after each, for the callback may have changed the list. */
    while (l) {
        if (!l->known) {
            l = l->next;
            continue;
        }
        resolve_fn *fn = l->fn;
        struct resolved result = l->result;
        struct address list[RESOLVE_MAX];

        memcpy(list, l->list, sizeof list);
        result.list = list;
        void *fn_arg = l->arg;

        free_lookup(r, l);
        if (fn)
            fn(&result, fn_arg);
        l = r->lookups;
    }
}

static void set_known(struct lookup *l)
{
    l->known = true;
    timer_start(l->resolver->give, 0);
}

/* What c-ares' code means to the one who asked. */
static void explain(struct lookup *l, int code)
{
    struct resolved *result = &l->result;
    const char *host = l->host;

    switch (code) {
    case ARES_ENOTFOUND:
        result->answered = true;
        err_set(&result->err, ERR_REMOTE,
                "%s: there is no such name; check its spelling and its DNS records", host);
        return;
    case ARES_ENODATA:
        result->answered = true;
        err_set(&result->err, ERR_REMOTE,
                "%s: the name has no address; add an A or AAAA record to its DNS zone", host);
        return;
    case ARES_EBADNAME:
        err_set(&result->err, ERR_USAGE, "%s: not a host name", host);
        return;
    case ARES_ETIMEOUT:
        err_set(&result->err, ERR_NET,
                "%s: no DNS server answered; look at /etc/resolv.conf and "
                "at this machine's network",
                host);
        break;
    case ARES_ECONNREFUSED:
        err_set(&result->err, ERR_NET,
                "%s: no DNS server could be reached; look at "
                "/etc/resolv.conf and at this machine's network",
                host);
        break;
    default:
        result->answered = code == ARES_ESERVFAIL || code == ARES_EREFUSED ||
                           code == ARES_ENOTIMP || code == ARES_EFORMERR;
        err_set(&result->err, result->answered ? ERR_REMOTE : ERR_NET,
                "%s: the name cannot be looked up: %s", host, ares_strerror(code));
        break;
    }
    result->err.retry = true;
}

static void ares_answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct lookup *l = arg;

    (void)timeouts;
    l->resolver->in_ares--;
    for (struct ares_addrinfo_node *n = info ? info->nodes : NULL; n && l->result.n < RESOLVE_MAX;
         n = n->ai_next) {
        struct address a = {0};

        if (n->ai_addrlen > sizeof a)
            continue;
        memcpy(&a.any, n->ai_addr, n->ai_addrlen);
        if (n->ai_family == AF_INET)
            add_v4(l, &a.v4.sin_addr);
        else if (n->ai_family == AF_INET6)
            add_v6(l, &a.v6.sin6_addr, a.v6.sin6_scope_id);
    }
    ares_freeaddrinfo(info);
    l->result.answered = l->result.n > 0;
    if (l->result.n == 0)
        explain(l, status == ARES_SUCCESS ? ARES_ENODATA : status);
    set_known(l);
}

/* ---- c-ares on the loop ---- */

static void arm_retry(struct resolver *r)
{
    struct timeval left;

    if (r->usable && ares_timeout(r->channel, NULL, &left))
        timer_start(r->retry, left.tv_sec * 1000 + left.tv_usec / 1000);
    else
        timer_stop(r->retry);
}

static void retry(void *arg)
{
    struct resolver *r = arg;

    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_retry(r);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    struct resolver *r = w->resolver;
    bool all = status < 0;
    ares_socket_t fd = w->fd; /* w may go during the call */

    ares_process_fd(r->channel, all || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
                    all || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
    arm_retry(r);
}

static void watched_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watched *watch(struct resolver *r, ares_socket_t fd)
{
    struct watched *w = mem_alloc(sizeof *w);

    w->resolver = r;
    w->fd = fd;
    w->poll.data = w;
    if (uv_poll_init_socket(loop_uv(r->loop), &w->poll, fd) != 0)
        abort(); /* fd is no socket */
    w->next = r->watched;
    w->link = &r->watched;
    if (w->next)
        w->next->link = &w->next;
    r->watched = w;
    return w;
}

static void unwatch(struct watched *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    uv_close((uv_handle_t *)&w->poll, watched_closed);
}

static void socket_wanted(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = arg;
    struct watched *w = r->watched;

    while (w && w->fd != fd)
        w = w->next;
    if (!readable && !writable) {
        if (w)
            unwatch(w);
        return;
    }
    if (!w)
        w = watch(r, fd);
    uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  socket_ready);
}

static struct timespec configuration_time(void)
{
    struct stat st;

    return stat("/etc/resolv.conf", &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static void open_channel(struct resolver *r)
{
    char lookups[] = "fb"; /* the file /etc/hosts, then DNS */
    struct ares_options o = {.timeout = (int)r->timeout_ms,
                             .tries = TRIES,
                             .lookups = lookups,
                             .sock_state_cb = socket_wanted,
                             .sock_state_cb_data = r};

    r->configured = configuration_time();
    r->usable = ares_init_options(&r->channel, &o,
                                  ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                      ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS;
    if (r->usable && r->servers &&
        ares_set_servers_ports_csv(r->channel, r->servers) != ARES_SUCCESS) {
        ares_destroy(r->channel);
        r->usable = false;
    }
}

/* A machine that gets another network gets other servers; a daemon must follow. */
static void follow_configuration(struct resolver *r)
{
    struct timespec now = configuration_time();

    if (r->in_ares > 0 ||
        (r->usable && now.tv_sec == r->configured.tv_sec && now.tv_nsec == r->configured.tv_nsec))
        return;
    if (r->usable)
        ares_destroy(r->channel);
    open_channel(r);
}

/* ---- life ---- */

struct resolver *resolver_new(struct loop *loop, const struct resolver_options *o)
{
    struct resolver *r = mem_alloc(sizeof *r);

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        abort();
    r->loop = loop;
    r->servers = o ? mem_strdup(o->servers) : NULL;
    r->timeout_ms = o && o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    r->retry = timer_new(loop, retry, r);
    r->give = timer_new(loop, give_known, r);
    open_channel(r);
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    if (r->usable)
        ares_destroy(r->channel); /* calls back for all that is under way, closes all sockets */
    while (r->lookups)
        free_lookup(r, r->lookups);
    while (r->watched)
        unwatch(r->watched);
    timer_free(r->retry);
    timer_free(r->give);
    free(r->servers);
    free(r);
    ares_library_cleanup();
}

static struct lookup *add_lookup(struct resolver *r, const char *host)
{
    struct lookup *l = mem_alloc(sizeof *l);
    size_t len = strlen(host);

    l->resolver = r;
    l->id = ++r->last_id;
    l->host = mem_strdup(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        memmove(l->host, l->host + 1, len - 2);
        l->host[len - 2] = '\0';
    }
    l->next = r->lookups;
    r->lookups = l;
    return l;
}

uint64_t resolve_start(struct resolver *r, const char *host, uint16_t port, resolve_fn *fn,
                       void *arg)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
    struct lookup *l = add_lookup(r, host);
    uint64_t id = l->id;

    l->fn = fn;
    l->arg = arg;
    l->port = port;
    if (answer_at_once(l)) {
        timer_start(r->give, 0);
        return id;
    }
    follow_configuration(r);
    if (!r->usable) {
        err_set(&l->result.err, ERR_NET, "%s: the name cannot be looked up: %s", l->host,
                r->servers ? "the DNS servers given make no sense"
                           : "/etc/resolv.conf cannot be used");
        set_known(l);
        return id;
    }
    r->in_ares++;
    ares_getaddrinfo(r->channel, l->host, NULL, &hints, ares_answered, l);
    l->result.asked = !l->known; /* else it stood in /etc/hosts */
    arm_retry(r);
    return id;
}

void resolve_cancel(struct resolver *r, uint64_t id)
{
    bool wanted = false;

    for (struct lookup *l = r->lookups; l; l = l->next) {
        if (l->id == id)
            l->fn = NULL;
        wanted = wanted || l->fn;
    }
    if (!wanted && r->in_ares > 0) { /* nothing is waited for that nobody wants */
        ares_cancel(r->channel);
        arm_retry(r);
    }
}
