#include "form.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PARTS_MAX = 64 };

static const char *boundary_of(struct arena *arena, const char *type)
{
    const char *at;

    if (!type || strncasecmp(type, "multipart/form-data", 19) != 0)
        return NULL;
    at = strcasestr(type, "boundary=");
    if (!at)
        return NULL;
    at += 9;
    if (*at == '"')
        return arena_printf(arena, "--%.*s", (int)strcspn(at + 1, "\""), at + 1);
    return arena_printf(arena, "--%.*s", (int)strcspn(at, "; \t"), at);
}

static const char *find(const char *from, const char *end, const char *what)
{
    return from < end ? memmem(from, (size_t)(end - from), what, strlen(what)) : NULL;
}

/* The value of name="..." in a Content-Disposition line. */
static const char *parameter(struct arena *arena, const char *head, size_t len, const char *name)
{
    const char *copy = arena_strndup(arena, head, len), *mark, *at;

    mark = arena_printf(arena, " %s=\"", name);
    at = strstr(copy, mark);
    if (!at)
        return NULL;
    at += strlen(mark);
    return arena_strndup(arena, at, strcspn(at, "\""));
}

/* One part from behind its boundary line; returns where the next boundary begins, NULL when cut. */
static const char *part_parse(struct arena *arena, const char *at, const char *end,
                              const char *boundary, struct form_part *ret)
{
    const char *data = find(at, end, "\r\n\r\n"), *next;
    const char *mark = arena_printf(arena, "\r\n%s", boundary);

    if (!data)
        return NULL;
    next = find(data + 2, end, mark);
    if (!next)
        return NULL;
    ret->name = parameter(arena, at, (size_t)(data - at), "name");
    ret->filename = parameter(arena, at, (size_t)(data - at), "filename");
    ret->data = data + 4;
    ret->len = next > data + 4 ? (size_t)(next - data - 4) : 0;
    return next + 2;
}

struct form_part *form_parse(struct arena *arena, const char *content_type, const char *body,
                             size_t len, size_t *ret_n)
{
    const char *boundary = boundary_of(arena, content_type), *end = body + len, *at;
    struct form_part *parts = arena_array(arena, PARTS_MAX, sizeof(*parts));
    size_t n = 0, mark = boundary ? strlen(boundary) : 0;

    at = boundary ? find(body, end, boundary) : NULL;
    while (at && n < PARTS_MAX) {
        at += mark;
        if (end - at >= 2 && strncmp(at, "--", 2) == 0) {
            *ret_n = n;
            return parts;
        }
        at = part_parse(arena, at, end, boundary, &parts[n]);
        if (at && parts[n].name)
            n++;
    }
    return NULL;
}

const struct form_part *form_find(const struct form_part *parts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}

const char *form_text(struct arena *arena, const struct form_part *parts, size_t n,
                      const char *name)
{
    const struct form_part *part = form_find(parts, n, name);

    return part ? arena_strndup(arena, part->data, part->len) : NULL;
}
