#include "store/outbox.h"

#include "base/clock.h"
#include "base/hash.h"
#include "store/inner.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    OTHER_SENDS_MS = 5000, /* until a look again at an alert for which another process is sending */
    LONGEST_WAIT_MS = 2 * 3600 * 1000, /* a time further ahead was set under another clock */
};

static const char *const states[] = {"waiting", "sending", "sent", "failed", "unknown"};
static const char *const kinds[] = {"single", "folded", "quiet"};

const char *outbox_state_name(enum outbox_state s)
{
    return states[s];
}

static unsigned word_of(const char *const *words, unsigned n, const char *word)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return 0;
}

/* --- Matters ------------------------------------------------------------------------------------
 */

static int add(struct store *s, const struct outbox_matter *m, struct err *e)
{
    return sql_run(s->sql,
                   "INSERT INTO alert_matters (alert, key, event, environment, incident, title,"
                   " text, link, at_ms, held, message)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)"
                   " ON CONFLICT (alert, key) DO NOTHING",
                   SQL_VALUES(sql_text(m->alert), sql_text(m->key), sql_text(m->event),
                              sql_text(m->environment), sql_int(m->incident), sql_text(m->title),
                              sql_text(m->text), sql_text(m->link), sql_int(m->at_ms),
                              sql_int(m->held)),
                   e);
}

int outbox_add(struct store *s, const struct outbox_matter *m, bool *ret_new, struct err *e)
{
    bool new = false;
    if (write_begin(s, e) < 0)
        return -1;
    int result = add(s, m, e);
    if (result == 0)
        new = sql_changes(s->sql) > 0;
    if (write_end(s, result, e) < 0)
        return -1;
    *ret_new = new;
    return 0;
}

/* --- Reading a message --------------------------------------------------------------------------
 */

#define MESSAGE_COLUMNS "id, uid, kind, state, attempts, made_ms, next_ms, ended_ms, answer"

static void read_columns(const struct sql_query *q, struct arena *a, struct outbox_message *ret)
{
    *ret = (struct outbox_message){
        .id = sql_column_int(q, 0),
        .uid = arena_strdup(a, sql_column_text(q, 1)),
        .kind = (enum outbox_kind)word_of(kinds, 3, sql_column_text(q, 2)),
        .state = (enum outbox_state)word_of(states, 5, sql_column_text(q, 3)),
        .attempts = (int)sql_column_int(q, 4),
        .made_ms = sql_column_int(q, 5),
        .next_ms = sql_column_int(q, 6),
        .ended_ms = sql_column_int(q, 7),
        .answer = arena_strdup(a, sql_column_text(q, 8)),
    };
}

static struct outbox_matter read_matter(const struct sql_query *q, struct arena *a)
{
    return (struct outbox_matter){
        .alert = arena_strdup(a, sql_column_text(q, 0)),
        .key = arena_strdup(a, sql_column_text(q, 1)),
        .event = arena_strdup(a, sql_column_text(q, 2)),
        .environment = arena_strdup(a, sql_column_text(q, 3)),
        .incident = sql_column_int(q, 4),
        .title = arena_strdup(a, sql_column_text(q, 5)),
        .text = arena_strdup(a, sql_column_text(q, 6)),
        .link = arena_strdup(a, sql_column_text(q, 7)),
        .at_ms = sql_column_int(q, 8),
        .held = sql_column_int(q, 9) != 0,
    };
}

static int read_matters(struct store *s, struct arena *a, struct outbox_message *m, struct err *e)
{
    int64_t all = 0;
    if (sql_number(s->sql, "SELECT count(*) FROM alert_matters WHERE message = ?1",
                   SQL_VALUES(sql_int(m->id)), &all, e) < 0)
        return -1;
    size_t most = all > OUTBOX_MATTERS_MAX ? OUTBOX_MATTERS_MAX : (size_t)all, n = most;
    struct outbox_matter *matters = arena_array(a, most + 1, sizeof(*matters));
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT alert, key, event, environment, incident, title, text, link, at_ms, held"
                  " FROM alert_matters WHERE message = ?1 ORDER BY id DESC LIMIT ?2",
                  SQL_VALUES(sql_int(m->id), sql_int((int64_t)most)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1)
        if (n > 0)
            matters[--n] = read_matter(q, a);
    m->matters = matters + n;
    m->n = most - n;
    m->more = (size_t)all - m->n;
    return more;
}

