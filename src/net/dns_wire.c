#include "net/dns_wire.h"

#include "base/clock.h"
#include "base/text.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 8945 section 5.2.3: how far two clocks may be apart; and its error words. */
enum { FUDGE_S = 300, TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22 };
enum { TSIG_TIME = 1, TSIG_FUDGE = 2, TSIG_MAC = 3, TSIG_ERROR = 5, TSIG_OTHER = 6 };

/* What RFC 2136 section 2 makes of the sections of a message. */
static const ldns_pkt_section PREREQUISITE = LDNS_SECTION_ANSWER, UPDATE = LDNS_SECTION_AUTHORITY;

const char *const dns_algorithms[] = {"hmac-sha256", "hmac-sha512", "hmac-sha1", NULL};

void dns_message_release(struct dns_message *m)
{
    LDNS_FREE(m->bytes);
    ldns_rdf_deep_free(m->mac);
    *m = (struct dns_message){0};
}

static ldns_rr_type wire_type(enum dns_type t)
{
    static const ldns_rr_type types[] = {
        [DNS_A] = LDNS_RR_TYPE_A, [DNS_AAAA] = LDNS_RR_TYPE_AAAA, [DNS_CNAME] = LDNS_RR_TYPE_CNAME};
    return types[t];
}

static ldns_rdf_type data_type(enum dns_type t)
{
    static const ldns_rdf_type types[] = {[DNS_A] = LDNS_RDF_TYPE_A,
                                          [DNS_AAAA] = LDNS_RDF_TYPE_AAAA,
                                          [DNS_CNAME] = LDNS_RDF_TYPE_DNAME};
    return types[t];
}

/* ---- making ---- */

/* Owner, type, class and TTL; without data. NULL when `name` is no name. */
static ldns_rr *bare(const char *name, ldns_rr_type type, ldns_rr_class class)
{
    ldns_rdf *owner = ldns_dname_new_frm_str(name);
    ldns_rr *rr;

    if (!owner)
        return NULL;
    rr = ldns_rr_new();
    if (!rr)
        abort(); /* out of memory */
    ldns_rr_set_owner(rr, owner);
    ldns_rr_set_type(rr, type);
    ldns_rr_set_class(rr, class);
    ldns_rr_set_ttl(rr, 0);
    return rr;
}

static ldns_rr *with_data(const char *name, const struct dns_record *r, ldns_rr_class class)
{
    ldns_rr *rr = bare(name, wire_type(r->type), class);
    ldns_rdf *data = rr ? ldns_rdf_new_frm_str(data_type(r->type), r->value) : NULL;

    if (!data) {
        ldns_rr_free(rr);
        return NULL;
    }
    if (!ldns_rr_push_rdf(rr, data))
        abort(); /* out of memory */
    return rr;
}

static bool add(ldns_pkt *pkt, ldns_pkt_section section, ldns_rr *rr)
{
    if (!rr)
        return false;
    if (section == LDNS_SECTION_QUESTION)
        ldns_rr_set_question(rr, true);
    if (!ldns_pkt_push_rr(pkt, section, rr))
        abort(); /* out of memory */
    return true;
}

static ldns_pkt *begin(ldns_pkt_opcode opcode)
{
    ldns_pkt *pkt = ldns_pkt_new();

    if (!pkt)
        abort(); /* out of memory */
    ldns_pkt_set_random_id(pkt);
    ldns_pkt_set_opcode(pkt, opcode);
    return pkt;
}

static int finish(ldns_pkt *pkt, const struct dns_signer *s, struct dns_message *ret, struct err *e)
{
    struct dns_message m = {.id = ldns_pkt_id(pkt)};
    char algorithm[40];
    ldns_status status = LDNS_STATUS_OK;

    if (*s->key_name) {
        (void)snprintf(algorithm, sizeof algorithm, "%s.", s->algorithm);
        status = ldns_pkt_tsig_sign(pkt, s->key_name, s->key_secret, FUDGE_S, algorithm, NULL);
        if (status == LDNS_STATUS_OK)
            m.mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(pkt), TSIG_MAC));
    }
    if (status == LDNS_STATUS_OK)
        status = ldns_pkt2wire(&m.bytes, pkt, &m.len);
    ldns_pkt_free(pkt);
    if (status != LDNS_STATUS_OK) {
        dns_message_release(&m);
        return err_set(e, ERR_USAGE, "the message cannot be made: %s; check the key and the names",
                       ldns_get_errorstr_by_id(status));
    }
    *ret = m;
    return 0;
}

int dns_make_query(const struct dns_signer *s, const char *name, enum dns_type type,
                   struct dns_message *ret, struct err *e)
{
    ldns_pkt *pkt = begin(LDNS_PACKET_QUERY);

