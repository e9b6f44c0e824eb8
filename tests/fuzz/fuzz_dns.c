#include "net/dns_wire.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as a name server's answer to a question and to an update, signed and not. No crash, no
 * leak; records that are taken keep their bounds, and nothing unsigned is taken where a signature
 * was asked for.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void read_as(const struct dns_signer *s, const struct dns_message *asked,
                    const struct dns_reply *reply)
{
    struct dns_records found = {.n = 0};
    struct err e = ERR_INIT;
    int rc = dns_read_answer(s, asked, reply, "api.shop.example", &found, &e);

    check((rc == 0) == (e.kind == ERR_NONE) && found.n <= DNS_RECORDS_MAX);
    check(!strpbrk(e.text, "\r\n"));
    check(rc < 0 || !*s->key_name);
    for (size_t i = 0; i < found.n; i++)
        check(memchr(found.list[i].value, '\0', DNS_VALUE_MAX) && found.list[i].ttl_s >= 0);
    e = ERR_INIT;
    rc = dns_read_updated(s, asked, reply, &e);
    check((rc == 0) == (e.kind == ERR_NONE) && (rc < 0 || !*s->key_name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dns_signer plain = {"", "", "hmac-sha256"},
                            signer = {"mover", "c2VjcmV0IG9mIG1pbmU=", "hmac-sha256"};
    const struct dns_reply reply = {data, size};
    struct dns_message asked = {0};
    struct err e = ERR_INIT;

    check(dns_make_query(&signer, "api.shop.example", DNS_A, &asked, &e) == 0);
    if (size >= 2)
        asked.id = (uint16_t)(data[0] << 8 | data[1]);
    read_as(&plain, &asked, &reply);
    read_as(&signer, &asked, &reply);
    dns_message_release(&asked);
    return 0;
}
