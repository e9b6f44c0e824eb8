#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "net/http_body.h"
#include "net/http_client.h"

#include <curl/curl.h>
#include <stdint.h>

/*
 * One request on its way and the reply as it arrives: all that libcurl's easy interface is told and
 * asked. It belongs to the client's list, which alone drives it. Only inside net/.
 */
struct http_sockets;
struct transfer_tools {
    const struct http_client_options *options;
    struct http_sockets *sockets;
    /* Gives a TLS context its authorities; its last argument is the transfer. */
    CURLcode (*trust)(CURL *easy, void *context, void *transfer);
    void *arg; /* for trust, which finds it in the transfer */
};

struct http_transfer {
    struct transfer_tools tools;
    struct http_transfer *next, **link; /* the client's list; *link is what points here */
    uint64_t id;
    const struct http_request *request; /* borrowed from the caller */
    http_done_fn *fn;
    void *arg;

    CURL *easy;
    struct curl_slist *headers;
    struct http_body upload;
    struct buf body, head; /* as received; head holds the header lines of the last answer */
    char host[256];        /* for errors: the only part of a url that is never secret */
    char why[CURL_ERROR_SIZE];
    int64_t queued_us;
    unsigned timeout_ms, stall_ms;

    int own_errno;      /* no socket could be made: why */
    struct err err;     /* set as soon as the request is known to fail */
    bool never_started; /* it failed before libcurl had it */
    bool sent;          /* known without libcurl: an injected fault, or it wanted to send again */
    long sendings;      /* how often it was about to send, redirects included */

    /* Stall detection: when the sum of all bytes last changed. */
    int64_t bytes, changed_us;
};

/* Life cycle: transfer_new, then any number of transfer_begin .. transfer_clear, transfer_free at
 * any time. Beginning anew is cheaper than a new one. */
struct http_transfer *transfer_new(void);
/* Never fails: what is wrong with the request is kept in t->err. */
void transfer_begin(struct http_transfer *t, const struct transfer_tools *tools, const char *base,
                    const struct http_request *request);
void transfer_clear(struct http_transfer *t);
void transfer_free(struct http_transfer *t);

/* True when no byte went either way for longer than the transfer's stall limit. */
bool transfer_stalled(struct http_transfer *t, int64_t now_us);

/* The phases reached so far. */
void transfer_timing(const struct http_transfer *t, struct http_timing *ret);

/* Fills *ret from what arrived and how it ended. The result borrows from *t and *a. */
void transfer_reply(struct http_transfer *t, CURLcode code, struct arena *a,
                    struct http_reply *ret);