    if (!add(pkt, LDNS_SECTION_QUESTION, bare(name, wire_type(type), LDNS_RR_CLASS_IN))) {
        ldns_pkt_free(pkt);
        return err_set(e, ERR_USAGE, "\"%.200s\" is not a DNS name", name);
    }
    return finish(pkt, s, ret, e);
}

/* What the name must not have. An alias stands alone (RFC 1034 section 3.6.2); when one is added
 * beside other records a server ignores it and says nothing, after it has dropped the address. Only
 * a list of types can be asked about: these are the ones found at host names. */
static bool forbid_others(ldns_pkt *pkt, const char *name, enum dns_type seen, enum dns_type wanted)
{
    static const ldns_rr_type beside_alias[] = {
        LDNS_RR_TYPE_MX,    LDNS_RR_TYPE_TXT,  LDNS_RR_TYPE_CAA,  LDNS_RR_TYPE_HTTPS,
        LDNS_RR_TYPE_SVCB,  LDNS_RR_TYPE_SRV,  LDNS_RR_TYPE_NS,   LDNS_RR_TYPE_SSHFP,
        LDNS_RR_TYPE_NAPTR, LDNS_RR_TYPE_TLSA, LDNS_RR_TYPE_HINFO};
    bool good = true;

    if (seen == DNS_CNAME)
        return true;
    good = add(pkt, PREREQUISITE,
               bare(name, wire_type(seen == DNS_A ? DNS_AAAA : DNS_A), LDNS_RR_CLASS_NONE));
    for (size_t i = 0; wanted == DNS_CNAME && i < sizeof beside_alias / sizeof *beside_alias; i++)
        good = good && add(pkt, PREREQUISITE, bare(name, beside_alias[i], LDNS_RR_CLASS_NONE));
    return good;
}

int dns_make_update(const struct dns_signer *s, const struct dns_change *c, struct dns_message *ret,
                    struct err *e)
{
    ldns_pkt *pkt = begin(LDNS_PACKET_UPDATE);
    ldns_rr *added = with_data(c->name, c->wanted, LDNS_RR_CLASS_IN);

    if (added)
        ldns_rr_set_ttl(added, (uint32_t)c->wanted->ttl_s);
    /* Sections 2.4.2 (the whole RRset is this), 2.4.3 (no such RRset), 2.5.4, 2.5.1. */
    bool good =
        add(pkt, LDNS_SECTION_QUESTION, bare(c->zone, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN)) &&
        add(pkt, PREREQUISITE, with_data(c->name, c->seen, LDNS_RR_CLASS_IN)) &&
        forbid_others(pkt, c->name, c->seen->type, c->wanted->type) &&
        add(pkt, UPDATE, with_data(c->name, c->seen, LDNS_RR_CLASS_NONE));
    if (!good || !added) {
        ldns_rr_free(added);
        ldns_pkt_free(pkt);
        return err_set(e, ERR_USAGE, "%.200s: \"%.200s\" cannot be written into the zone %.200s",
                       c->name, c->wanted->value, c->zone);
    }
    (void)add(pkt, UPDATE, added);
    return finish(pkt, s, ret, e);
}

/* ---- reading ---- */

static unsigned number16(const ldns_rdf *rdf)
{
    return rdf && ldns_rdf_size(rdf) == 2 ? ldns_read_uint16(ldns_rdf_data(rdf)) : 0;
}

static int64_t number48(const uint8_t *at)
{
    int64_t v = 0;

    for (int i = 0; i < 6; i++)
        v = v << 8 | at[i];
    return v;
}

/* The peer's clock, told by its answer to a bad time (RFC 8945 5.2.3). */
static int bad_time(const ldns_rr *tsig, struct err *e)
{
    const ldns_rdf *other = ldns_rr_rdf(tsig, TSIG_OTHER);
    int64_t ahead;

    /* A 16-bit length, then six bytes. */
    if (!other || ldns_rdf_size(other) != 8)
        return err_set(e, ERR_REMOTE,
                       "the server says that our clock is wrong (TSIG BADTIME); compare both "
                       "machines' clocks and set the wrong one");
    ahead = (int64_t)time(NULL) - number48(ldns_rdf_data(other) + 2);
    return err_set(e, ERR_REMOTE,
                   "this machine's clock is %lld s %s the server's, more than the %d s that it "
                   "allows (TSIG BADTIME); set the wrong one, best by NTP",
                   (long long)llabs(ahead), ahead < 0 ? "behind" : "ahead of", FUDGE_S);
}

