#include "base/embed.h"
#include "base/mem.h"
#include "store/inner.h"

#include <stdlib.h>

/* Opening, migrating and grouping; the tables have a file each. */

extern const struct embedded_file store_migrations[]; /* migrations/NNN-*.sql, in order */
extern const size_t store_migrations_count;

/* What SQL alone cannot do of a migration, by its index; done after its script. */
static int (*const migration_steps[])(struct sql *sql, struct err *e) = {[1] = sample_pack_rows};

static int apply_migration(struct sql *sql, size_t i, struct err *e)
{
    const struct embedded_file *m = &store_migrations[i];
    size_t n_steps = sizeof(migration_steps) / sizeof(migration_steps[0]);
    if (sql_script(sql, (const char *)m->data, e) < 0 ||
        (i < n_steps && migration_steps[i] && migration_steps[i](sql, e) < 0))
        return err_wrap(e, "migration %s", m->name);
    return 0;
}

static int apply_migrations(struct sql *sql, struct err *e)
{
    int64_t version;
    if (sql_version(sql, &version, e) < 0)
        return -1;
    if (version > (int64_t)store_migrations_count)
        return err_set(
            e, ERR_STORE,
            "store %s: written by a newer trine (form %lld, this one knows %zu): use that "
            "version, or choose another folder with --state",
            sql_path(sql), (long long)version, store_migrations_count);
    if (version == (int64_t)store_migrations_count)
        return 0;
    for (size_t i = (size_t)version; i < store_migrations_count; i++)
        if (apply_migration(sql, i, e) < 0)
            return -1;
    return sql_set_version(sql, (int64_t)store_migrations_count, e);
}

/* All or nothing, and under the write lock: of two processes the second finds it done. */
static int migrate(struct sql *sql, struct err *e)
{
    if (sql_begin(sql, e) < 0)
        return -1;
    if (apply_migrations(sql, e) < 0) {
        sql_rollback(sql);
        return -1;
    }
    return sql_commit(sql, e);
}

int store_open(const char *dir, const struct clock *clock, struct fault *fault, struct store **ret,
               struct err *e)
{
    struct sql *sql;
    if (sql_open(dir, fault, &sql, e) < 0)
        return -1;
    if (migrate(sql, e) < 0 || cache_open(sql, e) < 0) {
        sql_close(sql);
        return -1;
    }
    struct store *s = mem_alloc(sizeof(*s));
    *s = (struct store){.sql = sql, .clock = clock ? clock : &clock_system};
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_rollback(s);
    cache_close(s);
    sql_close(s->sql);
    free(s);
}

int store_relax(struct store *s, struct err *e)
{
    return sql_relax(s->sql, e);
}

int store_begin(struct store *s, struct err *e)
{
    if (s->grouped)
        return err_set(e, ERR_BUG, "store %s: a group of writes inside another", sql_path(s->sql));
    if (sql_begin(s->sql, e) < 0)
        return -1;
    s->grouped = true;
    s->spoiled = false;
    return 0;
}

static int refuse_spoiled(const struct store *s, struct err *e)
{
    return err_set(e, ERR_STORE,
                   "store %s: an earlier write of this group failed, so none was kept",
                   sql_path(s->sql));
}

int store_commit(struct store *s, struct err *e)
{
    if (!s->grouped)
        return err_set(e, ERR_BUG, "store %s: commit without begin", sql_path(s->sql));
    s->grouped = false;
    if (!s->spoiled && sql_in_transaction(s->sql))
        return sql_commit(s->sql, e);
    sql_rollback(s->sql);
    return refuse_spoiled(s, e);
}

void store_rollback(struct store *s)
{
    s->grouped = false;
    sql_rollback(s->sql);
}

int write_begin(struct store *s, struct err *e)
{
    if (!s->grouped)
        return sql_begin(s->sql, e);
    /* A full disk makes SQLite roll back by itself. What follows must not be kept without what
     * went before. */
    if (s->spoiled || !sql_in_transaction(s->sql))
        return refuse_spoiled(s, e);
    return 0;
}

int write_end(struct store *s, int result, struct err *e)
{
    if (s->grouped) {
        if (result < 0)
            s->spoiled = true;
        return result;
    }
    if (result == 0)
        return sql_commit(s->sql, e);
    sql_rollback(s->sql);
    return result;
}

int write_begin_as(struct store *s, const struct lease *l, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    if (lease_check(s, l, e) == 0)
        return 0;
    return write_end(s, -1, e);
}
