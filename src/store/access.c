#include "store/access.h"

#include "base/clock.h"
#include "base/hash.h"
#include "store/inner.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX "trine_"
enum {
    SECRET_BYTES = 32,
    SECRET_TEXT = 2 * SECRET_BYTES,
    TOKEN_BYTES = 80,
    TOKEN_TEXT = sizeof(PREFIX) - 1 + SECRET_TEXT,
    NAME_MAX_BYTES = ACCESS_NAME_MAX,
    MINUTE_MS = 60000,
};
_Static_assert(TOKEN_TEXT < TOKEN_BYTES, "a token and its NUL fit");

const char *access_scope_name(enum access_scope s)
{
    switch (s) {
    case ACCESS_READ:
        return "read";
    case ACCESS_OPERATE:
        return "operate";
    case ACCESS_AGENT:
        return "agent";
    }
    return "";
}

/* What is not known may read only. */
static enum access_scope scope_of(const char *name)
{
    for (enum access_scope s = ACCESS_OPERATE; s <= ACCESS_AGENT; s++)
        if (strcmp(name, access_scope_name(s)) == 0)
            return s;
    return ACCESS_READ;
}

static int make_token(char ret[TOKEN_BYTES], struct err *e)
{
    uint8_t secret[SECRET_BYTES];
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return err_set(e, ERR_STORE, "a token cannot be made: the system gives no random bytes");
    char hex[SECRET_TEXT + 1];
    hex_encode(secret, sizeof(secret), hex);
    snprintf(ret, TOKEN_BYTES, PREFIX "%s", hex);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(hex, sizeof(hex));
    return 0;
}

static int add_token(struct store *s, const char *name, enum access_scope scope, const char *token,
                     struct err *e)
{
    uint8_t digest[SHA256_LEN];
    sha256(token, strlen(token), digest);
    if (sql_run(s->sql,
                "INSERT INTO access_tokens (name, scope, digest, created_ms, used_ms)"
                " VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING",
                SQL_VALUES(sql_text(name), sql_text(access_scope_name(scope)),
                           sql_blob(digest, sizeof(digest)), sql_int(clock_wall_ms(s->clock))),
                e) < 0)
        return -1;
    if (sql_changes(s->sql) > 0)
        return 0;
    return err_set(e, ERR_NO,
                   "there is a token named %s already: revoke it first, or use another "
                   "name",
                   name);
}

int access_create(struct store *s, const char *name, enum access_scope scope, char ret[80],
                  struct err *e)
{
    char token[TOKEN_BYTES];
    if (name[0] == '\0' || strnlen(name, NAME_MAX_BYTES + 1) > NAME_MAX_BYTES)
        return err_set(e, ERR_USAGE, "the name of a token has 1 to %d characters", NAME_MAX_BYTES);
    if (make_token(token, e) < 0 || write_begin(s, e) < 0 ||
        write_end(s, add_token(s, name, scope, token, e), e) < 0)
        return -1;
    memcpy(ret, token, sizeof(token));
    explicit_bzero(token, sizeof(token));
    return 0;
}

static int remove_token(struct store *s, const char *name, struct err *e)
{
    if (sql_run(s->sql, "DELETE FROM access_tokens WHERE name = ?1", SQL_VALUES(sql_text(name)),
                e) < 0)
        return -1;
    return sql_changes(s->sql) > 0 ? 0 : err_set(e, ERR_NO, "there is no token named %s", name);
}

int access_revoke(struct store *s, const char *name, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, remove_token(s, name, e), e);
}

int access_list(struct store *s, access_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT name, scope, created_ms, used_ms FROM access_tokens ORDER BY name", NULL,
                  &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct access_token t = {
            .name = sql_column_text(q, 0),
            .scope = scope_of(sql_column_text(q, 1)),
            .created_ms = sql_column_int(q, 2),
            .used_ms = sql_column_int(q, 3),
        };
        fn(&t, arg);
    }
    return more;
}

/* --- Checking --------------------------------------------------------------------------------- */

struct match {
    bool found;
    char name[NAME_MAX_BYTES + 1];
    enum access_scope scope;
    int64_t used_ms;
};

/* The same work whatever differs, and where. */
static bool equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    volatile uint8_t differs = 0;
    for (size_t i = 0; i < len; i++)
        differs = (uint8_t)(differs | (a[i] ^ b[i]));
    return differs == 0;
}

/* Every row is looked at, so that time does not tell which one came near. */
static int find_match(struct store *s, const uint8_t digest[SHA256_LEN], struct match *ret,
                      struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT name, scope, used_ms, digest FROM access_tokens", NULL, &q, e) <
        0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        size_t len;
        const uint8_t *kept = sql_column_blob(q, 3, &len);
        if (len != SHA256_LEN || !equal(kept, digest, SHA256_LEN))
            continue;
        ret->found = true;
        ret->scope = scope_of(sql_column_text(q, 1));
        ret->used_ms = sql_column_int(q, 2);
        snprintf(ret->name, sizeof(ret->name), "%s", sql_column_text(q, 0));
    }
    return more;
}

/* To the minute, so that a busy client costs one write a minute. That it cannot be noted (a full
 * disk) is no reason to refuse a valid token. */
static void note_use(struct store *s, const struct match *m)
{
    struct err ignored = ERR_INIT;
    int64_t now = clock_wall_ms(s->clock) / MINUTE_MS * MINUTE_MS;
    if (now != m->used_ms && !s->grouped)
        (void)sql_run(s->sql, "UPDATE access_tokens SET used_ms = ?2 WHERE name = ?1",
                      SQL_VALUES(sql_text(m->name), sql_int(now)), &ignored);
}

int access_check(struct store *s, const char *token, struct access_holder *ret, struct err *e)
{
    uint8_t digest[SHA256_LEN];
    struct match m = {0};
    size_t len = strnlen(token, TOKEN_BYTES);
    sha256(token, len, digest);
    if (find_match(s, digest, &m, e) < 0)
        return -1;
    if (!m.found || len != TOKEN_TEXT)
        return 0;
    note_use(s, &m);
    ret->scope = m.scope;
    memcpy(ret->name, m.name, sizeof(ret->name));
    return 1;
}
