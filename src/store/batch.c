#include "store/batch.h"

#include "base/mem.h"
#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE_VERSION = 1, CHECKSUM_BYTES = 4 };
enum form { EACH, RUNS };

enum column {
    SERIES,
    AT,
    FLAGS, /* outcome, class, extra */
    STATUS,
    COVERS,
    LATE,
    LOOKUP,
    CONNECT,
    TLS,
    FIRST_BYTE,
    TOTAL,
    COLUMNS
};
enum { OUTCOME_BITS = 3, CLASS_BIT = 1 << OUTCOME_BITS, EXTRA_BIT = CLASS_BIT << 1 };

int batch_check(const struct sample *v, struct err *e)
{
    const char *bad = NULL;
    if (v->series < 0 || v->series > BATCH_SERIES_MAX)
        bad = "series";
    else if (v->at_ms < -BATCH_TIME_MAX || v->at_ms > BATCH_TIME_MAX)
        bad = "time";
    else if ((int)v->outcome < 0 || v->outcome > SAMPLE_MISSED)
        bad = "outcome";
    else if (v->class_ != SAMPLE_WARM && v->class_ != SAMPLE_COLD)
        bad = "class";
    return bad ? err_set(e, ERR_BUG, "sample of series %lld: its %s cannot be kept",
                         (long long)v->series, bad)
               : 0;
}