static int refused_signature(const struct dns_signer *s, const ldns_rr *tsig, unsigned code,
                             struct err *e)
{
    switch (code) {
    case TSIG_BADKEY:
        return err_set(e, ERR_REMOTE,
                       "the server does not know the key \"%.120s\" with %s (TSIG BADKEY); check "
                       "key_name and algorithm against the key in its configuration",
                       s->key_name, s->algorithm);
    case TSIG_BADSIG:
        return err_set(e, ERR_REMOTE,
                       "the signature by the key \"%.120s\" is wrong (TSIG BADSIG): key_secret is "
                       "not the secret that the server has; copy it anew",
                       s->key_name);
    case TSIG_BADTIME:
        return bad_time(tsig, e);
    case TSIG_BADTRUNC:
        return err_set(e, ERR_REMOTE,
                       "the server wants longer signatures of the key \"%.120s\" (TSIG BADTRUNC); "
                       "choose another algorithm",
                       s->key_name);
    default:
        return err_set(e, ERR_REMOTE, "the server refused the signature (TSIG error %u)", code);
    }
}

/* What RFC 1035 and RFC 2136 2.2 call it, and what to do. */
static int refused(const struct dns_signer *s, ldns_pkt_rcode code, struct err *e)
{
    switch (code) {
    case LDNS_RCODE_REFUSED:
        err_set(e, ERR_REMOTE,
                "the server refuses it (REFUSED): it must allow %s%.120s%s to query and to update "
                "this name (Knot: acl; BIND: update-policy)",
                *s->key_name ? "the key \"" : "this address", s->key_name,
                *s->key_name ? "\"" : "");
        break;
    case LDNS_RCODE_NOTAUTH:
        err_set(e, ERR_REMOTE,
                "the server is not the primary of the zone, or wants a signed message (NOTAUTH); "
                "check server, zone and key_name");
        break;
    case LDNS_RCODE_NOTZONE:
        err_set(e, ERR_REMOTE, "the name is not in the zone (NOTZONE); check host and zone");
        break;
    case LDNS_RCODE_NXRRSET:
    case LDNS_RCODE_NXDOMAIN:
    case LDNS_RCODE_YXDOMAIN:
        err_set(e, ERR_NO, "the record was changed since it was read; nothing was written");
        e->retry = true;
        break;
    case LDNS_RCODE_YXRRSET:
        err_set(e, ERR_NO,
                "the name has other records too (such as TXT, MX, CAA or the other address "
                "family), beside which it cannot be moved; nothing was written. Remove them, or "
                "give answers of the type that is there");
        break;
    case LDNS_RCODE_SERVFAIL:
        err_set(e, ERR_REMOTE, "the server failed (SERVFAIL); its log says why");
        e->retry = true;
        break;
    case LDNS_RCODE_NOTIMPL:
        err_set(e, ERR_REMOTE, "the server takes no updates (NOTIMP); name the zone's primary");
        break;
    default:
        err_set(e, ERR_REMOTE, "the server refused the message (DNS code %d)", (int)code);
        break;
    }
    e->code = (int)code;
    return -1;
}

/* ldns takes the signature out of the packet while it verifies, and forgets to put it back when it
 * does not know the algorithm. */
static bool verifies(const struct dns_signer *s, const struct dns_message *asked, ldns_pkt *pkt,
                     const struct dns_reply *reply)
{
    ldns_rr *tsig = ldns_pkt_tsig(pkt);
    bool good =
        ldns_pkt_tsig_verify(pkt, reply->bytes, reply->len, s->key_name, s->key_secret, asked->mac);

    ldns_pkt_set_tsig(pkt, tsig);
    return good;
}

static int check_signature(const struct dns_signer *s, const struct dns_message *asked,
                           ldns_pkt *pkt, const struct dns_reply *reply, struct err *e)
{
    const ldns_rr *tsig = ldns_pkt_tsig(pkt);
    const ldns_rdf *at = tsig ? ldns_rr_rdf(tsig, TSIG_TIME) : NULL;
    int64_t apart;

    if (!*s->key_name)
        return 0;
    if (!at || ldns_rdf_size(at) != 6 || !verifies(s, asked, pkt, reply))
        return err_set(e, ERR_REMOTE,
                       "the answer is not signed by the key \"%.120s\": it may come from somebody "
                       "else, and is not believed; check `server`",
                       s->key_name);
    apart = (int64_t)time(NULL) - number48(ldns_rdf_data(at));
    if (llabs(apart) > FUDGE_S)
        return err_set(e, ERR_REMOTE,
                       "the answer was signed %lld s %s by the server's clock; set the wrong "
                       "clock, best by NTP",
                       (long long)llabs(apart), apart > 0 ? "ago" : "from now");
    return 0;
}

