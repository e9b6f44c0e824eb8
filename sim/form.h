#pragma once

#include "base/arena.h"

#include <stddef.h>

/* A multipart/form-data body (RFC 7578) in memory. Pure; parts borrow from the body. */
struct form_part {
    const char *name, *filename; /* in the arena; filename NULL for a plain field */
    const char *data;            /* not terminated */
    size_t len;
};

/* Parts in their order; NULL when the type is another or the body is cut or malformed. */
struct form_part *form_parse(struct arena *arena, const char *content_type, const char *body,
                             size_t len, size_t *ret_n);
const struct form_part *form_find(const struct form_part *parts, size_t n, const char *name);
/* That part's text in the arena, or NULL. */
const char *form_text(struct arena *arena, const struct form_part *parts, size_t n,
                      const char *name);
