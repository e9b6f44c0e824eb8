#include "probe/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name has an address, as this machine sees it: the A and AAAA records, asked for together. */
struct check {
    const struct check_tools *tools;
    check_fn *fn;
    void *arg;
    uint64_t lookup;
    int64_t began_us, queued_us;
};

static void dns_cancel(struct check *c)
{
    resolve_cancel(dialer_resolver(c->tools->dialer), c->lookup);
    free(c);
}

static void dns_progress(const struct check *c, struct check_answer *ret)
{
    *ret = (struct check_answer){
        .sent = true,
        .queued = c->queued_us,
        .lookup = -1,
        .connect = -1,
        .tls = -1,
        .first_byte = -1,
        .total = -1,
        .reason = "",
        .detail = "",
    };
}

static void list_addresses(const struct resolved *r, char *ret, size_t size)
{
    char one[ADDRESS_TEXT];
    size_t len = 0;

    for (size_t i = 0; i < r->n && len < size; i++) {
        address_text(&r->list[i], false, one);
        len += (size_t)snprintf(ret + len, size - len, "%s%s", i ? ", " : "", one);
    }
}

static void dns_found(const struct resolved *r, void *arg)
{
    struct check *c = arg;
    check_fn *fn = c->fn;
    void *fn_arg = c->arg;
    char addresses[RESOLVE_MAX * ADDRESS_TEXT] = "";
    struct check_answer a;

    dns_progress(c, &a);
    a.sent = r->err.kind != ERR_USAGE;
    a.answered = r->answered;
    a.ok = r->n > 0;
    a.total = clock_mono_us(loop_clock(c->tools->loop)) - c->began_us;
    if (a.ok)
        a.lookup = a.total;
    list_addresses(r, addresses, sizeof addresses);
    a.detail = addresses;
    a.reason = r->err.text;
    free(c);
    fn(&a, fn_arg);
}

static struct check *dns_start(const struct check_tools *tools, const struct target *t,
                               int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));
    struct endpoint place;

    *c = (struct check){.tools = tools, .fn = fn, .arg = arg};
    c->began_us = clock_mono_us(loop_clock(tools->loop));
    c->queued_us = intended_us > 0 && c->began_us > intended_us ? c->began_us - intended_us : 0;
    c->lookup =
        resolve_start(dialer_resolver(tools->dialer),
                      endpoint_read(t->url, 0, &place) ? place.host : t->url, 0, dns_found, c);
    return c;
}

const struct check_ops check_dns = {CHECK_DNS, dns_start, dns_cancel, dns_progress};
