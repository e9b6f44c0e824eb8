#include "watch.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/*
 * Sliding windows in simulated time, one an account and rate row. `seen` holds every request that
 * came, also the refused ones, for the books; `taken` those that count against the limit.
 */
enum { TIMES_MAX = 1 << 16, ROWS_MAX = 16 /* of one platform */ };

struct times { /* a queue: oldest at `head` */
    int64_t *at;
    size_t head, len, cap;
};

struct window {
    struct window *next;
    const struct sim_platform *platform;
    const struct sim_rate *row;
    char *account, *part; /* part: of the path, where a row counts by it */
    struct times seen, taken;
    size_t most;
    int64_t blocked_until;
};

struct rates {
    struct window *windows;
};

static int64_t times_get(const struct times *t, size_t i)
{
    return t->at[(t->head + i) % t->cap];
}

static void times_expire(struct times *t, int64_t before)
{
    while (t->len > 0 && t->at[t->head] <= before) {
        t->head = (t->head + 1) % t->cap;
        t->len--;
    }
}

static void times_add(struct times *t, int64_t now)
{
    if (t->len == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16;
        int64_t *at;

        if (t->len >= TIMES_MAX)
            return;
        at = mem_array(cap, sizeof(*at));
        for (size_t i = 0; i < t->len; i++)
            at[i] = times_get(t, i);
        free(t->at);
        *t = (struct times){.at = at, .len = t->len, .cap = cap};
    }
    t->at[(t->head + t->len++) % t->cap] = now;
}

struct rates *rates_new(void)
{
    return mem_alloc(sizeof(struct rates));
}

void rates_clear(struct rates *w)
{
    while (w->windows) {
        struct window *first = w->windows;

        w->windows = first->next;
        free(first->account);
        free(first->part);
        free(first->seen.at);
        free(first->taken.at);
        free(first);
    }
}

void rates_free(struct rates *w)
{
    if (!w)
        return;
    rates_clear(w);
    free(w);
}

static bool row_matches(const struct sim_rate *row, const struct sim_request *r)
{
    return (!row->method || strcmp(row->method, r->method) == 0) &&
           (!row->pattern || text_glob(row->pattern, r->path));
}

/* Rows of one name are one limit: "other writes" are several methods. */
static bool same_limit(const struct sim_rate *a, const struct sim_rate *b)
{
    return strcmp(a->name, b->name) == 0;
}

static struct window *window_of(struct rates *w, const struct sim_request *r,
                                const struct sim_rate *row)
{
    const char *part =
        row->by_part && row->by_part <= r->n_segments ? r->segments[row->by_part - 1] : "";
    struct window *at;

    for (at = w->windows; at; at = at->next)
        if (at->platform == r->platform && same_limit(at->row, row) &&
            strcmp(at->account, r->account) == 0 && strcmp(at->part, part) == 0)
            return at;
    at = mem_alloc(sizeof(*at));
    at->platform = r->platform;
    at->row = row;
    at->account = mem_strdup(r->account);
    at->part = mem_strdup(part);
    at->next = w->windows;
    w->windows = at;
    return at;
}

static void window_count(struct window *at, int64_t now)
{
    times_add(&at->seen, now);
    if (at->seen.len > at->most)
        at->most = at->seen.len;
}

/* 0 when there is room, else simulated ms until there is. */
static int64_t window_wait(struct window *at, int64_t now)
{
    const struct sim_rate *row = at->row;

    times_expire(&at->seen, now - row->window_ms);
    times_expire(&at->taken, now - row->window_ms);
    if (at->blocked_until > now)
        return at->blocked_until - now;
    if (at->taken.len < row->requests)
        return 0;
    if (row->penalty) {
        at->blocked_until = now + row->window_ms;
        return row->window_ms;
    }
    return times_get(&at->taken, at->taken.len - row->requests) + row->window_ms - now;
}

static void verdict_add(struct rate_verdict *ret, const struct window *at, int64_t wait,
                        int64_t now)
{
    unsigned used = (unsigned)at->taken.len, limit = at->row->requests;

    if (wait > ret->retry_after_ms) {
        ret->over = true;
        ret->retry_after_ms = wait;
    }
    if (ret->limit != 0 && !(wait > 0))
        return;
    ret->limit = limit;
    ret->left = used < limit ? limit - used : 0;
    ret->reset_ms = at->taken.len ? times_get(&at->taken, 0) + at->row->window_ms - now : 0;
    if (wait > ret->reset_ms)
        ret->reset_ms = wait;
}

void rates_take(struct rates *w, const struct sim_request *r, int64_t now_ms,
                struct rate_verdict *ret)
{
    struct window *mine[ROWS_MAX];
    size_t n = 0;

    *ret = (struct rate_verdict){0};
    for (const struct sim_rate *row = r->platform->rates; row && row->requests; row++) {
        struct window *at;
        int64_t wait;

        if (!row_matches(row, r) || n == (size_t)ROWS_MAX)
            continue;
        at = window_of(w, r, row);
        wait = window_wait(at, now_ms);
        verdict_add(ret, at, wait, now_ms);
        if (!row->on_success) {
            window_count(at, now_ms);
            mine[n++] = at;
        }
    }
    for (size_t i = 0; i < n && !ret->over; i++)
        times_add(&mine[i]->taken, now_ms);
    if (!ret->over && n > 0 && ret->left > 0)
        ret->left--; /* this one */
}

void rates_succeeded(struct rates *w, const struct sim_request *r, int64_t now_ms)
{
    for (const struct sim_rate *row = r->platform->rates; row && row->requests; row++) {
        struct window *at;

        if (!row->on_success || !row_matches(row, r))
            continue;
        at = window_of(w, r, row);
        window_wait(at, now_ms); /* lets the old ones go */
        window_count(at, now_ms);
        times_add(&at->taken, now_ms);
    }
}

/* The first row of a limit stands for all of them. */
static bool is_first(const struct sim_platform *p, const struct sim_rate *row)
{
    for (const struct sim_rate *before = p->rates; before < row; before++)
        if (same_limit(before, row))
            return false;
    return true;
}

json_t *rates_books(const struct rates *w, const struct sim_platform *p)
{
    json_t *list = json_array();

    for (const struct sim_rate *row = p->rates; row && row->requests; row++) {
        size_t most = 0;

        if (!is_first(p, row))
            continue;
        for (const struct window *at = w->windows; at; at = at->next)
            if (at->platform == p && same_limit(at->row, row) && at->most > most)
                most = at->most;
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:I, s:I}", "name", row->name, "limit", (int)row->requests,
                            "window_ms", (json_int_t)row->window_ms, "most", (json_int_t)most));
    }
    return list;
}
