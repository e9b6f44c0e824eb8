#include "manifest/problems.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void problem_list_init(struct problem_list *l, const char *file)
{
    *l = (struct problem_list){.file = file};
    l->items = mem_array(PROBLEMS_COLLECTED, sizeof *l->items);
}

bool problem_list_full(const struct problem_list *l)
{
    return l->n == PROBLEMS_COLLECTED;
}

void problem_add(struct problem_list *l, struct place at, const char *key, const char *fmt, ...)
{
    if (problem_list_full(l)) {
        l->more++;
        return;
    }
    char why[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);

    const char *colon = *key ? ": " : "";
    const char *line = at.line ? arena_printf(&l->arena, "%s:%d:%d: %s%s%s", l->file, at.line,
                                              at.column, key, colon, why)
                               : arena_printf(&l->arena, "%s: %s%s%s", l->file, key, colon, why);
    l->items[l->n] = (struct problem){at, l->n, line};
    l->n++;
}

static int in_file_order(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column)
        return x->place.column < y->place.column ? -1 : 1;
    return x->found < y->found ? -1 : x->found > y->found;
}

int problem_list_finish(struct problem_list *l, struct manifest_problems *ret, struct err *e)
{
    size_t total = l->n + l->more;
    *ret = (struct manifest_problems){0};
    qsort(l->items, l->n, sizeof *l->items, in_file_order);
    ret->n = l->n < PROBLEMS_KEPT ? l->n : PROBLEMS_KEPT;
    ret->more = total - ret->n;
    ret->arena = l->arena; /* the lines live there */
    ret->lines = arena_array(&ret->arena, ret->n + 1, sizeof *ret->lines);
    for (size_t i = 0; i < ret->n; i++)
        ret->lines[i] = l->items[i].line;
    free(l->items);

    int result = 0;
    if (total == 1)
        result = err_set(e, ERR_MANIFEST, "%s", ret->lines[0]);
    else if (total > 1)
        result = err_set(e, ERR_MANIFEST, "%s: %zu problems, the first: %s", l->file, total,
                         ret->lines[0]);
    *l = (struct problem_list){0};
    return result;
}

void manifest_problems_release(struct manifest_problems *p)
{
    arena_release(&p->arena);
    *p = (struct manifest_problems){0};
}
