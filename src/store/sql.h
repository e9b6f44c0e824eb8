#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;

/*
 * The engine under the store: the only part of src/store that knows SQLite. The rest is SQL that
 * SQLite and PostgreSQL both understand (placeholders ?1, ?2, ...), so another engine is another
 * file with these functions and its own migrations.
 *
 * Life cycle: sql_open .. sql_close. One thread. Statements are prepared once and found again by
 * the address of their text, so `text` must be a literal. Every statement, begin and commit passes
 * the fault counter once.
 */
struct sql;
struct sql_query;

enum sql_kind { SQL_END, SQL_INT, SQL_TEXT, SQL_BLOB };
struct sql_value {
    enum sql_kind kind;
    int64_t number;
    const void *data; /* borrowed until the statement ended */
    size_t len;
};

static inline struct sql_value sql_int(int64_t v)
{
    return (struct sql_value){.kind = SQL_INT, .number = v};
}

/* NULL is stored as "". */
static inline struct sql_value sql_text(const char *v)
{
    return (struct sql_value){.kind = SQL_TEXT, .data = v ? v : ""};
}

static inline struct sql_value sql_blob(const void *data, size_t len)
{
    return (struct sql_value){.kind = SQL_BLOB, .data = data, .len = len};
}

/* The values of ?1, ?2, ... */
#define SQL_VALUES(...) ((const struct sql_value[]){__VA_ARGS__, {.kind = SQL_END}})

/* Opens `dir`/trine.db, making both when missing. ERR_STORE: the file cannot be used, is damaged,
 * or belongs to another program; a foreign file is left as it is. */
int sql_open(const char *dir, struct fault *fault, struct sql **ret, struct err *e);
void sql_close(struct sql *db); /* NULL is fine; an open transaction is rolled back */
const char *sql_path(const struct sql *db);
int sql_file_bytes(struct sql *db, int64_t *ret, struct err *e); /* without the log beside it */
/* From now on a commit does not wait for the disk. A power cut may take the last ones back, but
 * leaves the file whole; the death of the process takes nothing. */
int sql_relax(struct sql *db, struct err *e);

/* The number of the last migration that was applied, 0 for a new file. */
int sql_version(struct sql *db, int64_t *ret, struct err *e);
int sql_set_version(struct sql *db, int64_t version, struct err *e);

/* Takes the write lock at once, waiting for other processes: a transaction that began cannot be
 * refused later because another one wrote first. */
int sql_begin(struct sql *db, struct err *e);
/* One state of the file for all reads until sql_rollback; takes no lock that a writer minds. */
int sql_begin_read(struct sql *db, struct err *e);
int sql_commit(struct sql *db, struct err *e); /* a failed commit is a rollback */
void sql_rollback(struct sql *db);             /* fine when there is none */
bool sql_in_transaction(
    const struct sql *db); /* false too when the engine gave one up (full disk) */

int sql_script(struct sql *db, const char *text, struct err *e); /* many statements, no values */
int sql_run(struct sql *db, const char *text, const struct sql_value *values, struct err *e);
int64_t sql_changes(const struct sql *db); /* rows touched by the last sql_run */

/* A query: sql_query, then sql_next until it is not 1 (it has then ended by itself), or sql_end to
 * stop earlier. `values` NULL: none. The same text may be in use several times at once. */
int sql_query(struct sql *db, const char *text, const struct sql_value *values,
              struct sql_query **ret, struct err *e);
int sql_next(struct sql_query *q, struct err *e); /* 1: a row, 0: no more, -1: failed */
void sql_end(struct sql_query *q);

/* A query of which one number is wanted, the first of its first row. 1: *ret is it, 0: no row, -1.
 */
int sql_number(struct sql *db, const char *text, const struct sql_value *values, int64_t *ret,
               struct err *e);

/* Columns of the present row from 0; borrowed until the next sql_next or sql_end. */
int64_t sql_column_int(const struct sql_query *q, int column);
const char *sql_column_text(const struct sql_query *q, int column); /* never NULL */
const void *sql_column_blob(const struct sql_query *q, int column, size_t *ret_len);
