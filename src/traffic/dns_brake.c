#include "traffic/dns_brake.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 4 };

void dns_records_text(const struct dns_records *r, char ret[DNS_FOUND_TEXT])
{
    size_t all = r->n + r->more;
    struct buf b = BUF_INIT(8192);

    if (all == 0)
        buf_adds(&b, "no A, AAAA or CNAME record");
    if (all > 1)
        buf_addf(&b, "%zu records: ", all);
    for (size_t i = 0; i < r->n && i < SHOWN; i++)
        buf_addf(&b, "%s%s %s", i ? ", " : "", dns_type_name(r->list[i].type), r->list[i].value);
    if (all > SHOWN)
        buf_adds(&b, ", ...");
    (void)text_copy(ret, DNS_FOUND_TEXT, buf_str(&b));
    buf_release(&b);
}

/* One that lies ahead counts too, for the clock may have been set back; further than an hour ahead
 * it would hold the name for longer than was ever meant. */
static bool is_recent(int64_t change_ms, int64_t now_ms)
{
    return change_ms > now_ms - BRAKE_HOUR_MS && change_ms < now_ms + BRAKE_HOUR_MS;
}

int brake_left(const struct dns_brake *b, const struct dns_memory *m, int64_t now_ms)
{
    int left = b->changes_per_hour;

    for (size_t i = 0; i < m->n_changes; i++)
        left -= is_recent(m->changes[i], now_ms);
    return left > 0 ? left : 0;
}

int64_t brake_next_ms(const struct dns_brake *b, const struct dns_memory *m, int64_t now_ms)
{
    int newer = 0;

    if (brake_left(b, m, now_ms) > 0)
        return 0;
    for (size_t i = m->n_changes; i > 0; i--) {
        int64_t change_ms = m->changes[i - 1];

        newer += is_recent(change_ms, now_ms);
        if (newer == b->changes_per_hour)
            return change_ms < now_ms ? change_ms + BRAKE_HOUR_MS : now_ms + BRAKE_HOUR_MS;
    }
    return 0;
}

static bool is_ours(const struct dns_brake *b, const struct dns_memory *m,
                    const struct dns_record *r)
{
    if (dns_same_answer(r, &m->wrote) || dns_same_answer(r, &m->before))
        return true;
    for (size_t i = 0; i < b->n_answers; i++)
        if (dns_same_answer(r, &b->answers[i]))
            return true;
    return false;
}

static enum brake_verdict foreign(const struct dns_brake *b, const struct dns_memory *m,
                                  const struct dns_records *found, struct err *e)
{
    char text[DNS_FOUND_TEXT];

    dns_records_text(found, text);
    if (found->n != 1 || found->more)
        err_set(e, ERR_NO,
                "%s has %s, but a name is moved only when it has exactly one; nothing was changed. "
                "Make it one record at your DNS host",
                b->host, text);
    else
        err_set(e, ERR_NO,
                "%s was changed by others: it has %s, which is none of the route's answers%s%s; "
                "nothing was changed. Set it back, add it to `answers`, or accept it with: "
                "trine traffic accept-dns",
                b->host, text, *m->wrote.value ? ", and last written was " : "", m->wrote.value);
    return BRAKE_FOREIGN;
}

enum brake_verdict brake_judge(const struct dns_brake *b, const struct dns_memory *m,
                               const struct dns_records *found, const struct dns_record *wanted,
                               int64_t now_ms, struct err *e)
{
    const struct dns_record *r = &found->list[0];
    char when[32];

    if (found->n != 1 || found->more || !is_ours(b, m, r))
        return foreign(b, m, found, e);
    if (dns_same_answer(r, wanted) && r->proxied == wanted->proxied &&
        (r->proxied || r->ttl_s == wanted->ttl_s))
        return BRAKE_THERE;
    if (brake_left(b, m, now_ms) > 0)
        return BRAKE_GO;
    clock_format_utc(brake_next_ms(b, m, now_ms), when);
    err_set(e, ERR_NO,
            "%s was changed %d times within an hour, which is as often as it may be; it stays %s "
            "until %s. Look why its environments keep failing, or raise `changes`",
            b->host, b->changes_per_hour, r->value, when);
    return BRAKE_SPENT;
}