uint32_t batch_checksum(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

/* --- What is expected, and how far from it a number is --------------------------------------- */

/* Where sample i stands: a sample is expected one step after the one before it of its series, and
 * the first of a series at the time of the first of the series before. */
struct place {
    const struct sample *before; /* NULL: the first of all */
    int64_t series_began_ms;     /* first time of the series of `before` */
};

static struct place place_after(const struct place *p, const struct sample *v)
{
    bool same = p->before && p->before->series == v->series;
    return (struct place){v, same ? p->series_began_ms : v->at_ms};
}

static int64_t expected_at(const struct place *p, int64_t series)
{
    if (!p->before)
        return 0;
    return p->before->series == series ? p->before->at_ms : p->series_began_ms;
}

/* A phase ends after the phases before it. */
static int32_t phase_before(const struct sample *v, enum column c)
{
    const int32_t phases[] = {v->lookup_us, v->connect_us, v->tls_us, v->first_byte_us};
    int32_t last = 0;
    for (int i = 0; i < (int)c - LOOKUP; i++)
        last = phases[i] > last ? phases[i] : last;
    return last;
}

/* 0: it did not happen (-1). Else what it took, and 1; an end before the phase before has ended is
 * rare, and marked by a bit that makes it long. */
#define EARLIER (INT64_C(1) << 40)

static int64_t phase_to_wire(int64_t us, int64_t base)
{
    if (us == -1)
        return 0;
    return us >= base ? us - base + 1 : EARLIER + (base - us);
}

static int64_t to_wire(enum column c, const struct sample *v, const struct place *p)
{
    switch (c) {
    case SERIES:
        return (int64_t)wire_zigzag(v->series - (p->before ? p->before->series : 0));
    case AT:
        return (int64_t)wire_zigzag(v->at_ms - expected_at(p, v->series));
    case FLAGS:
        return v->outcome | (v->class_ == SAMPLE_COLD ? CLASS_BIT : 0) | (v->extra ? EXTRA_BIT : 0);
    case STATUS:
        return (int64_t)wire_zigzag(v->status);
    case COVERS:
        return (int64_t)wire_zigzag(v->covers_ms);
    case LATE:
        return phase_to_wire(v->late_us, 0);
    case LOOKUP:
        return phase_to_wire(v->lookup_us, 0);
    case CONNECT:
        return phase_to_wire(v->connect_us, phase_before(v, c));
    case TLS:
        return phase_to_wire(v->tls_us, phase_before(v, c));
    case FIRST_BYTE:
        return phase_to_wire(v->first_byte_us, phase_before(v, c));
    case TOTAL:
        return phase_to_wire(v->total_us, phase_before(v, c));
    case COLUMNS:
        break;
    }
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static int by_series_and_time(const void *x, const void *y)
{
    const struct sample *a = x, *b = y;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

void batch_sort(struct sample *samples, size_t n)
{
    qsort(samples, n, sizeof(*samples), by_series_and_time);
}

static void put_column(struct buf *out, const int64_t *values, size_t n)
{
    size_t runs = 1;
    for (size_t i = 1; i < n; i++)
        runs += values[i] != values[i - 1];
    enum form form = 2 * runs <= n ? RUNS : EACH;
    buf_addc(out, (char)form);
    for (size_t i = 0, length; i < n; i += length) {
        for (length = 1; form == RUNS && i + length < n && values[i + length] == values[i];)
            length++;
        wire_put(out, (uint64_t)values[i]);
        if (form == RUNS)
            wire_put(out, length);
    }
}

void batch_encode(struct sample *samples, size_t n, struct buf *out)
{
    assert(n >= 1 && n <= BATCH_MAX);
    size_t start = out->len;
    int64_t *values = mem_array(n, sizeof(*values));
    /* glibc sorts by merging where memory allows, which is stable; where it does not, two samples
     * of one series and time may change places, and nothing depends on it. */
    batch_sort(samples, n);
    buf_addc(out, WIRE_VERSION);
    wire_put(out, n);
    for (enum column c = 0; c < COLUMNS; c++) {
        struct place p = {0};
        for (size_t i = 0; i < n; i++) {
            values[i] = to_wire(c, &samples[i], &p);
            p = place_after(&p, &samples[i]);
        }
        put_column(out, values, n);
    }
    uint32_t sum = batch_checksum(out->data + start, out->len - start);
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        buf_addc(out, (char)(sum >> (8 * i)));
    free(values);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static bool take(int64_t low, int64_t high, int64_t base, int64_t difference, int64_t *ret)
{
    return !__builtin_add_overflow(base, difference, ret) && *ret >= low && *ret <= high;
}

static bool take_int32(int64_t base, int64_t difference, int32_t *ret)
{
    int64_t v;
    if (!take(INT32_MIN, INT32_MAX, base, difference, &v))
        return false;
    *ret = (int32_t)v;
    return true;
}

static bool take_phase(uint64_t wire, int64_t base, int32_t *ret)
{
    *ret = -1;
    if (wire == 0)
        return true;
    if (wire >= 2 * (uint64_t)EARLIER || wire == EARLIER)
        return false;
    int64_t difference = wire > EARLIER ? EARLIER - (int64_t)wire : (int64_t)wire - 1;
    return take_int32(base, difference, ret) && *ret != -1;
}

static bool take_flags(uint64_t wire, struct sample *v)
{
    uint64_t outcome = wire & (CLASS_BIT - 1);
    v->outcome = (enum sample_outcome)outcome;
    v->class_ = wire & CLASS_BIT ? SAMPLE_COLD : SAMPLE_WARM;
    v->extra = wire & EXTRA_BIT;
    return outcome <= SAMPLE_MISSED && wire < (uint64_t)EXTRA_BIT << 1;
}

/* False when nothing that batch_check passes has this number here. */
static bool from_wire(enum column c, uint64_t wire, const struct place *p, struct sample *v)
{
    switch (c) {
    case SERIES:
        return take(0, BATCH_SERIES_MAX, p->before ? p->before->series : 0, wire_unzigzag(wire),
                    &v->series);
    case AT:
        return take(-BATCH_TIME_MAX, BATCH_TIME_MAX, expected_at(p, v->series), wire_unzigzag(wire),
                    &v->at_ms);
    case FLAGS:
        return take_flags(wire, v);
    case STATUS:
        return take_int32(0, wire_unzigzag(wire), &v->status);
    case COVERS:
        return take_int32(0, wire_unzigzag(wire), &v->covers_ms);
    case LATE:
        return take_phase(wire, 0, &v->late_us);
    case LOOKUP:
        return take_phase(wire, 0, &v->lookup_us);
    case CONNECT:
        return take_phase(wire, phase_before(v, c), &v->connect_us);
    case TLS:
        return take_phase(wire, phase_before(v, c), &v->tls_us);
    case FIRST_BYTE:
        return take_phase(wire, phase_before(v, c), &v->first_byte_us);
    case TOTAL:
        return take_phase(wire, phase_before(v, c), &v->total_us);
    case COLUMNS:
        break;
    }
    return false;
}

static bool get_column(struct wire_reader *r, enum column c, struct sample *samples, size_t n)
{
    struct place p = {0};
    enum form form = (enum form)wire_get(r, RUNS);
    for (size_t i = 0; i < n && !r->bad;) {
        uint64_t wire = wire_get(r, UINT64_MAX);
        size_t length = form == RUNS ? wire_get(r, n - i) : 1;
        if (r->bad || length == 0)
            return false;
        for (size_t end = i + length; i < end; i++) {
            if (!from_wire(c, wire, &p, &samples[i]))
                return false;
            p = place_after(&p, &samples[i]);
        }
    }
    return !r->bad;
}

static bool checksum_holds(const uint8_t *bytes, size_t len)
{
    uint32_t kept = 0;
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        kept |= (uint32_t)bytes[len + (size_t)i] << (8 * i);
    return kept == batch_checksum(bytes, len);
}

int batch_decode(const void *data, size_t len, struct sample *ret)
{
    const uint8_t *bytes = data;
    if (len < 2 + CHECKSUM_BYTES || len > BATCH_MAX_BYTES || bytes[0] != WIRE_VERSION ||
        !checksum_holds(bytes, len - CHECKSUM_BYTES))
        return -1;
    struct wire_reader r = {.at = bytes + 1, .end = bytes + len - CHECKSUM_BYTES};
    size_t n = wire_get(&r, BATCH_MAX);
    if (n == 0)
        return -1;
    memset(ret, 0, n * sizeof(*ret));
    for (enum column c = 0; c < COLUMNS; c++)
        if (!get_column(&r, c, ret, n))
            return -1;
    return r.at == r.end ? (int)n : -1;
}
