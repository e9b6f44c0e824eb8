#pragma once

#include "provider/status_page.h"

/* Shared by status_page.c and status_atom.c; nobody else includes it. */

/* Adds a line with its texts made plain and bounded; false: there are enough. */
bool status_add(struct status_report *r, const struct status_line *line);
int status_read_atom(const char *data, size_t len, int64_t now_ms, struct status_report *ret,
                     struct err *e);