static int read_message(struct store *s, int64_t id, struct arena *a, struct outbox_message *ret,
                        struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT " MESSAGE_COLUMNS " FROM alert_messages WHERE id = ?1",
                  SQL_VALUES(sql_int(id)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(e, ERR_BUG, "there is no alert message %lld", (long long)id);
    read_columns(q, a, ret);
    sql_end(q);
    return read_matters(s, a, ret, e);
}

/* --- Taking the next one ------------------------------------------------------------------------
 */

/* One look for what is due; `next` is the earliest time at which something may be. */
struct look {
    const struct outbox_rule *rule;
    int64_t id; /* the message; 0 = none found */
    int64_t next_ms;
};

static void not_before(struct look *k, int64_t at_ms)
{
    if (k->next_ms == 0 || at_ms < k->next_ms)
        k->next_ms = at_ms;
}

static bool is_quieted(const struct outbox_rule *r, const char *event)
{
    if (r->quiet_until_ms == 0)
        return false;
    for (size_t i = 0; i < r->n_urgent; i++)
        if (strcmp(r->urgent[i], event) == 0)
            return false;
    return true;
}

/* 1: an attempt of the alert is under way, or a message waits for its next one; 0: the way is free
 * for a new one; -1. */
static int look_at_begun(struct store *s, struct look *k, struct err *e)
{
    const struct outbox_rule *r = k->rule;
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT id, event, next_ms, state FROM alert_messages"
                  " WHERE alert = ?1 AND state IN ('sending', 'waiting') ORDER BY id",
                  SQL_VALUES(sql_text(r->alert)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        if (strcmp(sql_column_text(q, 3), "sending") == 0) {
            not_before(k, r->now_ms + OTHER_SENDS_MS);
        } else if (is_quieted(r, sql_column_text(q, 1))) {
            not_before(k, r->quiet_until_ms);
            continue;
        } else if (sql_column_int(q, 2) > r->now_ms &&
                   sql_column_int(q, 2) - r->now_ms <= LONGEST_WAIT_MS) {
            not_before(k, sql_column_int(q, 2));
        } else {
            k->id = sql_column_int(q, 0);
        }
        sql_end(q);
        return 1;
    }
    return more;
}

static void make_uid(char ret[32])
{
    uint8_t random[12];
    char hex[2 * sizeof(random) + 1];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        memset(random, 0, sizeof(random)); /* never so; the row's own number keeps it apart */
    hex_encode(random, sizeof(random), hex);
    snprintf(ret, 32, "msg_%s", hex);
}

/* A message that nothing is in yet; its number is in *k. */
static int insert_message(struct store *s, struct look *k, enum outbox_kind kind, const char *event,
                          const char *environment, struct err *e)
{
    const struct outbox_rule *r = k->rule;
    char uid[32];
    make_uid(uid);
    if (sql_run(s->sql,
                "INSERT INTO alert_messages (alert, uid, kind, event, environment, state,"
                " repeatable, attempts, made_ms, next_ms, ended_ms, answer, sender_machine,"
                " sender_pid, sender_started)"
                " VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, 0, ?7, 0, 0, '', '', 0, 0)",
                SQL_VALUES(sql_text(r->alert), sql_text(uid), sql_text(kinds[kind]),
                           sql_text(event), sql_text(environment), sql_int(r->repeatable),
                           sql_int(r->now_ms)),
                e) < 0)
        return -1;
    return sql_number(s->sql, "SELECT max(id) FROM alert_messages", NULL, &k->id, e) < 0 ? -1 : 0;
}

static int begin_summary(struct store *s, struct look *k, struct err *e)
{
    if (insert_message(s, k, OUTBOX_QUIET, "", "", e) < 0)
        return -1;
    return sql_run(s->sql,
                   "UPDATE alert_matters SET message = ?2"
                   " WHERE alert = ?1 AND message = 0 AND held = 1",
                   SQL_VALUES(sql_text(k->rule->alert), sql_int(k->id)), e);
}

/* A message of all that waits of this event and environment, unless the last one was just now. */
static int begin_group(struct store *s, struct look *k, const char *event, const char *environment,
                       struct err *e)
{
    const struct outbox_rule *r = k->rule;
    int64_t last = 0, n = 0;
    if (sql_number(s->sql,
                   "SELECT coalesce(max(made_ms), 0) FROM alert_messages"
                   " WHERE alert = ?1 AND event = ?2 AND environment = ?3",
                   SQL_VALUES(sql_text(r->alert), sql_text(event), sql_text(environment)), &last,
                   e) < 0)
        return -1;
    /* One of the future was made under another clock. */
    if (last > 0 && last <= r->now_ms && last + r->repeat_ms > r->now_ms) {
        not_before(k, last + r->repeat_ms);
        return 0;
    }
    if (sql_number(s->sql,
                   "SELECT count(*) FROM alert_matters"
                   " WHERE alert = ?1 AND event = ?2 AND environment = ?3 AND message = 0",
                   SQL_VALUES(sql_text(r->alert), sql_text(event), sql_text(environment)), &n,
                   e) < 0 ||
        insert_message(s, k, n > 1 ? OUTBOX_FOLDED : OUTBOX_SINGLE, event, environment, e) < 0)
        return -1;
    return sql_run(
        s->sql,
        "UPDATE alert_matters SET message = ?4"
        " WHERE alert = ?1 AND event = ?2 AND environment = ?3 AND message = 0",
        SQL_VALUES(sql_text(r->alert), sql_text(event), sql_text(environment), sql_int(k->id)), e);
}

/* Those of quiet hours wait for their summary. */
static int hold(struct store *s, int64_t matter, struct err *e)
{
    return sql_run(s->sql, "UPDATE alert_matters SET held = 1 WHERE id = ?1",
                   SQL_VALUES(sql_int(matter)), e);
}

static int look_at_new(struct store *s, struct look *k, struct err *e)
{
    const struct outbox_rule *r = k->rule;
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT id, event, environment, held FROM alert_matters"
                  " WHERE alert = ?1 AND message = 0 ORDER BY held DESC, id",
                  SQL_VALUES(sql_text(r->alert)), &q, e) < 0)
        return -1;
    int more, rc = 0;
    while (rc == 0 && k->id == 0 && (more = sql_next(q, e)) != 0) {
        if (more < 0)
            return -1;
        bool held = sql_column_int(q, 3) != 0;
        if (is_quieted(r, sql_column_text(q, 1))) {
            not_before(k, r->quiet_until_ms);
            rc = held ? 0 : hold(s, sql_column_int(q, 0), e);
        } else if (held && r->quiet_until_ms == 0) {
            rc = begin_summary(s, k, e);
        } else {
            rc = begin_group(s, k, sql_column_text(q, 1), sql_column_text(q, 2), e);
        }
    }
    if (rc < 0 || k->id != 0)
        sql_end(q);
    return rc;
}

