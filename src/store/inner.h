#pragma once

#include "base/clock.h"
#include "store/sql.h"
#include "store/store.h"

/* What the files of src/store share; nobody else includes it. */
struct store {
    struct sql *sql;
    const struct clock *clock;
    bool grouped;    /* between store_begin and store_commit or store_rollback */
    bool spoiled;    /* a write of the group failed: the group can only be rolled back */
    int64_t damaged; /* blobs that made no sense to a read and were left out */
};

/*
 * A write of one or more statements: joins the caller's group, or is a transaction of its own.
 *
 *     if (write_begin(s, e) < 0)
 *         return -1;
 *     return write_end(s, put_row(s, row, e), e);
 *
 * write_end commits when `result` is 0 and undoes otherwise; it returns what the write came to.
 */
int write_begin(struct store *s, struct err *e);
int write_end(struct store *s, int result, struct err *e);

/* As write_begin, then refuses (ERR_NO) when `l` is no longer the environment's lease. The check
 * and the write are one transaction, so nobody can take over in between. */
int write_begin_as(struct store *s, const struct lease *l, struct err *e);

/* ERR_NO with the present holder, or nothing when `l` still holds. Inside a transaction. */
int lease_check(struct store *s, const struct lease *l, struct err *e);

/* The cache's part of opening and closing. */
int cache_open(struct sql *sql, struct err *e);
void cache_close(struct store *s);

/* Which process of which machine; kept in a lease to tell whether its holder still lives. */
struct holder {
    char machine[160];    /* boot id, pid and time namespace: equal where pids and clocks compare */
    int64_t pid, started; /* started: clock ticks since boot, so a reused pid is another process */
};

/* This process. ERR_STORE when /proc does not tell. */
int holder_self(struct holder *ret, struct err *e);
/* False only when it is certain: same machine and no such process any more (a zombie is none). */
bool holder_may_live(const struct holder *h, const struct holder *self);
/* "user@host pid 4711: what" */
void holder_text(const char *what, char *ret, size_t n);

/* One row of batches, in the caller's transaction; sorts the samples, which batch_check passed.
 * `id` 0: the next. */
int batch_put(struct sql *sql, int64_t id, struct sample *samples, size_t n, struct err *e);

/* Part of history_prune, in its transaction: some of the agents' reports that lie wholly before
 * that time. *ret_more is set when there are more, and else left as it is. */
int observation_drop(struct store *s, int64_t before_ms, bool *ret_more, struct err *e);

/* Part of migration 002: the rows of the first form become batches. */
int sample_pack_rows(struct sql *sql, struct err *e);
