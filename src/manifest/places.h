#pragma once

#include "manifest/manifest.h"

/*
 * Where each member of the manifest's structs was given: address of the member -> line:column.
 * Lives only while a file is read and checked, so that problems found late still name their exact
 * place.
 */
struct places {
    struct place_slot {
        const void *member; /* NULL = free */
        struct place place;
    } * slots;
    size_t n, cap; /* cap is a power of two */
};

void places_put(struct places *p, const void *member, struct place at);
/* The member's place, or `otherwise` when it was not given. */
struct place places_get(const struct places *p, const void *member, struct place otherwise);
void places_release(struct places *p);
