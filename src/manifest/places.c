#include "manifest/places.h"

#include "base/mem.h"

#include <stdlib.h>

static struct place_slot *find(const struct places *p, const void *member)
{
    /* Members are at least 4 bytes apart; the multiplier spreads neighbours (Knuth's golden one).
     */
    uint64_t hash = ((uint64_t)(uintptr_t)member >> 2) * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(hash >> 32) & (p->cap - 1);
    while (p->slots[i].member && p->slots[i].member != member)
        i = (i + 1) & (p->cap - 1);
    return &p->slots[i];
}

static void grow(struct places *p)
{
    struct places old = *p;
    p->cap = old.cap ? old.cap * 2 : 1024;
    p->slots = mem_array(p->cap, sizeof *p->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].member)
            *find(p, old.slots[i].member) = old.slots[i];
    free(old.slots);
}

void places_put(struct places *p, const void *member, struct place at)
{
    if (2 * p->n >= p->cap)
        grow(p);
    struct place_slot *slot = find(p, member);
    p->n += !slot->member;
    *slot = (struct place_slot){member, at};
}

struct place places_get(const struct places *p, const void *member, struct place otherwise)
{
    const struct place_slot *slot = p->cap ? find(p, member) : NULL;
    return slot && slot->member ? slot->place : otherwise;
}

void places_release(struct places *p)
{
    free(p->slots);
    *p = (struct places){0};
}
