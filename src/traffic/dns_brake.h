#pragma once

#include "traffic/dns.h"

/*
 * May the name be changed? Pure: what is there and what is remembered in, a verdict out. Inside of
 * traffic/dns*.c only.
 */
enum { BRAKE_CHANGES_MAX = 60, BRAKE_HOUR_MS = 3600 * 1000 };

struct dns_memory {           /* zeroed: nothing was written yet */
    struct dns_record wrote;  /* what we wrote last, found as wanted, or accepted; "" = nothing */
    struct dns_record before; /* what it replaced, until the change was read back; "" = nothing */
    int64_t changes[BRAKE_CHANGES_MAX]; /* of the last hour, oldest first */
    size_t n_changes;
    int64_t changed_at;
};

struct dns_brake { /* borrowed */
    const char *host;
    const struct dns_record *answers;
    size_t n_answers;
    int changes_per_hour; /* 1 .. BRAKE_CHANGES_MAX */
};

enum brake_verdict { BRAKE_THERE, BRAKE_GO, BRAKE_FOREIGN, BRAKE_SPENT };

/* BRAKE_THERE: it answers as wanted already. FOREIGN and SPENT: *e says why and what to do. */
enum brake_verdict brake_judge(const struct dns_brake *b, const struct dns_memory *m,
                               const struct dns_records *found, const struct dns_record *wanted,
                               int64_t now_ms, struct err *e);

/* Is there something else than was last seen, though nobody here changed it? Then *e says what. */
bool brake_drifted(const struct dns_brake *b, const struct dns_memory *m,
                   const struct dns_records *found, struct err *e);

/* Counts a change that is about to be made, and takes back one that was refused. */
void brake_count(struct dns_memory *m, const struct dns_record *found,
                 const struct dns_record *wanted, int64_t now_ms);
void brake_uncount(struct dns_memory *m);
int brake_left(const struct dns_brake *b, const struct dns_memory *m, int64_t now_ms);
/* When there is one again; 0 = now. */
int64_t brake_next_ms(const struct dns_brake *b, const struct dns_memory *m, int64_t now_ms);

/* "CNAME uat.example.net"; "3 records: A 192.0.2.1, A 192.0.2.2, ..." */
enum { DNS_FOUND_TEXT = 320 };
void dns_records_text(const struct dns_records *r, char ret[DNS_FOUND_TEXT]);

/* JSON; dns_memory_read of "" is nothing remembered. ERR_STORE. */
char *dns_memory_write(const struct dns_memory *m); /* the caller's (free) */
int dns_memory_read(const char *json, struct dns_memory *ret, struct err *e);
