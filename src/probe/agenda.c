#include "probe/agenda.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_before(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->rank < b->rank;
}

static void put(struct agenda *a, size_t place, struct agenda_entry *e)
{
    a->heap[place] = e;
    e->place = place;
}

/* Finds the place of an entry that may be too far down or up; heap[place] counts as empty. */
static void settle(struct agenda *a, size_t place, struct agenda_entry *e)
{
    while (place > 1 && is_before(e, a->heap[place / 2])) {
        put(a, place, a->heap[place / 2]);
        place /= 2;
    }
    for (size_t child; (child = 2 * place) <= a->n; place = child) {
        if (child < a->n && is_before(a->heap[child + 1], a->heap[child]))
            child++;
        if (!is_before(a->heap[child], e))
            break;
        put(a, place, a->heap[child]);
    }
    put(a, place, e);
}

void agenda_set(struct agenda *a, struct agenda_entry *e, int64_t at_us)
{
    e->at_us = at_us;
    if (e->place == 0) {
        if (a->n + 2 > a->cap) {
            a->cap = a->cap ? 2 * a->cap : 64;
            a->heap = mem_grow(a->heap, a->cap, sizeof(struct agenda_entry *));
        }
        e->place = ++a->n;
    }
    settle(a, e->place, e);
}

void agenda_clear(struct agenda *a, struct agenda_entry *e)
{
    size_t place = e->place;
    if (place == 0)
        return;
    struct agenda_entry *last = a->heap[a->n--];
    e->place = 0;
    if (last != e)
        settle(a, place, last);
}

int64_t agenda_next_us(const struct agenda *a)
{
    return a->n > 0 ? a->heap[1]->at_us : INT64_MAX;
}

struct agenda_entry *agenda_take(struct agenda *a, int64_t now_us)
{
    if (agenda_next_us(a) > now_us)
        return NULL;
    struct agenda_entry *e = a->heap[1];
    agenda_clear(a, e);
    return e;
}

void agenda_release(struct agenda *a)
{
    free(a->heap);
    *a = (struct agenda){0};
}
