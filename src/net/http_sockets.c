#include "net/http_sockets.h"
#include "base/mem.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_ONCE = 64 };

struct watch {
    uint32_t registered; /* events that the kernel knows; 0 = the socket is not in the epoll */
    bool wanted;         /* libcurl asks about it */
};

struct http_sockets {
    CURLM *multi;
    http_sockets_fn *fn;
    void *arg;
    int epoll;
    uv_poll_t poll;
    struct watch *watches; /* by descriptor */
    size_t cap;
    size_t n_wanted; /* the loop goes on while there are any */
};

static struct watch *watch_of(struct http_sockets *s, int fd)
{
    size_t need = (size_t)fd + 1;

    if (need > s->cap) {
        size_t cap = need < 2 * s->cap ? 2 * s->cap : need + 64;

        s->watches = mem_grow(s->watches, cap, sizeof *s->watches);
        memset(s->watches + s->cap, 0, (cap - s->cap) * sizeof *s->watches);
        s->cap = cap;
    }
    return &s->watches[fd];
}

static void set_wanted(struct http_sockets *s, struct watch *w, bool wanted)
{
    if (w->wanted == wanted)
        return;
    w->wanted = wanted;
    s->n_wanted += wanted ? 1 : (size_t)-1;
    if (wanted && s->n_wanted == 1)
        uv_ref((uv_handle_t *)&s->poll);
    else if (s->n_wanted == 0)
        uv_unref((uv_handle_t *)&s->poll);
}

/* libcurl says what it wants to know of a socket. */
static int wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http_sockets *s = arg;
    struct watch *w = watch_of(s, fd);

    (void)easy, (void)socket_arg;
    set_wanted(s, w, what != CURL_POLL_REMOVE);
    if (!w->wanted)
        return 0;

    uint32_t events =
        (what != CURL_POLL_OUT ? EPOLLIN : 0U) | (what != CURL_POLL_IN ? EPOLLOUT : 0U);
    struct epoll_event e = {.events = events, .data.fd = fd};

    if (events == w->registered)
        return 0;
    if (epoll_ctl(s->epoll, w->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
        return -1; /* the kernel's limit of watches: libcurl gives the transfer up */
    w->registered = events;
    return 0;
}

static void forget(struct http_sockets *s, int fd)
{
    struct watch *w = watch_of(s, fd);

    set_wanted(s, w, false);
    if (w->registered)
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, NULL);
    w->registered = 0;
}

void http_sockets_opened(struct http_sockets *s, curl_socket_t fd)
{
    struct watch *w = watch_of(s, fd);
    struct epoll_event e = {.events = w->registered, .data.fd = fd};

    /* What is noted of the number is of a socket that is gone. When libcurl asks about the number
     * still, it may take the new one for the old and not ask again. */
    bool again = w->wanted && w->registered;
    w->registered = 0;
    if (again && epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
        w->registered = e.events;
}

int http_sockets_close(void *sockets, curl_socket_t fd)
{
    struct http_sockets *s = sockets;
    struct watch *w = watch_of(s, fd);

    set_wanted(s, w, false);
    w->registered = 0; /* the kernel forgets it with the last descriptor */
    return close(fd);
}

static void tell(struct http_sockets *s, const struct epoll_event *e)
{
    int fd = e->data.fd, flags = 0, running;

    if (!watch_of(s, fd)->wanted) { /* a kept connection that nobody uses stirs: its peer closes */
        forget(s, fd);
        return;
    }
    if (e->events & (EPOLLIN | EPOLLHUP))
        flags |= CURL_CSELECT_IN;
    if (e->events & EPOLLOUT)
        flags |= CURL_CSELECT_OUT;
    if (e->events & EPOLLERR)
        flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(s->multi, fd, flags, &running);
}

/* A socket closed meanwhile, whose number is another's by now, is told once too often: libcurl then
 * finds nothing to do. */
static void ready(uv_poll_t *poll, int status, int events)
{
    struct http_sockets *s = poll->data;
    struct epoll_event list[AT_ONCE];
    int n = epoll_wait(s->epoll, list, AT_ONCE, 0);

    (void)status, (void)events;
    for (int i = 0; i < n; i++)
        tell(s, &list[i]);
    s->fn(s->arg);
}

struct http_sockets *http_sockets_new(struct loop *loop, CURLM *multi, http_sockets_fn *fn,
                                      void *arg)
{
    struct http_sockets *s = mem_alloc(sizeof *s);

    *s = (struct http_sockets){.multi = multi, .fn = fn, .arg = arg};
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->poll.data = s;
    if (s->epoll < 0 || uv_poll_init(loop_uv(loop), &s->poll, s->epoll) != 0 ||
        uv_poll_start(&s->poll, UV_READABLE, ready) != 0)
        abort(); /* no descriptor left at the very beginning */
    uv_unref((uv_handle_t *)&s->poll);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, s);
    return s;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void http_sockets_free(struct http_sockets *s)
{
    uv_poll_stop(&s->poll);
    close(s->epoll);
    free(s->watches);
    uv_close((uv_handle_t *)&s->poll, closed);
}
