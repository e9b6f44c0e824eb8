#pragma once

#include "base/err.h"
#include "net/dns_wire.h"
#include "net/resolve.h"

#include <stdint.h>

enum { DNS_REPLY_MAX = 65535 };

/*
 * One DNS message to a server and its answer, over TCP (RFC 7766), or over UDP when it refuses TCP.
 * Blocks for at most timeout_ms in all: for a pool thread. Inside of net/ only.
 *
 * reply holds DNS_REPLY_MAX bytes. -1 and ERR_NET, retry, when nothing came.
 */
int dns_exchange(const struct address *to, unsigned timeout_ms, const struct dns_message *m,
                 uint8_t *reply, size_t *ret_len, struct err *e);
