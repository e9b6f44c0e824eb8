#include "net/loop.h"

#include "base/clock.h"
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct trace {
    struct loop *loop;
    struct timer *timer;
    int fired, worked, done, signals, slow;
    int64_t slow_ms;
    char what[32];
    pthread_t worker;
};

static void fire(void *arg)
{
    ((struct trace *)arg)->fired++;
}

static void fire_and_free(void *arg)
{
    struct trace *t = arg;

    t->fired++;
    timer_free(t->timer);
    t->timer = NULL;
}

static void timers_fire_once_and_not_early(void)
{
    struct loop *loop = loop_new(NULL);
    struct trace t = {0};
    struct timer *timer = timer_new(loop, fire, &t);
    int64_t begin = clock_mono_us(&clock_system);

    timer_start(timer, 5);
    CHECK(loop_run(loop) == 0);
    CHECK(t.fired == 1 && clock_mono_us(&clock_system) - begin >= 5000);
    timer_start(timer, 100000);
    timer_start(timer, 0); /* re-arms: the first is forgotten */
    loop_run(loop);
    CHECK(t.fired == 2);
    timer_start(timer, 1);
    timer_stop(timer);
    loop_run(loop);
    CHECK(t.fired == 2);
    timer_free(timer);
    timer_free(NULL);
    loop_free(loop);
    loop_free(NULL);
}

static void a_timer_may_free_itself(void)
{
    struct trace t = {.loop = loop_new(NULL)};

    t.timer = timer_new(t.loop, fire_and_free, &t);
    timer_start(t.timer, 0);
    loop_run(t.loop);
    CHECK(t.fired == 1 && t.timer == NULL);
    loop_free(t.loop);
}

static void stop_loop(void *arg)
{
    struct trace *t = arg;

    t->fired++;
    loop_stop(t->loop);
}

static void a_stopped_loop_can_run_again(void)
{
    struct trace t = {.loop = loop_new(NULL)};
    struct timer *first = timer_new(t.loop, stop_loop, &t), *second = timer_new(t.loop, fire, &t);

    timer_start(first, 0);
    timer_start(second, 20);
    CHECK(loop_run(t.loop) != 0);
    CHECK(t.fired == 1);
    CHECK(loop_run(t.loop) == 0);
    CHECK(t.fired == 2);
    timer_free(first);
    timer_free(second);
    loop_free(t.loop);
}

static void work(void *arg)
{
    struct trace *t = arg;

    t->worked++;
    t->worker = pthread_self();
}

static void slow_done(void *arg)
{
    struct trace *t = arg;
    int64_t until = clock_mono_us(&clock_system) + 80000;

    t->done = pthread_equal(t->worker, pthread_self()) ? -1 : 1;
    while (clock_mono_us(&clock_system) < until) {
    }
}

static void keep_slow(int64_t ms, const char *what, void *arg)
{
    struct trace *t = arg;

    t->slow++;
    t->slow_ms = ms;
    snprintf(t->what, sizeof t->what, "%s", what);
}

static void work_is_done_elsewhere_and_a_slow_turn_is_reported(void)
{
    struct trace t = {.loop = loop_new(NULL)};

    loop_on_slow(t.loop, keep_slow, &t);
    loop_work(t.loop, "counting", work, slow_done, &t);
    loop_run(t.loop);
    CHECK(t.worked == 1 && t.done == 1);
    CHECK(t.slow >= 1 && t.slow_ms > 50);
    CHECK(strcmp(t.what, "counting") == 0);
    loop_free(t.loop);
}

static void waiting_is_not_slow(void)
{
    struct trace t = {.loop = loop_new(NULL)};
    struct timer *timer = timer_new(t.loop, fire, &t);

    loop_on_slow(t.loop, keep_slow, &t);
    timer_start(timer, 150);
    loop_run(t.loop);
    CHECK(t.fired == 1 && t.slow == 0);
    timer_free(timer);
    loop_free(t.loop);
}

static void count_signal(int signal, void *arg)
{
    struct trace *t = arg;

    t->signals += signal == SIGTERM;
    loop_stop(t->loop);
}

static void raise_term(void *arg)
{
    (void)arg;
    raise(SIGTERM);
}

static void a_second_signal_restores_the_default_action(void)
{
    struct trace t = {.loop = loop_new(NULL)};
    struct timer *raiser = timer_new(t.loop, raise_term, NULL),
                 *keeper = timer_new(t.loop, fire, &t);
    struct sigaction now;

    loop_on_signal(t.loop, count_signal, &t);
    timer_start(keeper, 60000);
    timer_start(raiser, 0);
    loop_run(t.loop);
    CHECK(t.signals == 1);
    sigaction(SIGTERM, NULL, &now);
    CHECK(now.sa_handler != SIG_DFL);
    timer_start(raiser, 0);
    loop_run(t.loop);
    CHECK(t.signals == 2);
    sigaction(SIGTERM, NULL, &now);
    CHECK(now.sa_handler == SIG_DFL);
    loop_on_signal(t.loop, NULL, NULL);
    timer_free(raiser);
    timer_free(keeper);
    loop_free(t.loop);
}

static void what_was_not_freed_does_not_hold_a_loop(void)
{
    struct trace t = {.loop = loop_new(NULL)};
    struct timer *forgotten = timer_new(t.loop, fire, &t);

    timer_start(forgotten, 600000);
    loop_free(t.loop); /* returns */
    CHECK(t.fired == 0);
    free(forgotten);
}

int main(void)
{
    timers_fire_once_and_not_early();
    a_timer_may_free_itself();
    a_stopped_loop_can_run_again();
    work_is_done_elsewhere_and_a_slow_turn_is_reported();
    waiting_is_not_slow();
    a_second_signal_restores_the_default_action();
    what_was_not_freed_does_not_hold_a_loop();
    return DONE();
}
