#include "report/table.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, FLEXIBLE_MIN = 12, CELL_MAX_BYTES = 4096 };

struct column {
    const char *title;
    enum table_align align;
    bool flexible;
    size_t natural; /* columns of the widest cell or the title */
};

struct cell {
    const char *text;
    size_t columns;
    enum table_tone tone;
};

struct table {
    struct arena arena; /* titles and texts */
    struct column *columns;
    size_t n_columns;
    struct cell *cells; /* n_rows * n_columns */
    size_t n_rows, room_rows;
    size_t next; /* column of the next cell */
};

struct table *table_new(void)
{
    return mem_alloc(sizeof(struct table));
}

void table_free(struct table *t)
{
    if (!t)
        return;
    arena_release(&t->arena);
    free(t->columns);
    free(t->cells);
    free(t);
}

static size_t sequence_length(const char *s)
{
    unsigned char c = (unsigned char)*s;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Control characters: C0, DEL, and C1 in its two-byte UTF-8 form. */
static bool is_control(const char *s)
{
    unsigned char c = (unsigned char)s[0];
    return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

static char *make_safe(struct arena *a, const char *s)
{
    char *text = arena_strdup(a, s);
    size_t at, len = strlen(text);
    for (size_t from = 0; !text_is_utf8(text + from, len - from, &at); from += at + 1)
        text[from + at] = '?';
    char *to = text;
    for (const char *c = text; *c;) {
        size_t n = sequence_length(c);
        if (is_control(c))
            *to++ = '?';
        else
            to = (char *)memmove(to, c, n) + n;
        c += n;
    }
    *to = '\0';
    return text;
}

void table_column(struct table *t, const char *title, enum table_align align, bool flexible)
{
    assert(t->n_rows == 0);
    t->columns = mem_grow(t->columns, t->n_columns + 1, sizeof *t->columns);
    const char *safe = make_safe(&t->arena, title);
    t->columns[t->n_columns++] = (struct column){safe, align, flexible, text_columns(safe)};
}

void table_row(struct table *t)
{
    if (t->n_rows == t->room_rows) {
        t->room_rows = t->room_rows ? 2 * t->room_rows : 32;
        t->cells = mem_grow(t->cells, t->room_rows * t->n_columns, sizeof *t->cells);
    }
    for (size_t i = 0; i < t->n_columns; i++)
        t->cells[t->n_rows * t->n_columns + i] = (struct cell){.text = ""};
    t->n_rows++;
    t->next = 0;
}

void table_cell(struct table *t, enum table_tone tone, const char *fmt, ...)
{
    assert(t->n_rows > 0 && t->next < t->n_columns);
    struct buf text = BUF_INIT(CELL_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    struct cell *cell = &t->cells[(t->n_rows - 1) * t->n_columns + t->next];
    struct column *column = &t->columns[t->next++];
    cell->text = make_safe(&t->arena, buf_over(&text) ? "(too long)" : buf_str(&text));
    cell->columns = text_columns(cell->text);
    cell->tone = tone;
    if (cell->columns > column->natural)
        column->natural = cell->columns;
    buf_release(&text);
}

size_t table_rows(const struct table *t)
{
    return t->n_rows;
}

static const char *tone_code(enum table_tone tone)
{
    switch (tone) {
    case TONE_PLAIN:
        return "";
    case TONE_GOOD:
        return "\033[32m";
    case TONE_BAD:
        return "\033[31m";
    case TONE_WARN:
        return "\033[33m";
    case TONE_DIM:
        return "\033[2m";
    case TONE_STRONG:
        return "\033[1m";
    }
    return "";
}

static void add_toned(struct buf *out, const struct table_look *look, enum table_tone tone,
                      const char *text, size_t len)
{
    bool colour = look->colour && tone != TONE_PLAIN && len > 0;
    if (colour)
        buf_adds(out, tone_code(tone));
    buf_add(out, text, len);
    if (colour)
        buf_adds(out, "\033[0m");
}

void table_tone(struct buf *out, const struct table_look *look, enum table_tone tone,
                const char *text)
{
    struct arena arena = ARENA_INIT;
    const char *safe = make_safe(&arena, text);
    add_toned(out, look, tone, safe, strlen(safe));
    arena_release(&arena);
}

/* Bytes of the longest beginning of s that takes at most `columns`. */
static size_t bytes_within(const char *s, size_t columns)
{
    size_t at = 0, used = 0;
    while (s[at]) {
        char one[5] = {0};
        size_t n = sequence_length(s + at);
        memcpy(one, s + at, n);
        used += text_columns(one);
        if (used > columns)
            break;
        at += n;
    }
    return at;
}

static void add_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_addc(out, ' ');
}

struct line { /* what print_cell needs beside the cell */
    const struct table_look *look;
    struct buf *out;
    size_t owed; /* spaces due before the next text; never written at a line's end */
};

static void print_cell(struct line *l, const struct column *column, size_t width,
                       const struct cell *cell)
{
    bool cut = cell->columns > width;
    size_t len = cut ? bytes_within(cell->text, width - 1) : strlen(cell->text);
    size_t used = cell->columns;
    if (cut) {
        char *kept = mem_printf("%.*s", (int)len, cell->text);
        used = text_columns(kept) + 1;
        free(kept);
    }
    size_t pad = width - used;
    if (column->align == TABLE_RIGHT)
        l->owed += pad;
    if (used > 0) {
        add_spaces(l->out, l->owed);
        l->owed = 0;
    }
    add_toned(l->out, l->look, cell->tone, cell->text, len);
    if (cut)
        buf_adds(l->out, "…");
    if (column->align == TABLE_LEFT)
        l->owed += pad;
    l->owed += GAP;
}

static void print_row(const struct table *t, const size_t *widths, const struct cell *cells,
                      const struct table_look *look, struct buf *out)
{
    struct line line = {look, out, 0};
    for (size_t i = 0; i < t->n_columns; i++)
        print_cell(&line, &t->columns[i], widths[i], &cells[i]);
    buf_addc(out, '\n');
}

/* Takes columns from the widest flexible column until the table fits; false when it cannot. */
static bool fit(const struct table *t, size_t width, size_t *widths)
{
    size_t total = t->n_columns ? (t->n_columns - 1) * GAP : 0;
    for (size_t i = 0; i < t->n_columns; i++)
        total += widths[i] = t->columns[i].natural;
    while (width != 0 && total > width) {
        size_t widest = SIZE_MAX;
        for (size_t i = 0; i < t->n_columns; i++)
            if (t->columns[i].flexible && widths[i] > FLEXIBLE_MIN &&
                (widest == SIZE_MAX || widths[i] > widths[widest]))
                widest = i;
        if (widest == SIZE_MAX)
            return false;
        widths[widest]--;
        total--;
    }
    return true;
}

/* A narrow terminal: one block a row, one line a cell. */
static void print_blocks(const struct table *t, const struct table_look *look, struct buf *out)
{
    size_t titles = 0;
    for (size_t i = 0; i < t->n_columns; i++) {
        size_t columns = text_columns(t->columns[i].title);
        titles = columns > titles ? columns : titles;
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        if (r > 0)
            buf_addc(out, '\n');
        for (size_t i = 0; i < t->n_columns; i++) {
            const struct cell *cell = &t->cells[r * t->n_columns + i];
            if (cell->columns == 0)
                continue;
            const char *title = t->columns[i].title;
            add_toned(out, look, TONE_DIM, title, strlen(title));
            add_spaces(out, titles - text_columns(title) + GAP);
            add_toned(out, look, cell->tone, cell->text, strlen(cell->text));
            buf_addc(out, '\n');
        }
    }
}

void table_print(const struct table *t, const struct table_look *look, struct buf *out)
{
    size_t *widths = mem_array(t->n_columns ? t->n_columns : 1, sizeof *widths);
    if (!fit(t, look->width, widths)) {
        print_blocks(t, look, out);
        free(widths);
        return;
    }
    struct cell *titles = mem_array(t->n_columns ? t->n_columns : 1, sizeof *titles);
    for (size_t i = 0; i < t->n_columns; i++)
        titles[i] = (struct cell){t->columns[i].title, text_columns(t->columns[i].title), TONE_DIM};
    print_row(t, widths, titles, look, out);
    for (size_t r = 0; r < t->n_rows; r++)
        print_row(t, widths, &t->cells[r * t->n_columns], look, out);
    free(titles);
    free(widths);
}

void table_paragraph(struct buf *out, const struct table_look *look, size_t indent,
                     const char *text)
{
    struct arena arena = ARENA_INIT;
    size_t width = look->width ? look->width : 100, used = 0;
    char *rest = make_safe(&arena, text), *word;
    while ((word = strsep(&rest, " "))) {
        size_t columns = text_columns(word);
        if (used > 0 && used + 1 + columns > width) {
            buf_addc(out, '\n');
            used = 0;
        }
        add_spaces(out, used > 0 ? 1 : indent);
        buf_adds(out, word);
        used += (used > 0 ? 1 : indent) + columns;
    }
    buf_addc(out, '\n');
    arena_release(&arena);
}
