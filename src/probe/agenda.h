#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * What is to be done when: a heap of entries that live inside the things they belong to. Setting,
 * moving and clearing one costs log n; nothing is allocated but the heap itself.
 *
 * Life cycle: zeroed, agenda_set and agenda_clear, agenda_release. An entry must be cleared before
 * it goes away. One thread.
 */
struct agenda_entry {
    void (*fn)(void *owner);
    void *owner;
    int rank; /* of those due at the same time, the smaller comes first */
    int64_t at_us;
    size_t place; /* in the heap, from 1; 0 = not in it */
};

struct agenda {
    struct agenda_entry **heap; /* heap[1] is first */
    size_t n, cap;
};

void agenda_set(struct agenda *a, struct agenda_entry *e, int64_t at_us); /* again: moves it */
void agenda_clear(struct agenda *a, struct agenda_entry *e);              /* not in it is fine */
int64_t agenda_next_us(const struct agenda *a);                           /* INT64_MAX when empty */
/* Takes out the first entry when it is due at `now_us`; NULL when none is. */
struct agenda_entry *agenda_take(struct agenda *a, int64_t now_us);
void agenda_release(struct agenda *a);
