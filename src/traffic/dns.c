#include "traffic/dns_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The operations. Each is: read what is there; judge; write; read back. One at a time, in the order
 * in which they were asked for.
 */

/* Somebody else was faster: read anew so often. A change that is not seen yet: asked so often, with
 * a second between. */
enum { READ_ANEW = 3, READ_BACK = 5, READ_BACK_PAUSE_MS = 1000 };

const char *dns_kind_name(enum dns_kind k)
{
    static const char *const names[] = {[DNS_CLOUDFLARE] = "cloudflare", [DNS_RFC2136] = "rfc2136"};
    return names[k];
}

const char *dns_phase_name(enum dns_phase p)
{
    static const char *const names[] = {
        [DNS_IDLE] = "idle",       [DNS_SETTLING] = "settling",     [DNS_READING] = "reading",
        [DNS_WRITING] = "writing", [DNS_CONFIRMING] = "confirming", [DNS_HELD] = "held",
        [DNS_FAILED] = "failed",
    };
    return names[p];
}

int dns_place_of(const struct dns_engine *d, const char *environment)
{
    for (size_t i = 0; i < d->n_places; i++)
        if (strcmp(d->places[i].environment, environment) == 0)
            return (int)i;
    return DNS_NONE;
}

int dns_place_now(const struct dns_engine *d)
{
    if (d->found.n != 1 || d->found.more)
        return DNS_NONE;
    /* Two environments may share an answer: then it is the wanted one's. */
    if (d->wanted != DNS_NONE && dns_same_answer(&d->found.list[0], &d->answers[d->wanted]))
        return d->wanted;
    for (size_t i = 0; i < d->n_places; i++)
        if (dns_same_answer(&d->found.list[0], &d->answers[i]))
            return (int)i;
    return DNS_NONE;
}

bool dns_is_busy(const struct dns_engine *d)
{
    return d->now || d->waiting;
}

static int64_t wall_ms(const struct dns_engine *d)
{
    return clock_wall_ms(loop_clock(d->loop));
}

static void keep(struct dns_engine *d)
{
    char *json;

    if (!d->save)
        return;
    json = dns_memory_write(&d->memory);
    d->save(json, d->arg);
    free(json);
}

void dns_tell(struct dns_engine *d, const char *text, bool bad)
{
    if (!d->say || strcmp(text, d->said) == 0)
        return;
    (void)text_copy(d->said, sizeof d->said, text);
    d->say(text, bad, d->arg);
}

/* ---- the end of an operation ---- */

static void begin_next(struct dns_engine *d)
{
    if (!d->now && d->waiting)
        timer_start(d->pump, 0);
}

void dns_end(struct dns_engine *d, const struct err *e)
{
    struct dns_op *op = d->now;

    d->now = NULL;
    begin_next(d);
    dns_look_later(d, e);
    if (!d->waiting)
        timer_start(d->follow, 0); /* perhaps it is time to follow again */
    if (op->done)
        op->done(e, op->arg);
    free(op->environment);
    free(op);
}

void dns_end_well(struct dns_engine *d)
{
    d->phase = DNS_IDLE;
    d->foreign = d->looked_badly = false;
    d->why[0] = '\0';
    dns_end(d, NULL);
}

static void end_badly(struct dns_engine *d, enum dns_phase phase, struct err *e)
{
    d->phase = phase;
    d->looked_badly = d->now->kind == OP_LOOK;
    err_wrap(e, "DNS of route %s", d->route);
    (void)text_copy(d->why, sizeof d->why, e->text);
    dns_tell(d, e->text, true);
    dns_end(d, e);
}

/* ---- want ---- */

static void read_now(struct dns_engine *d, enum dns_phase phase);

static void confirmed(struct dns_engine *d)
{
    struct dns_record was = d->memory.before;
    char text[700];

    d->memory.before = (struct dns_record){0};
    d->memory.changed_at = wall_ms(d);
    d->tail_until = 0;
    keep(d);
    if (dns_same_answer(&was, &d->answers[d->wanted]))
        (void)snprintf(text, sizeof text,
                       "DNS of route %s: %s still is %s, now with a TTL of %lld s", d->route,
                       d->host, was.value, (long long)d->answers[d->wanted].ttl_s);
    else
        (void)snprintf(text, sizeof text, "DNS of route %s: %s is now %s %s (%s), before %s",
                       d->route, d->host, dns_type_name(d->answers[d->wanted].type),
                       d->answers[d->wanted].value, d->places[d->wanted].environment, was.value);
    dns_tell(d, text, false);
    dns_end_well(d);
}

