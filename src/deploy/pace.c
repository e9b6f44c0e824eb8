#include "deploy/pace.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row: how many are on their way, and the times of the last answers, oldest at `head`. */
struct window {
    const struct rate_limit *limit;
    size_t in_flight;
    int64_t *answered;
    size_t head, n;
};

struct pace {
    struct window *windows;
    size_t n;
    int64_t blocked_until;
};

struct pace *pace_new(const struct rate_limit *limits)
{
    struct pace *p = mem_alloc(sizeof(*p));

    for (p->n = 0; limits && limits[p->n].requests > 0; p->n++)
        continue;
    p->windows = mem_array(p->n ? p->n : 1, sizeof(*p->windows));
    for (size_t i = 0; i < p->n; i++) {
        p->windows[i].limit = &limits[i];
        p->windows[i].answered = mem_array(limits[i].requests, sizeof(int64_t));
    }
    return p;
}

void pace_free(struct pace *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->windows[i].answered);
    free(p->windows);
    free(p);
}

static bool counts(const struct window *w, const char *cost)
{
    return w->limit->cost[0] == '\0' || strcmp(w->limit->cost, cost) == 0;
}

/* When so many of the answered requests have left the window that one more fits. */
static int64_t window_delay(const struct window *w, int64_t now)
{
    size_t size = w->limit->requests;

    if (w->in_flight >= size)
        return -1;
    size_t room = size - w->in_flight; /* that answered ones may fill, less the one that asks */
    if (w->n < room)
        return 0;
    int64_t opens = w->answered[(w->head + w->n - room) % size] + w->limit->window_ms + 1;
    return opens > now ? opens - now : 0;
}

int64_t pace_delay(const struct pace *p, const char *cost, int64_t now)
{
    int64_t delay = p->blocked_until > now ? p->blocked_until - now : 0;

    for (size_t i = 0; i < p->n; i++) {
        if (!counts(&p->windows[i], cost))
            continue;
        int64_t d = window_delay(&p->windows[i], now);
        if (d < 0)
            return -1;
        if (d > delay)
            delay = d;
    }
    return delay;
}

void pace_sent(struct pace *p, const char *cost)
{
    for (size_t i = 0; i < p->n; i++)
        if (counts(&p->windows[i], cost))
            p->windows[i].in_flight++;
}

void pace_answered(struct pace *p, const char *cost, int64_t now)
{
    for (size_t i = 0; i < p->n; i++) {
        struct window *w = &p->windows[i];
        if (!counts(w, cost))
            continue;
        size_t size = w->limit->requests;
        if (w->in_flight > 0)
            w->in_flight--;
        if (w->n < size) {
            w->answered[(w->head + w->n++) % size] = now;
        } else {
            w->answered[w->head] = now;
            w->head = (w->head + 1) % size;
        }
    }
}

void pace_block(struct pace *p, int64_t until, int64_t now)
{
    if (until > now + PACE_LONGEST_MS)
        until = now + PACE_LONGEST_MS;
    if (until > p->blocked_until)
        p->blocked_until = until;
}

void pace_learn(struct pace *p, const struct rate_facts *facts, int64_t now)
{
    if (facts->remaining == 0 && facts->reset_ms > 0)
        pace_block(p, now + facts->reset_ms, now);
}

/* --- Slow windows, kept -------------------------------------------------------------------------
 */

static void window_name(const struct window *w, char ret[96])
{
    (void)snprintf(ret, 96, "%.40s/%u/%lld", w->limit->cost, w->limit->requests,
                   (long long)w->limit->window_ms);
}

json_t *pace_save(const struct pace *p, int64_t now)
{
    json_t *rows = NULL;
    char name[96];

    for (size_t i = 0; i < p->n; i++) {
        const struct window *w = &p->windows[i];
        if (w->limit->requests > PACE_KEPT)
            continue;
        json_t *ages = json_array();
        for (size_t k = 0; k < w->n; k++) {
            int64_t at = w->answered[(w->head + k) % w->limit->requests];
            (void)json_array_append_new(ages, json_integer(now - at));
        }
        for (size_t k = 0; k < w->in_flight; k++)
            (void)json_array_append_new(ages, json_integer(0));
        rows = rows ? rows : json_object();
        window_name(w, name);
        (void)json_object_set_new(rows, name, ages);
    }
    return rows;
}

void pace_load(struct pace *p, const json_t *saved, int64_t elapsed, int64_t now)
{
    char name[96];

    for (size_t i = 0; i < p->n; i++) {
        struct window *w = &p->windows[i];
        window_name(w, name);
        const json_t *ages = json_object_get(saved, name);
        for (size_t k = 0; k < json_array_size(ages) && w->n < w->limit->requests; k++) {
            int64_t age = json_integer_value(json_array_get(ages, k));
            if (age >= 0 && age + elapsed >= 0 && age + elapsed <= w->limit->window_ms)
                w->answered[(w->head + w->n++) % w->limit->requests] = now - age - elapsed;
        }
    }
}
