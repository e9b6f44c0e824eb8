#pragma once

#include "base/err.h"

#include <stddef.h>

/*
 * "path = value" over a JSON text: is the value at that path the expected one? A path is names and
 * indexes, as one writes them in most languages: `status`, `checks[0].name`, `db.pool.free`,
 * `[1].id`; a name is all up to the next '.' or '['. The value is compared as it is written:
 * `status = ok` and `status = "ok"` mean the text ok, `ready = true`, `n = 3` (a number, however it
 * is written: 3.0, or the text 3), `error = null`. Objects and arrays never match. Pure.
 */

/* 0: it is. -1: ERR_NO with what there is instead (ERR_REMOTE: no JSON), naming the path. `text`
 * may be anything from outside. */
int json_path_check(const char *expect, const char *text, size_t len, struct err *e);

/* Can it be understood? -1: ERR_MANIFEST says what is wrong with it. */
int json_path_valid(const char *expect, struct err *e);