static void read_back(struct dns_engine *d)
{
    const struct dns_record *wanted = &d->answers[d->wanted];
    struct err e = ERR_INIT;

    if (d->found.n == 1 && !d->found.more && dns_same_answer(&d->found.list[0], wanted)) {
        confirmed(d);
    } else if (++d->tries < READ_BACK) {
        timer_start(d->pump, READ_BACK_PAUSE_MS);
    } else {
        err_set(&e, ERR_REMOTE,
                "%s was changed to %s and the change was accepted, but it still has %s", d->host,
                wanted->value, d->answer_text);
        e.retry = true;
        end_badly(d, DNS_FAILED, &e);
    }
}

/* The change was not made: it does not count. */
static void take_back(struct dns_engine *d)
{
    d->unsure = false;
    brake_uncount(&d->memory);
    keep(d);
}

static void written(const struct dns_records *none, const struct err *failed, void *arg)
{
    struct dns_engine *d = arg;
    struct err e = ERR_INIT;

    (void)none;
    if (!failed) {
        d->tries = 0;
        read_now(d, DNS_CONFIRMING);
        return;
    }
    e = *failed;
    /* A message whose answer was lost is sent again, and then finds what the first one did. */
    d->unsure = e.kind == ERR_NO && e.retry;
    if (d->unsure && ++d->tries < READ_ANEW) {
        read_now(d, DNS_READING);
        return;
    }
    if (d->unsure && d->stubborn && !*d->tried.id)
        err_set(&e, ERR_NO,
                "the server answers with %s each time, and says that there is no such record to "
                "replace: a wildcard (*) of the zone seems to answer for the name; give it a "
                "record of its own",
                d->answer_text);
    err_wrap(&e, "%s", d->host);
    if (e.kind != ERR_NET) /* surely not done */
        take_back(d);
    end_badly(d, e.kind == ERR_NO ? DNS_HELD : DNS_FAILED, &e);
}

/* It answers as wanted. */
static void there(struct dns_engine *d)
{
    if (*d->memory.before.value) { /* of a process that was killed before it read back */
        confirmed(d);
        return;
    }
    if (!dns_same_answer(&d->memory.wrote, &d->found.list[0])) {
        d->memory.wrote = d->found.list[0];
        keep(d);
    }
    dns_end_well(d);
}

static void write_now(struct dns_engine *d, const struct dns_record *wanted)
{
    const struct dns_record *seen = &d->found.list[0];

    d->stubborn = d->tries == 0 || (d->stubborn && dns_same_answer(&d->tried, seen));
    d->tried = *seen;
    brake_count(&d->memory, seen, wanted, wall_ms(d));
    keep(d);
    d->phase = DNS_WRITING;
    d->backend->ops->write(d->backend, seen, wanted, written, d);
}

static void judge(struct dns_engine *d)
{
    struct dns_record wanted = d->answers[d->wanted];
    struct err e = ERR_INIT;

    d->foreign = false;
    if (d->keep_proxied)
        wanted.proxied = d->found.list[0].proxied;
    if (d->unsure && !dns_same_answer(&d->found.list[0], &wanted))
        take_back(d);
    d->unsure = false;
    switch (brake_judge(&d->brake, &d->memory, &d->found, &wanted, wall_ms(d), &e)) {
    case BRAKE_THERE:
        there(d);
        return;
    case BRAKE_FOREIGN:
        d->foreign = true;
        end_badly(d, DNS_HELD, &e);
        return;
    case BRAKE_SPENT:
        end_badly(d, DNS_HELD, &e);
        return;
    case BRAKE_GO:
        break;
    }
    write_now(d, &wanted);
}

/* ---- accept ---- */

static void accept_found(struct dns_engine *d)
{
    struct err e = ERR_INIT;

    if (d->found.n != 1 || d->found.more) {
        err_set(&e, ERR_NO,
                "%s has %s; only one record can be accepted. Make it one at your DNS host", d->host,
                d->answer_text);
        end_badly(d, DNS_HELD, &e);
        return;
    }
    d->memory.wrote = d->found.list[0];
    d->memory.before = (struct dns_record){0};
    d->unsure = false;
    keep(d);
    d->next_try = 0;
    d->reached = DNS_NONE;
    dns_end_well(d);
}

