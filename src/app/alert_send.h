#pragma once

#include "manifest/manifest.h"
#include "net/mail.h"
#include "report/alert_text.h"

/*
 * One message to one place: what is sent, and what the answer means. One attempt a call; when to
 * try again is alerter.c's affair.
 *
 * Life cycle: alert_sender_new .. alert_sender_free. One thread, the loop's.
 */
struct app;
struct alert_sender;

/* Where an alert of the manifest goes, with its $NAMEs resolved: secret. Borrows nothing. */
struct alert_place {
    struct arena arena;
    const char *name;
    enum alert_kind kind;
    const char *url;            /* slack, discord, webhook */
    struct mail_address server; /* mail */
    const char *from, **to;
    size_t n_to;
    uint8_t key[64]; /* webhook: signs; length 0 = nothing is signed */
    size_t key_len;
};

/* ERR_MANIFEST: a name has no value, or the address cannot be used. Makes every secret of it known
 * to the redactor. */
int alert_place_open(struct app *a, const struct manifest_alert *m, struct alert_place *ret,
                     struct err *e);
void alert_place_release(struct alert_place *p);

struct alert_result {
    enum {
        ALERT_ARRIVED,
        ALERT_AGAIN,    /* not now: the network, a busy or broken server */
        ALERT_MENDABLE, /* not until somebody mends an address, a password, a channel */
        ALERT_REFUSED,  /* this message, never */
    } how;
    int64_t after_ms;   /* the other side asked for that much time; 0 = it did not */
    const char *answer; /* one line, redacted */
};
typedef void alert_result_fn(const struct alert_result *r, void *arg); /* valid during the call */

struct alert_sender *alert_sender_new(struct app *a);
/* Place and content are borrowed during the call only. The callback comes once, never from inside,
 * within half a minute. */
void alert_send(struct alert_sender *s, const struct alert_place *p, const struct alert_content *c,
                alert_result_fn *fn, void *arg);
void alert_sender_free(struct alert_sender *s); /* drops what is under way; NULL is fine */