/* The packet, the caller's; NULL when it is no answer to that message, or a refusal. */
static ldns_pkt *read_reply(const struct dns_signer *s, const struct dns_message *asked,
                            const struct dns_reply *reply, bool *ret_believed, struct err *e)
{
    ldns_pkt *pkt = NULL;

    *ret_believed = false;
    if (ldns_wire2pkt(&pkt, reply->bytes, reply->len) != LDNS_STATUS_OK || !ldns_pkt_qr(pkt) ||
        ldns_pkt_id(pkt) != asked->id) {
        err_set(e, ERR_REMOTE, "what came back is not an answer of a DNS server; check `server`");
        ldns_pkt_free(pkt);
        return NULL;
    }
    const ldns_rr *tsig = ldns_pkt_tsig(pkt);
    unsigned code =
        tsig && ldns_rr_rd_count(tsig) > TSIG_OTHER ? number16(ldns_rr_rdf(tsig, TSIG_ERROR)) : 0;
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(pkt);
    int rc = 0;
    *ret_believed = true;
    if (code)
        rc = refused_signature(s, tsig, code, e);
    else if (rcode == LDNS_RCODE_REFUSED || rcode == LDNS_RCODE_NOTAUTH ||
             rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL ||
             rcode == LDNS_RCODE_SERVFAIL)
        rc = refused(s, rcode, e); /* such answers may come without a signature */
    else
        *ret_believed = (rc = check_signature(s, asked, pkt, reply, e)) == 0;
    if (rc == 0)
        return pkt;
    ldns_pkt_free(pkt);
    return NULL;
}

static void text_of(const ldns_rdf *rdf, char *ret, size_t size)
{
    char *text = ldns_rdf2str(rdf);

    (void)text_copy(ret, size, text ? text : "");
    free(text);
}

static void add_record(const ldns_rr *rr, enum dns_type type, struct dns_records *ret)
{
    struct dns_record r = {.ttl_s = ldns_rr_ttl(rr)};
    char text[DNS_VALUE_MAX + 8];
    struct err ignored = ERR_INIT;

    text_of(ldns_rr_rdf(rr, 0), text, sizeof text);
    if (dns_value_read(text, &r, &ignored) < 0) /* a name that is no host's: shown as it is */
        (void)text_copy(r.value, sizeof r.value, text);
    r.type = type;
    for (size_t i = 0; i < ret->n; i++)
        if (dns_same_answer(&ret->list[i], &r))
            return;
    if (ret->n == DNS_RECORDS_MAX)
        ret->more++;
    else
        ret->list[ret->n++] = r;
}

static void collect(const ldns_rr_list *list, const ldns_rdf *owner, struct dns_records *ret)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);

        if (ldns_rr_rd_count(rr) != 1 || ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
            continue;
        for (enum dns_type t = DNS_A; t <= DNS_CNAME; t++)
            if (ldns_rr_get_type(rr) == wire_type(t))
                add_record(rr, t, ret);
    }
}

int dns_read_answer(const struct dns_signer *s, const struct dns_message *query,
                    const struct dns_reply *reply, const char *name, struct dns_records *ret,
                    struct err *e)
{
    bool believed;
    ldns_pkt *pkt = read_reply(s, query, reply, &believed, e);
    ldns_pkt_rcode code;
    int rc = 0;

    if (!pkt)
        return -1;
    code = ldns_pkt_get_rcode(pkt);
    if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN) {
        rc = refused(s, code, e);
    } else if (ldns_pkt_tc(pkt)) {
        rc = err_set(e, ERR_REMOTE,
                     "the server's answer was cut off, for it came by UDP; let the server be "
                     "reached by TCP");
    } else if (!ldns_pkt_aa(pkt)) {
        rc = err_set(e, ERR_REMOTE,
                     "the server answers for this name, but not with authority: it is no server "
                     "of the zone; name the zone's primary");
    } else {
        ldns_rdf *owner = ldns_dname_new_frm_str(name);

        collect(ldns_pkt_answer(pkt), owner, ret);
        ldns_rdf_deep_free(owner);
    }
    ldns_pkt_free(pkt);
    return rc;
}

int dns_read_updated(const struct dns_signer *s, const struct dns_message *update,
                     const struct dns_reply *reply, struct err *e)
{
    bool believed;
    ldns_pkt *pkt = read_reply(s, update, reply, &believed, e);
    ldns_pkt_rcode code;

    if (!pkt && !believed) { /* the server may have done it all the same */
        e->kind = ERR_NET;
        e->retry = true;
    }
    if (!pkt)
        return -1;
    code = ldns_pkt_get_rcode(pkt);
    ldns_pkt_free(pkt);
    return code == LDNS_RCODE_NOERROR ? 0 : refused(s, code, e);
}
