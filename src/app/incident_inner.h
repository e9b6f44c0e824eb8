#pragma once

#include "app/app.h"
#include "app/incident_book.h"
#include "base/arena.h"
#include "net/loop.h"
#include "traffic/cause.h"

/* The book's parts, shared by its files: incident_book.c (life, what comes in), incident_signs.c
 * (which incident), incident_write.c (the store), incident_tell.c (alerts), incident_load.c (what
 * was before), incident_drills.c. Nobody else includes it. */

struct kept_sign {
    struct cause_sign view; /* first; texts in the incident's arena */
    int64_t outage;         /* the last one of that check; 0 = none */
    bool certificate;       /* it answers, but its certificate ends soon */
    char reason[200];
};

/* A line of the timeline on its way into the store, and the outage that joins with it. */
struct kept_event {
    struct kept_event *next;
    int64_t at_ms, outage; /* outage 0 = none */
    const char *kind;      /* literal; "" = no line, only the outage */
    char key[64];
    char *text, *evidence;
};

/* What is to be told once the incident is in the store. */
struct kept_matter {
    struct kept_matter *next;
    enum alert_event event;
    char key[64]; /* after "incident 12 " */
    char environment[80], title[320], text[640];
    int64_t at_ms;
};

struct kept_incident {
    struct incident_book *book;
    int64_t id; /* 0 = not in the store yet */
    struct arena arena;
    struct cause_case c; /* texts and signs are its own */
    struct kept_sign **signs;
    size_t n_signs, size_signs;
    char title[256];
    int64_t noticed_ms, acknowledged_ms;
    int times_reopened;
    size_t n_events;
    struct kept_event *events, **last_event;
    struct kept_matter *matters, **last_matter;
    bool changed, writing; /* the store does not have it as it is; a write is under way */
    bool reopen, resolve;  /* still to be written */
    bool gathered;         /* the first alert's time has come */
    bool told, told_over;  /* given, since it was opened or reopened */
    struct timer *gather;
    char platform[64]; /* that its status page is read for; "" = none */
};

struct running_drill {
    char environment[80];
    int64_t from_ms, until_ms; /* until 0 = it runs */
};

struct platform_of { /* copied from the matrix: it is replaced on a reload */
    const char *environment, *app, *instance, *platform;
};

struct drill_look;
struct incident_write;
struct store_worker;
struct incident_book {
    struct incident_book_options o;
    char *link;
    struct arena names;
    struct platform_of *platforms;
    size_t n_platforms;
    struct kept_incident **incidents; /* open, or over for less than CAUSE_RETURN_MS */
    size_t n, size;
    struct store_worker *ledger;
    struct timer *again, *tick;
    struct incident_write *under_way; /* NULL: nothing is being written */
    struct drill_look *looking;
    bool started, stopping;
    struct err failure; /* the last that was said */
    struct running_drill drills[16];
    size_t n_drills;
    int64_t drills_since_ms; /* those that ended before are no news */
};

/* incident_signs.c */
struct kept_incident *incident_new(struct incident_book *b, enum cause_kind kind);
void incident_drop(struct kept_incident *i);
/* Into the incident that it belongs to, which is made, widened or reopened. `key` is of its line,
 * and so is `evidence`, which is taken; NULL: made from the sign. */
struct kept_incident *incident_place(struct incident_book *b, const struct kept_sign *sign,
                                     const char *key, char *evidence);
struct kept_sign *incident_add_sign(struct kept_incident *i, const struct kept_sign *sign);
void incident_name(struct kept_incident *i); /* its title anew */
void incident_end_sign(struct kept_incident *i, struct kept_sign *s, int64_t until_ms,
                       const char *text, const char *key);
const char *incident_platform(const struct incident_book *b, const char *environment,
                              const char *app, const char *instance);

/* incident_write.c */
void incident_write_forget(struct incident_write *w); /* the book goes before its end came */
struct kept_event *incident_line(struct kept_incident *i, const char *kind, int64_t at_ms,
                                 const char *key, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void incident_write_again(void *arg);              /* timer_fn */
void incident_write_rest(struct incident_book *b); /* one more try, also after a refusal */
void incident_changed(struct kept_incident *i);    /* it is written soon */
struct incident incident_row(const struct kept_incident *i);

/* incident_tell.c */
void incident_gather(struct kept_incident *i); /* the first alert comes soon */
/* Copied; `key` is what comes after "incident 12 ", number and link are added. */
void incident_matter(struct kept_incident *i, const struct alert_matter *matter);
void incident_tell(struct kept_incident *i); /* what is due, when it is in the store */
void incident_watch_platform(struct kept_incident *i);

/* incident_book.c */
void incident_change_key(const struct traffic_change *c, char ret[64]);
bool incident_change_returns(const struct traffic_change *c);
void incident_new_change(struct incident_book *b, const struct traffic_change *c);
void incident_take_change(struct kept_incident *i, const struct traffic_change *c);

/* incident_load.c */
struct kept_sign incident_sign_of(const struct incident_book *b, const struct watch_outage *v);
int incidents_load(struct incident_book *b, struct err *e);

/* incident_drills.c */
void drills_forget(struct drill_look *l);
void drills_look(struct incident_book *b);
bool drill_was_on(const struct incident_book *b, const char *environment, int64_t at_ms);