/* ---- reading ---- */

static void was_read(const struct dns_records *r, const struct err *failed, void *arg)
{
    struct dns_engine *d = arg;
    struct err e = ERR_INIT;

    if (failed) {
        e = *failed;
        err_wrap(&e, "%s", d->host);
        end_badly(d, DNS_FAILED, &e);
        return;
    }
    d->was_read = true;
    d->read_at = wall_ms(d);
    d->found = *r;
    dns_records_text(r, d->answer_text);
    if (d->phase == DNS_CONFIRMING)
        read_back(d);
    else if (d->now->kind == OP_WANT)
        judge(d);
    else if (d->now->kind == OP_ACCEPT)
        accept_found(d);
    else
        dns_look_ended(d);
}

static void read_now(struct dns_engine *d, enum dns_phase phase)
{
    d->phase = phase;
    d->backend->ops->read(d->backend, was_read, d);
}

/* ---- the queue ---- */

static void begin(struct dns_engine *d)
{
    struct err e = ERR_INIT;
    int place = DNS_NONE;

    d->tries = 0;
    if (d->now->given_way) {
        err_set(&e, ERR_NO, "DNS of route %s: %s was wanted no more, for another was wanted since",
                d->route, d->now->environment);
        dns_end(d, &e);
        return;
    }
    if (d->now->kind == OP_WANT) {
        place = dns_place_of(d, d->now->environment);
        if (place == DNS_NONE) {
            err_set(&e, ERR_USAGE, "DNS of route %s has no answer for the environment \"%.80s\"",
                    d->route, d->now->environment);
            dns_end(d, &e);
            return;
        }
        d->wanted = place;
    }
    d->before_look = d->phase;
    read_now(d, DNS_READING);
}

static void pump(void *arg)
{
    struct dns_engine *d = arg;

    if (d->now) {
        read_now(d, DNS_CONFIRMING);
        return;
    }
    d->now = d->waiting;
    if (!d->now)
        return;
    d->waiting = d->now->next;
    begin(d);
}

static struct dns_op *ask(struct dns_engine *d, enum op_kind kind, dns_done_fn *done, void *arg)
{
    struct dns_op *op = mem_alloc(sizeof *op), **at = &d->waiting;

    op->kind = kind;
    op->done = done;
    op->arg = arg;
    for (; *at; at = &(*at)->next)
        if (kind == OP_WANT && (*at)->kind == OP_WANT)
            (*at)->given_way = true;
    *at = op;
    begin_next(d);
    return op;
}

void dns_engine_want(struct dns_engine *d, const char *environment, dns_done_fn *done, void *arg)
{
    ask(d, OP_WANT, done, arg)->environment = mem_strdup(environment);
}

void dns_engine_accept(struct dns_engine *d, dns_done_fn *done, void *arg)
{
    ask(d, OP_ACCEPT, done, arg);
}

void dns_engine_look(struct dns_engine *d, dns_done_fn *done, void *arg)
{
    ask(d, OP_LOOK, done, arg);
}

/* ---- life ---- */

static bool in_zone(const char *host, const char *zone)
{
    size_t len = strlen(host), n = strlen(zone);

    return len >= n && strcasecmp(host + len - n, zone) == 0 &&
           (len == n || host[len - n - 1] == '.');
}

static int check_names(const struct dns_options *o, struct err *e)
{
    bool by_id = o->kind == DNS_CLOUDFLARE && strchr(o->zone, '.') == NULL;

    if (!*o->host || !*o->zone)
        return err_set(e, ERR_USAGE, "DNS of route %s needs a host and a zone", o->route);
    if (!by_id && !in_zone(o->host, o->zone))
        return err_set(e, ERR_USAGE, "DNS of route %s: %s is not in the zone %s", o->route, o->host,
                       o->zone);
    if (o->n_answers == 0 || o->n_answers > DNS_ENVIRONMENTS_MAX)
        return err_set(e, ERR_USAGE, "DNS of route %s needs 1 to %d answers", o->route,
                       DNS_ENVIRONMENTS_MAX);
    return 0;
}