bool brake_drifted(const struct dns_brake *b, const struct dns_memory *m,
                   const struct dns_records *found, struct err *e)
{
    const struct dns_record *r = &found->list[0];

    if (found->n != 1 || found->more || !is_ours(b, m, r)) {
        (void)foreign(b, m, found, e);
        return true;
    }
    /* A change that was not read back yet may still turn out either way. */
    if (!*m->wrote.value || *m->before.value || dns_same_answer(r, &m->wrote))
        return false;
    err_set(e, ERR_NO,
            "%s was changed by others: it has %s %s, another of the route's answers, and last seen "
            "was %s; it stays so until the traffic moves. To put it where the traffic goes now: "
            "trine traffic accept-dns",
            b->host, dns_type_name(r->type), r->value, m->wrote.value);
    return true;
}

void brake_count(struct dns_memory *m, const struct dns_record *found,
                 const struct dns_record *wanted, int64_t now_ms)
{
    size_t kept = 0, first = m->n_changes == BRAKE_CHANGES_MAX;

    for (size_t i = first; i < m->n_changes; i++)
        if (is_recent(m->changes[i], now_ms))
            m->changes[kept++] = m->changes[i];
    m->n_changes = kept;
    m->changes[m->n_changes++] = now_ms;
    m->before = *found;
    m->wrote = *wanted;
}

void brake_uncount(struct dns_memory *m)
{
    if (m->n_changes > 0)
        m->n_changes--;
    m->wrote = m->before;
    m->before = (struct dns_record){0};
}

/* ---- the memory as text ---- */

static json_t *write_record(const struct dns_record *r)
{
    return *r->value ? json_pack("{s:s, s:s}", "type", dns_type_name(r->type), "value", r->value)
                     : json_null();
}

char *dns_memory_write(const struct dns_memory *m)
{
    json_t *changes = json_array(), *all;
    char *text;

    for (size_t i = 0; i < m->n_changes; i++)
        json_array_append_new(changes, json_integer(m->changes[i]));
    all = json_pack("{s:i, s:o, s:o, s:o, s:I}", "version", 1, "wrote", write_record(&m->wrote),
                    "before", write_record(&m->before), "changes", changes, "changed_at",
                    (json_int_t)m->changed_at);
    text = json_text(all);
    json_decref(all);
    return text;
}

static int read_record(const json_t *from, struct dns_record *ret, struct err *e)
{
    if (!from || json_is_null(from))
        return 0;
    if (dns_value_read(json_str(from, "value", ""), ret, e) < 0)
        return -1;
    if (strcmp(json_str(from, "type", ""), dns_type_name(ret->type)) != 0)
        return err_set(e, ERR_STORE, "its type does not fit");
    return 0;
}

static int read_memory(const json_t *json, struct dns_memory *ret, struct err *e)
{
    const json_t *changes = json_at(json, "changes");
    size_t n = json_array_size(changes), skip = n > BRAKE_CHANGES_MAX ? n - BRAKE_CHANGES_MAX : 0;

    if (json_int(json, "version", 0) != 1)
        return err_set(e, ERR_STORE, "it is of another version");
    if (read_record(json_at(json, "wrote"), &ret->wrote, e) < 0 ||
        read_record(json_at(json, "before"), &ret->before, e) < 0)
        return -1;
    for (size_t i = skip; i < n; i++)
        ret->changes[ret->n_changes++] = json_integer_value(json_array_get(changes, i));
    ret->changed_at = json_int(json, "changed_at", 0);
    return 0;
}

int dns_memory_read(const char *json, struct dns_memory *ret, struct err *e)
{
    struct dns_memory m = {.n_changes = 0};
    json_t *tree;
    int rc;

    if (!*json) {
        *ret = m;
        return 0;
    }
    tree = json_read(json, strlen(json), "the kept state of the DNS engine", e);
    if (!tree) {
        e->kind = ERR_STORE;
        return -1;
    }
    rc = read_memory(tree, &m, e);
    json_decref(tree);
    if (rc < 0) {
        e->kind = ERR_STORE;
        return err_wrap(e, "the kept state of the DNS engine");
    }
    *ret = m;
    return 0;
}
