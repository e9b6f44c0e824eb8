#include "store/inner.h"

#include <string.h>

/*
 * Cached values with the time of their last use. A look-up must not cost a commit (thousands of
 * file hashes are looked up in one deploy), so uses are noted in a temporary table of this
 * connection and written when they matter: before old values are dropped, and at the end. A use
 * within the last day of the noted one is not worth noting.
 */
enum { NOTE_AFTER_MS = 24 * 3600 * 1000 };

int cache_open(struct sql *sql, struct err *e)
{
    return sql_script(sql,
                      "CREATE TEMPORARY TABLE cache_uses (space TEXT NOT NULL, key TEXT NOT NULL,"
                      " used_at INTEGER NOT NULL, PRIMARY KEY (space, key))",
                      e);
}

static int note_use(struct store *s, const char *space, const char *key, struct err *e)
{
    return sql_run(s->sql,
                   "INSERT INTO cache_uses (space, key, used_at) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (space, key) DO UPDATE SET used_at = excluded.used_at",
                   SQL_VALUES(sql_text(space), sql_text(key), sql_int(clock_wall_ms(s->clock))), e);
}

static int write_uses(struct store *s, struct err *e)
{
    if (sql_run(s->sql,
                "UPDATE cache SET used_at = u.used_at FROM cache_uses AS u"
                " WHERE cache.space = u.space AND cache.key = u.key",
                NULL, e) < 0)
        return -1;
    return sql_run(s->sql, "DELETE FROM cache_uses", NULL, e);
}

/* Best effort: a lost use only makes a value look older. */
void cache_close(struct store *s)
{
    struct err ignored = ERR_INIT;
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT 1 FROM cache_uses LIMIT 1", NULL, &q, &ignored) < 0 ||
        sql_next(q, &ignored) != 1)
        return;
    sql_end(q);
    if (write_begin(s, &ignored) == 0)
        write_end(s, write_uses(s, &ignored), &ignored);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int cache_get(struct store *s, const char *space, const char *key, void *ret, size_t max,
              size_t *ret_len, bool *ret_found, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT value, used_at FROM cache WHERE space = ?1 AND key = ?2",
                  SQL_VALUES(sql_text(space), sql_text(key)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found < 0)
        return -1;
    if (found == 0) {
        *ret_found = false;
        return 0;
    }
    size_t len;
    const void *value = sql_column_blob(q, 0, &len);
    bool fits = len <= max;
    if (fits && len > 0)
        memcpy(ret, value, len);
    bool note = sql_column_int(q, 1) < clock_wall_ms(s->clock) - NOTE_AFTER_MS;
    sql_end(q);
    if (note && note_use(s, space, key, e) < 0)
        return -1;
    *ret_found = fits;
    if (fits)
        *ret_len = len;
    return 0;
}

int cache_put(struct store *s, const char *space, const char *key, const void *value, size_t len,
              struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(
        s,
        sql_run(s->sql,
                "INSERT INTO cache (space, key, value, used_at) VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT (space, key) DO UPDATE SET value = excluded.value,"
                " used_at = excluded.used_at",
                SQL_VALUES(sql_text(space), sql_text(key), sql_blob(value, len),
                           sql_int(clock_wall_ms(s->clock))),
                e),
        e);
}

static int drop_older(struct store *s, const char *space, int64_t used_before, struct err *e)
{
    if (write_uses(s, e) < 0)
        return -1;
    return sql_run(s->sql, "DELETE FROM cache WHERE space = ?1 AND used_at < ?2",
                   SQL_VALUES(sql_text(space), sql_int(used_before)), e);
}

int cache_drop_older(struct store *s, const char *space, int64_t used_before, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, drop_older(s, space, used_before, e), e);
}
