#include "net/alarm.h"

#include "base/mem.h"
#include "net/loop.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct alarm {
    uv_poll_t poll;
    int fd;
    alarm_fn *fn;
    void *arg;
};

static void rang(uv_poll_t *poll, int status, int events)
{
    struct alarm *a = poll->data;
    uint64_t times;

    (void)status, (void)events;
    if (read(a->fd, &times, sizeof times) != sizeof times)
        return; /* set anew since the kernel said so */
    uv_unref((uv_handle_t *)poll);
    a->fn(a->arg);
}

struct alarm *alarm_new(struct loop *loop, alarm_fn *fn, void *arg)
{
    struct alarm *a = mem_alloc(sizeof *a);

    a->fn = fn;
    a->arg = arg;
    a->poll.data = a;
    a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (a->fd < 0 || uv_poll_init(loop_uv(loop), &a->poll, a->fd) != 0 ||
        uv_poll_start(&a->poll, UV_READABLE, rang) != 0)
        abort(); /* no descriptor left at the very beginning */
    uv_unref((uv_handle_t *)&a->poll);
    return a;
}

static void set(struct alarm *a, int64_t us)
{
    struct itimerspec t = {.it_value = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}};

    timerfd_settime(a->fd, 0, &t, NULL);
}

void alarm_set(struct alarm *a, int64_t us)
{
    set(a, us > 0 ? us : 1); /* zero would stop it */
    uv_ref((uv_handle_t *)&a->poll);
}

void alarm_stop(struct alarm *a)
{
    set(a, 0);
    uv_unref((uv_handle_t *)&a->poll);
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void alarm_free(struct alarm *a)
{
    if (!a)
        return;
    uv_poll_stop(&a->poll);
    close(a->fd);
    uv_close((uv_handle_t *)&a->poll, closed);
}