static int read_answer(const struct dns_options *o, const struct dns_answer *a,
                       struct dns_record *ret, struct err *e)
{
    struct dns_record r = {.ttl_s = o->ttl_s,
                           .proxied = o->proxied == DNS_PROXIED_YES && o->kind == DNS_CLOUDFLARE};

    if (dns_value_read(a->value, &r, e) < 0)
        return err_wrap(e, "DNS of route %s, answer of %s", o->route, a->environment);
    if (r.type == DNS_CNAME && strcasecmp(r.value, o->host) == 0)
        return err_set(e, ERR_USAGE, "DNS of route %s: the answer of %s is the name itself, %s",
                       o->route, a->environment, o->host);
    if (r.type == DNS_CNAME && o->kind == DNS_RFC2136 && strcasecmp(o->host, o->zone) == 0)
        return err_set(e, ERR_USAGE,
                       "DNS of route %s: %s is the zone itself, which can have no alias; give the "
                       "IP address of %s as its answer",
                       o->route, o->host, a->environment);
    *ret = r;
    return 0;
}

static int read_answers(struct dns_engine *d, const struct dns_options *o, struct err *e)
{
    for (size_t i = 0; i < o->n_answers; i++) {
        if (read_answer(o, &o->answers[i], &d->answers[i], e) < 0)
            return -1;
        d->places[i].environment = mem_strdup(o->answers[i].environment);
        d->places[i].tail.rate = -1;
        d->n_places++;
    }
    return 0;
}

static void free_contents(struct dns_engine *d)
{
    for (size_t i = 0; i < d->n_places; i++)
        free(d->places[i].environment);
    free(d->route);
    free(d->host);
    free(d);
}

static struct dns_engine *make(const struct dns_options *o)
{
    struct dns_engine *d = mem_alloc(sizeof *d);
    int changes = o->changes_per_hour > 0 ? o->changes_per_hour : DNS_CHANGES_PER_HOUR;

    d->route = mem_strdup(o->route);
    d->host = mem_strdup(o->host);
    d->brake = (struct dns_brake){
        .host = d->host,
        .answers = d->answers,
        .changes_per_hour = changes < BRAKE_CHANGES_MAX ? changes : BRAKE_CHANGES_MAX,
    };
    d->keep_proxied = o->kind == DNS_CLOUDFLARE && o->proxied == DNS_PROXIED_KEEP;
    d->settle_ms = o->settle_ms;
    d->look_ms = o->look_ms ? o->look_ms : DNS_LOOK_MS;
    d->save = o->save;
    d->say = o->say;
    d->arg = o->arg;
    d->wanted = d->candidate = d->reached = DNS_NONE;
    return d;
}

static void follow_due(void *arg)
{
    dns_follow_on(arg);
}

struct dns_engine *dns_engine_new(struct loop *loop, struct http_client *client,
                                  const struct dns_options *o, struct err *e)
{
    struct dns_engine *d;

    if (check_names(o, e) < 0)
        return NULL;
    d = make(o);
    if (read_answers(d, o, e) < 0 || dns_memory_read(o->state ? o->state : "", &d->memory, e) < 0) {
        free_contents(d);
        return NULL;
    }
    d->brake.n_answers = d->n_places;
    d->loop = loop;
    d->backend = o->kind == DNS_CLOUDFLARE ? dns_backend_cloudflare(client, o)
                                           : dns_backend_rfc2136(loop, o, e);
    if (!d->backend) {
        err_wrap(e, "DNS of route %s", o->route);
        free_contents(d);
        return NULL;
    }
    d->pump = timer_new(loop, pump, d);
    d->follow = timer_new(loop, follow_due, d);
    d->look = timer_new(loop, dns_look_due, d);
    timer_start(d->look, d->look_ms);
    return d;
}

char *dns_engine_state(const struct dns_engine *d)
{
    return dns_memory_write(&d->memory);
}

bool dns_engine_is_busy(const struct dns_engine *d)
{
    return dns_is_busy(d);
}

void dns_engine_free(struct dns_engine *d)
{
    if (!d)
        return;
    d->backend->ops->free(d->backend);
    timer_free(d->pump);
    timer_free(d->follow);
    timer_free(d->look);
    if (d->now) {
        d->now->next = d->waiting;
        d->waiting = d->now;
    }
    for (struct dns_op *op = d->waiting, *next; op; op = next) {
        next = op->next;
        free(op->environment);
        free(op);
    }
    free_contents(d);
}
