#include "store/sql.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * SQLite in WAL mode: readers never wait for a writer, and a commit is one fsync of the log.
 * synchronous is FULL because the journal must be true after a power loss too: a deployment that
 * was asked for must not be forgotten (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
enum {
    APPLICATION_ID = 0x54724e65, /* "TrNe"; file(1) and we tell our files by it */
    BUSY_MS = 10000,             /* how long another process may hold the write lock */
    WAL_LIMIT_BYTES = 16 * 1024 * 1024,
};

struct sql_query {
    struct sql *db;
    const char *text;
    sqlite3_stmt *statement;
    struct sql_query *next; /* in db->kept */
    bool kept;              /* else freed when it ends */
    bool in_use;
};

struct sql {
    sqlite3 *handle;
    char *path;
    struct fault *fault;
    struct sql_query *kept;
};

/* --- Errors ---------------------------------------------------------------------------------- */

/* What the person in front of it can do about an error. */
static const char *advice(int primary)
{
    switch (primary) {
    case SQLITE_FULL:
        return "the disk is full, nothing was changed: free some space and run again";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another trine process kept it locked for 10 s: run again when that one is done";
    case SQLITE_CORRUPT:
        return "the file is damaged: restore it from a copy, or move it away to begin a new store";
    case SQLITE_NOTADB:
        return "this is not a database: move it away, or choose another folder with --state";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return "it cannot be opened for writing: check the folder's owner and rights";
    case SQLITE_IOERR:
        return "reading or writing the disk failed, nothing was changed: check the disk and its "
               "space";
    default:
        return "unexpected answer of the database";
    }
}

static int fail(const struct sql *db, int rc, struct err *e)
{
    int primary = rc & 0xff;
    if (primary == SQLITE_NOMEM)
        abort();
    bool ours = primary == SQLITE_MISUSE || primary == SQLITE_RANGE ||
                primary == SQLITE_CONSTRAINT || primary == SQLITE_ERROR;
    err_set(e, ours ? ERR_BUG : ERR_STORE, "store %s: %s (%s)", db->path, advice(primary),
            db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
    e->retry = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
    e->code = rc;
    return -1;
}

static int pass_fault(const struct sql *db, struct err *e)
{
    if (!fault_hit(db->fault))
        return 0;
    return err_set(e, ERR_STORE, "store %s: %s (made to fail)", db->path, advice(SQLITE_IOERR));
}

/* --- Statements ------------------------------------------------------------------------------ */

static struct sql_query *find_idle(const struct sql *db, const char *text)
{
    for (struct sql_query *q = db->kept; q; q = q->next)
        if (q->text == text && !q->in_use)
            return q;
    return NULL;
}

static bool is_kept(const struct sql *db, const char *text)
{
    for (const struct sql_query *q = db->kept; q; q = q->next)
        if (q->text == text)
            return true;
    return false;
}

/* NULL when it could not be prepared. */
static struct sql_query *find_or_prepare(struct sql *db, const char *text, struct err *e)
{
    struct sql_query *q = find_idle(db, text);
    if (q)
        return q;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (rc != SQLITE_OK) {
        fail(db, rc, e);
        return NULL;
    }

    q = mem_alloc(sizeof(*q));
    *q = (struct sql_query){.db = db, .text = text, .statement = statement};
    /* One of each text is kept; a second one at the same time is rare and lives for one use. */
    if (!is_kept(db, text)) {
        q->kept = true;
        q->next = db->kept;
        db->kept = q;
    }
    return q;
}

static int bind_values(struct sql_query *q, const struct sql_value *values)
{
    int rc = SQLITE_OK;
    for (int i = 1; values && values->kind != SQL_END && rc == SQLITE_OK; i++, values++) {
        switch (values->kind) {
        case SQL_INT:
            rc = sqlite3_bind_int64(q->statement, i, values->number);
            break;
        case SQL_TEXT:
            rc = sqlite3_bind_text(q->statement, i, values->data, -1, SQLITE_STATIC);
            break;
        case SQL_BLOB:
            rc = sqlite3_bind_blob64(q->statement, i, values->len ? values->data : "", values->len,
                                     SQLITE_STATIC);
            break;
        case SQL_END:
            break;
        }
    }
    return rc;
}

int sql_query(struct sql *db, const char *text, const struct sql_value *values,
              struct sql_query **ret, struct err *e)
{
    struct sql_query *q = find_or_prepare(db, text, e);
    if (!q)
        return -1;
    q->in_use = true;
    int rc = bind_values(q, values);
    if (rc != SQLITE_OK) {
        fail(db, rc, e);
        sql_end(q);
        return -1;
    }
    *ret = q;
    return 0;
}

int sql_next(struct sql_query *q, struct err *e)
{
    if (pass_fault(q->db, e) < 0) {
        sql_end(q);
        return -1;
    }
    int rc = sqlite3_step(q->statement);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        fail(q->db, rc, e);
    sql_end(q);
    return rc == SQLITE_DONE ? 0 : -1;
}

void sql_end(struct sql_query *q)
{
    if (!q->kept) {
        sqlite3_finalize(q->statement);
        free(q);
        return;
    }
    sqlite3_reset(q->statement);
    sqlite3_clear_bindings(q->statement);
    q->in_use = false;
}

int sql_run(struct sql *db, const char *text, const struct sql_value *values, struct err *e)
{
    struct sql_query *q;
    if (sql_query(db, text, values, &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
    }
    return more;
}

int64_t sql_changes(const struct sql *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t sql_column_int(const struct sql_query *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

const char *sql_column_text(const struct sql_query *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->statement, column);
    return text ? (const char *)text : "";
}

const void *sql_column_blob(const struct sql_query *q, int column, size_t *ret_len)
{
    const void *data = sqlite3_column_blob(q->statement, column);
    *ret_len = (size_t)sqlite3_column_bytes(q->statement, column);
    return data;
}

/* --- Transactions ---------------------------------------------------------------------------- */

int sql_script(struct sql *db, const char *text, struct err *e)
{
    if (pass_fault(db, e) < 0)
        return -1;
    int rc = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail(db, rc, e);
}

int sql_begin(struct sql *db, struct err *e)
{
    return sql_run(db, "BEGIN IMMEDIATE", NULL, e);
}

int sql_begin_read(struct sql *db, struct err *e)
{
    return sql_run(db, "BEGIN", NULL, e);
}

int sql_commit(struct sql *db, struct err *e)
{
    if (sql_run(db, "COMMIT", NULL, e) == 0)
        return 0;
    sql_rollback(db);
    return -1;
}

void sql_rollback(struct sql *db)
{
    /* Its own failure has nothing to say: the transaction is then gone already. */
    if (sql_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool sql_in_transaction(const struct sql *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

int sql_number(struct sql *db, const char *text, const struct sql_value *values, int64_t *ret,
               struct err *e)
{
    struct sql_query *q;
    if (sql_query(db, text, values, &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    *ret = sql_column_int(q, 0);
    sql_end(q);
    return 1;
}

/* --- Opening --------------------------------------------------------------------------------- */

/* One number, of a statement that always has one row. */
static int read_number(struct sql *db, const char *text, int64_t *ret, struct err *e)
{
    int found = sql_number(db, text, NULL, ret, e);
    if (found == 0)
        *ret = 0;
    return found < 0 ? -1 : 0;
}

int sql_version(struct sql *db, int64_t *ret, struct err *e)
{
    return read_number(db, "PRAGMA user_version", ret, e);
}

int sql_set_version(struct sql *db, int64_t version, struct err *e)
{
    char *text = mem_printf("PRAGMA application_id = %d; PRAGMA user_version = %lld",
                            APPLICATION_ID, (long long)version);
    int result = sql_script(db, text, e);
    free(text);
    return result;
}

/* Ours, or empty; read in one transaction, because another process may be filling a new file. */
static int check_owner(struct sql *db, struct err *e)
{
    int64_t id = 0, objects = 0;
    if (sql_script(db, "BEGIN", e) < 0)
        return -1;
    int result = read_number(db, "PRAGMA application_id", &id, e);
    if (result == 0)
        result = read_number(db, "SELECT count(*) FROM sqlite_schema", &objects, e);
    sql_rollback(db);
    if (result < 0)
        return -1;
    if (id == APPLICATION_ID || (id == 0 && objects == 0))
        return 0;
    return err_set(
        e, ERR_STORE,
        "store %s: the file belongs to another program (application id 0x%08llx): move it "
        "away, or choose another folder with --state",
        db->path, (unsigned long long)id & 0xffffffffu);
}

/* Changing the mode needs the file alone, and SQLite does not wait for that by itself; when several
 * processes open a new store at once, all but one find the work done. */
static int enter_wal(struct sql *db, struct err *e)
{
    enum { PAUSE_MS = 20 };
    int rc = SQLITE_BUSY;
    for (int waited = 0; rc == SQLITE_BUSY && waited < BUSY_MS; waited += PAUSE_MS) {
        rc = sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) & 0xff;
        if (rc == SQLITE_BUSY)
            sqlite3_sleep(PAUSE_MS);
    }
    return rc == SQLITE_OK ? 0 : fail(db, rc, e);
}

/* SQLite gives a new file the rights of the umask; ours is for its owner only, and the log and
 * index beside it take its rights. O_EXCL: closing a second descriptor of a file that this process
 * already has open would drop its locks (https://www.sqlite.org/howtocorrupt.html, section 2.2). */
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return err_errno(e, ERR_STORE, errno, "store %s: cannot be made", path);
    if (fd >= 0)
        close(fd);
    return 0;
}

static int open_handle(struct sql *db, struct err *e)
{
    int rc =
        sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return fail(db, rc, e);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_MS);

    if (check_owner(db, e) < 0 || enter_wal(db, e) < 0)
        return -1;
    char *settings = mem_printf("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
                                "PRAGMA journal_size_limit = %d",
                                WAL_LIMIT_BYTES);
    int result = sql_script(db, settings, e);
    free(settings);
    return result;
}

int sql_open(const char *dir, struct fault *fault, struct sql **ret, struct err *e)
{
    if (dir_make(dir, e) < 0)
        return -1;
    struct sql *db = mem_alloc(sizeof(*db));
    db->path = mem_printf("%s/trine.db", dir);
    db->fault = fault;
    if (make_file(db->path, e) < 0 || open_handle(db, e) < 0) {
        sql_close(db);
        return -1;
    }
    *ret = db;
    return 0;
}

void sql_close(struct sql *db)
{
    if (!db)
        return;
    for (struct sql_query *q = db->kept, *next; q; q = next) {
        next = q->next;
        sqlite3_finalize(q->statement);
        free(q);
    }
    sqlite3_close_v2(db->handle);
    free(db->path);
    free(db);
}

const char *sql_path(const struct sql *db)
{
    return db->path;
}

int sql_file_bytes(struct sql *db, int64_t *ret, struct err *e)
{
    return read_number(
        db, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", ret, e);
}

int sql_relax(struct sql *db, struct err *e)
{
    return sql_script(db, "PRAGMA synchronous = NORMAL", e);
}
