#pragma once

#include "net/dns_update.h"

#include <stdint.h>

/*
 * The messages of net/dns_update.h as bytes, made and read by ldns. No I/O; the clock is the
 * system's, for that is what TSIG signs. May be used on any thread. Inside of net/ only.
 */

struct dns_signer {                    /* all borrowed */
    const char *key_name, *key_secret; /* "" = not signed */
    const char *algorithm;             /* "hmac-sha256" */
};

struct dns_message {
    uint8_t *bytes; /* owned */
    size_t len;
    uint16_t id;
    void *mac; /* owned; what the answer's signature must follow from */
};
void dns_message_release(struct dns_message *m);

/* Words of the algorithms that can be used, NULL-terminated. */
extern const char *const dns_algorithms[];

struct dns_change { /* all borrowed */
    const char *zone, *name;
    const struct dns_record *seen, *wanted;
};

int dns_make_query(const struct dns_signer *s, const char *name, enum dns_type type,
                   struct dns_message *ret, struct err *e);
int dns_make_update(const struct dns_signer *s, const struct dns_change *c, struct dns_message *ret,
                    struct err *e);

struct dns_reply { /* as it came */
    const uint8_t *bytes;
    size_t len;
};

/* Adds the records of `name` that an answer holds; the same one twice counts once. -1: it refuses,
 * is not signed as it must be, or is no answer of an authoritative server. */
int dns_read_answer(const struct dns_signer *s, const struct dns_message *query,
                    const struct dns_reply *reply, const char *name, struct dns_records *ret,
                    struct err *e);
int dns_read_updated(const struct dns_signer *s, const struct dns_message *update,
                     const struct dns_reply *reply, struct err *e);