static int mark(struct store *s, int64_t id, struct err *e)
{
    struct holder self;
    if (holder_self(&self, e) < 0)
        return -1;
    return sql_run(
        s->sql,
        "UPDATE alert_messages SET state = 'sending', attempts = attempts + 1,"
        " sender_machine = ?2, sender_pid = ?3, sender_started = ?4 WHERE id = ?1",
        SQL_VALUES(sql_int(id), sql_text(self.machine), sql_int(self.pid), sql_int(self.started)),
        e);
}

static int take(struct store *s, struct look *k, struct arena *a, struct outbox_message *ret,
                struct err *e)
{
    int begun = look_at_begun(s, k, e);
    if (begun < 0 || (begun == 0 && look_at_new(s, k, e) < 0))
        return -1;
    if (k->id == 0)
        return 0;
    return mark(s, k->id, e) < 0 ? -1 : read_message(s, k->id, a, ret, e);
}

int outbox_take(struct store *s, const struct outbox_rule *rule, struct arena *a,
                struct outbox_message *ret, int64_t *ret_next_ms, struct err *e)
{
    struct look k = {.rule = rule};
    struct outbox_message m = {0};
    if (write_begin(s, e) < 0 || write_end(s, take(s, &k, a, &m, e), e) < 0)
        return -1;
    *ret = m;
    *ret_next_ms = m.id ? 0 : k.next_ms;
    return 0;
}

/* --- What came of it ----------------------------------------------------------------------------
 */

static int settle(struct store *s, int64_t id, enum outbox_state state, int64_t next_ms,
                  const char *answer, struct err *e)
{
    int64_t ended = state == OUTBOX_WAITING ? 0 : clock_wall_ms(s->clock);
    return sql_run(s->sql,
                   "UPDATE alert_messages SET state = ?2, next_ms = ?3, answer = ?4, ended_ms = ?5"
                   " WHERE id = ?1 AND state = 'sending'",
                   SQL_VALUES(sql_int(id), sql_text(states[state]), sql_int(next_ms),
                              sql_text(answer), sql_int(ended)),
                   e);
}

int outbox_settle(struct store *s, int64_t id, enum outbox_state state, int64_t next_ms,
                  const char *answer, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, settle(s, id, state, next_ms, answer, e), e);
}

