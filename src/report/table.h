#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Aligned tables for terminals: every command that lists something uses this one.
 *
 * Life cycle: table_new, table_column for each column, then for each row table_row and its cells in
 * column order, table_print, table_free. One thread. Widths count terminal columns (text_columns),
 * so UTF-8 lines up. Control characters and invalid UTF-8 in a cell are printed as '?': a remote
 * text cannot steer the terminal. A colour never says what the words do not.
 *
 * A table too wide for the terminal first cuts its flexible columns with "…" (never below 12
 * columns), then turns each row into a block of "Column  value" lines, of which nothing is cut.
 */
struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };
enum table_tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_DIM, TONE_STRONG };

struct table_look {
    size_t width; /* columns of the terminal; 0 = no limit (a file, a pipe) */
    bool colour;  /* ANSI colours; the caller has asked isatty and NO_COLOR */
};

struct table *table_new(void);
void table_free(struct table *t); /* NULL is fine */

/* `title` is copied. A flexible column may be cut on a narrow terminal. */
void table_column(struct table *t, const char *title, enum table_align align, bool flexible);
void table_row(struct table *t);
/* The next cell of the present row; cells left out are empty. */
void table_cell(struct table *t, enum table_tone tone, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

size_t table_rows(const struct table *t);
void table_print(const struct table *t, const struct table_look *look, struct buf *out);

/* Writes one text in a tone, made safe as a cell is; nothing more than the text without colour. */
void table_tone(struct buf *out, const struct table_look *look, enum table_tone tone,
                const char *text);

/* Wraps words to the terminal's width (100 columns when that is 0), each line behind `indent`
 * spaces; ends with a newline. A word longer than a line is not broken. */
void table_paragraph(struct buf *out, const struct table_look *look, size_t indent,
                     const char *text);
