#pragma once

#include <stdint.h>

struct loop;

/*
 * A timer for those to whom a millisecond matters: the kernel's timerfd, exact to microseconds,
 * where the loop's own timers are whole milliseconds and a little late. One-shot.
 *
 * Life cycle: alarm_new, alarm_set and its callback, alarm_free. One thread, the loop's. An alarm
 * that is not set keeps no loop running.
 */
struct alarm;
typedef void alarm_fn(void *arg);

struct alarm *alarm_new(struct loop *loop, alarm_fn *fn, void *arg);
void alarm_set(struct alarm *a, int64_t us); /* from now; <= 0: in the next turn. Again: re-arms */
void alarm_stop(struct alarm *a);
void alarm_free(struct alarm *a); /* NULL is fine; safe inside its own callback */