struct cut_off { /* one whose sender may be gone */
    struct cut_off *next;
    int64_t id;
    bool repeatable;
};

/* Those of `alert` that are being sent by nobody any more. */
static int find_cut_off(struct store *s, const char *alert, struct arena *a, struct cut_off **ret,
                        struct err *e)
{
    struct holder self;
    struct sql_query *q;
    if (holder_self(&self, e) < 0 ||
        sql_query(s->sql,
                  "SELECT id, repeatable, sender_machine, sender_pid, sender_started"
                  " FROM alert_messages WHERE alert = ?1 AND state = 'sending'",
                  SQL_VALUES(sql_text(alert)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct holder by = {.pid = sql_column_int(q, 3), .started = sql_column_int(q, 4)};
        strncat(by.machine, sql_column_text(q, 2), sizeof(by.machine) - 1);
        if (holder_may_live(&by, &self))
            continue;
        struct cut_off *c = arena_alloc(a, sizeof(*c));
        *c = (struct cut_off){
            .next = *ret, .id = sql_column_int(q, 0), .repeatable = sql_column_int(q, 1) != 0};
        *ret = c;
    }
    return more;
}

static int settle_cut_off(struct store *s, const struct cut_off *c, struct err *e)
{
    if (c->repeatable)
        return settle(s, c->id, OUTBOX_WAITING, 0, "trine ended before an answer came", e);
    return settle(s, c->id, OUTBOX_UNKNOWN, 0,
                  "trine ended before an answer came: whether it arrived is unknown", e);
}

int outbox_recover(struct store *s, const char *alert, outbox_message_fn *fn, void *arg,
                   struct err *e)
{
    struct arena a = ARENA_INIT;
    struct cut_off *all = NULL;
    int rc = 0;
    if (write_begin(s, e) < 0)
        return -1;
    rc = find_cut_off(s, alert, &a, &all, e);
    for (const struct cut_off *c = all; c && rc == 0; c = c->next)
        rc = settle_cut_off(s, c, e);
    rc = write_end(s, rc, e);
    for (const struct cut_off *c = all; c && rc == 0; c = c->next) {
        struct outbox_message m;
        if (c->repeatable)
            continue;
        rc = read_message(s, c->id, &a, &m, e);
        if (rc == 0)
            fn(&m, arg);
    }
    arena_release(&a);
    return rc;
}

/* --- Looking ------------------------------------------------------------------------------------
 */

int outbox_list(struct store *s, const char *alert, int limit, outbox_message_fn *fn, void *arg,
                struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT " MESSAGE_COLUMNS " FROM alert_messages WHERE alert = ?1"
                  " ORDER BY id DESC LIMIT ?2",
                  SQL_VALUES(sql_text(alert), sql_int(limit > 0 ? limit : INT64_MAX)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct arena a = ARENA_INIT;
        struct outbox_message m;
        read_columns(q, &a, &m);
        int rc = read_matters(s, &a, &m, e);
        if (rc == 0)
            fn(&m, arg);
        arena_release(&a);
        if (rc < 0) {
            sql_end(q);
            return -1;
        }
    }
    return more;
}

int outbox_stand(struct store *s, const char *alert, struct outbox_standing *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT (SELECT count(*) FROM alert_matters LEFT JOIN alert_messages AS m"
                  " ON m.id = message WHERE alert_matters.alert = ?1 AND (message = 0"
                  " OR m.state IN ('waiting', 'sending'))),"
                  " coalesce(sum(state = 'sent'), 0), coalesce(sum(state = 'failed'), 0),"
                  " coalesce(sum(state = 'unknown'), 0),"
                  " coalesce(max(CASE state WHEN 'sent' THEN ended_ms END), 0),"
                  " coalesce(max(CASE state WHEN 'waiting' THEN attempts END), 0)"
                  " FROM alert_messages WHERE alert = ?1",
                  SQL_VALUES(sql_text(alert)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found < 0 ? -1 : err_set(e, ERR_BUG, "no count of the alert messages");
    *ret = (struct outbox_standing){
        .waiting = sql_column_int(q, 0),
        .sent = sql_column_int(q, 1),
        .failed = sql_column_int(q, 2),
        .unknown = sql_column_int(q, 3),
        .last_sent_ms = sql_column_int(q, 4),
        .trying = sql_column_int(q, 5),
    };
    sql_end(q);
    return 0;
}

int outbox_names(struct store *s, outbox_name_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT DISTINCT alert FROM alert_matters ORDER BY alert", NULL, &q, e) <
        0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1)
        fn(sql_column_text(q, 0), arg);
    return more;
}
