#include "store/cell.h"

#include "base/buf.h"
#include "base/wire.h"
#include "store/batch.h"

#include <string.h>

enum { WIRE_VERSION = 1, OUTCOMES = SAMPLE_MISSED + 1, SERIES_BITS = 24 };
/* Far over what a cell can come to, and far from an overflow when many are added up. */
#define COUNT_MAX (UINT64_C(1) << 40)
#define SUM_MAX (UINT64_C(1) << 56)

int64_t history_level_ms(enum history_level l)
{
    static const int64_t lengths[HISTORY_LEVELS] = {
        [HISTORY_TEN_MINUTES] = INT64_C(600000),
        [HISTORY_TWO_HOURS] = INT64_C(7200000),
        [HISTORY_DAY] = INT64_C(86400000),
    };
    return lengths[l];
}

int64_t cell_floor(enum history_level l, int64_t ms)
{
    int64_t length = history_level_ms(l), rest = ms % length;
    return ms - (rest < 0 ? rest + length : rest);
}

int64_t cell_ceil(enum history_level l, int64_t ms)
{
    int64_t start = cell_floor(l, ms);
    return start == ms ? ms : start + history_level_ms(l);
}

int64_t cell_id(enum history_level l, int64_t series, int64_t start_ms)
{
    return start_ms / history_level_ms(l) * (INT64_C(1) << SERIES_BITS) + series;
}

int64_t cell_series(int64_t id)
{
    return id & BATCH_SERIES_MAX;
}

int64_t cell_start_ms(enum history_level l, int64_t id)
{
    return (id - cell_series(id)) / (INT64_C(1) << SERIES_BITS) * history_level_ms(l);
}

/* --- Filling ---------------------------------------------------------------------------------- */

void history_cell_release(struct history_cell *c)
{
    sketch_release(&c->times[SAMPLE_WARM]);
    sketch_release(&c->times[SAMPLE_COLD]);
    sketch_release(&c->lateness);
    *c = (struct history_cell){0};
}

/* The part of a phase that is its own: it began when the one before ended. */
static void add_phase(uint64_t *sum, int32_t end_us, int64_t *began_us)
{
    if (end_us <= *began_us)
        return;
    *sum += (uint64_t)(end_us - *began_us);
    *began_us = end_us;
}

static void add_phases(struct history_cell *c, const struct sample *v)
{
    int64_t began_us = 0;
    add_phase(&c->lookup_us, v->lookup_us, &began_us);
    add_phase(&c->connect_us, v->connect_us, &began_us);
    add_phase(&c->tls_us, v->tls_us, &began_us);
    add_phase(&c->first_byte_us, v->first_byte_us, &began_us);
    began_us += v->late_us > 0 ? v->late_us : 0; /* total_us counts from the intended time */
    add_phase(&c->rest_us, v->total_us, &began_us);
}

static void add_covered(struct history_cell *c, const struct sample *v)
{
    uint64_t covers_ms = v->covers_ms > 0 ? (uint64_t)v->covers_ms : 0;
    if (v->outcome == SAMPLE_MISSED && v->extra) { /* known to be down: see struct sample */
        c->seen_ms += covers_ms;
        return;
    }
    switch (v->outcome) {
    case SAMPLE_OK:
    case SAMPLE_SLOW:
    case SAMPLE_FAILED:
        c->seen_ms += covers_ms;
        break;
    case SAMPLE_INCONCLUSIVE:
    case SAMPLE_MISSED:
        c->unseen_ms += covers_ms;
        break;
    }
}

void history_cell_add(struct history_cell *c, const struct sample *v)
{
    add_covered(c, v);
    if (v->extra)
        return;
    c->count[v->class_][v->outcome]++;
    if ((v->outcome == SAMPLE_OK || v->outcome == SAMPLE_SLOW) && v->total_us >= 0) {
        sketch_add(&c->times[v->class_], v->total_us);
        if (v->class_ == SAMPLE_WARM)
            add_phases(c, v);
    }
    if (v->late_us < 0)
        return;
    sketch_add(&c->lateness, v->late_us);
    if ((uint64_t)v->late_us > c->late_us_max)
        c->late_us_max = (uint64_t)v->late_us;
}

static bool has_room(const struct sketch *to, const struct sketch *from)
{
    return from->n <= SKETCH_MAX_COUNT - to->n;
}

bool history_cell_merge(struct history_cell *c, const struct history_cell *from)
{
    if (!has_room(&c->times[SAMPLE_WARM], &from->times[SAMPLE_WARM]) ||
        !has_room(&c->times[SAMPLE_COLD], &from->times[SAMPLE_COLD]) ||
        !has_room(&c->lateness, &from->lateness))
        return false;
    for (int class_ = SAMPLE_WARM; class_ <= SAMPLE_COLD; class_++) {
        for (int outcome = 0; outcome < OUTCOMES; outcome++)
            c->count[class_][outcome] += from->count[class_][outcome];
        sketch_merge(&c->times[class_], &from->times[class_]);
    }
    c->lookup_us += from->lookup_us;
    c->connect_us += from->connect_us;
    c->tls_us += from->tls_us;
    c->first_byte_us += from->first_byte_us;
    c->rest_us += from->rest_us;
    sketch_merge(&c->lateness, &from->lateness);
    if (from->late_us_max > c->late_us_max)
        c->late_us_max = from->late_us_max;
    c->seen_ms += from->seen_ms;
    c->unseen_ms += from->unseen_ms;
    return true;
}

/* --- Bytes ------------------------------------------------------------------------------------ */

/* Which parts there are; the usual ones are in the first byte. The counts in use follow, by
 * class * OUTCOMES + outcome. */
enum part {
    WARM_TIMES,
    LATENESS,
    PHASES,
    SEEN,
    UNSEEN,
    FIRST_COUNT,
    COLD_TIMES = FIRST_COUNT + 2 * OUTCOMES,
    PARTS
};
enum { PHASE_SUMS = 5 };

static bool has(uint64_t parts, int part)
{
    return parts >> part & 1;
}

static uint64_t find_parts(const struct history_cell *c)
{
    bool phases = c->lookup_us || c->connect_us || c->tls_us || c->first_byte_us || c->rest_us;
    uint64_t parts = (uint64_t)(c->times[SAMPLE_WARM].n > 0) << WARM_TIMES |
                     (uint64_t)(c->lateness.n > 0) << LATENESS | (uint64_t)phases << PHASES |
                     (uint64_t)(c->seen_ms > 0) << SEEN | (uint64_t)(c->unseen_ms > 0) << UNSEEN |
                     (uint64_t)(c->times[SAMPLE_COLD].n > 0) << COLD_TIMES;
    for (int i = 0; i < 2 * OUTCOMES; i++)
        parts |= (uint64_t)(c->count[i / OUTCOMES][i % OUTCOMES] > 0) << (FIRST_COUNT + i);
    return parts;
}

void cell_encode(const struct history_cell *c, struct buf *out)
{
    const uint64_t phases[PHASE_SUMS] = {c->lookup_us, c->connect_us, c->tls_us, c->first_byte_us,
                                         c->rest_us};
    uint64_t parts = find_parts(c);
    buf_addc(out, WIRE_VERSION);
    wire_put(out, parts);
    if (has(parts, WARM_TIMES))
        sketch_pack(&c->times[SAMPLE_WARM], out);
    if (has(parts, COLD_TIMES))
        sketch_pack(&c->times[SAMPLE_COLD], out);
    if (has(parts, LATENESS))
        sketch_pack(&c->lateness, out);
    for (int i = 0; has(parts, PHASES) && i < PHASE_SUMS; i++)
        wire_put(out, phases[i]);
    if (has(parts, SEEN))
        wire_put(out, c->seen_ms);
    if (has(parts, UNSEEN))
        wire_put(out, c->unseen_ms);
    for (int i = 0; i < 2 * OUTCOMES; i++)
        if (has(parts, FIRST_COUNT + i))
            wire_put(out, c->count[i / OUTCOMES][i % OUTCOMES]);
}

static bool get_sketch(struct wire_reader *r, struct sketch *s)
{
    return sketch_unpack(&r->at, r->end, s) && s->n > 0;
}

static bool get_cell(struct wire_reader *r, struct history_cell *c)
{
    uint64_t *const phases[PHASE_SUMS] = {&c->lookup_us, &c->connect_us, &c->tls_us,
                                          &c->first_byte_us, &c->rest_us};
    uint64_t parts = wire_get(r, (UINT64_C(1) << PARTS) - 1);
    if ((has(parts, WARM_TIMES) && !get_sketch(r, &c->times[SAMPLE_WARM])) ||
        (has(parts, COLD_TIMES) && !get_sketch(r, &c->times[SAMPLE_COLD])) ||
        (has(parts, LATENESS) && !get_sketch(r, &c->lateness)))
        return false;
    for (int i = 0; has(parts, PHASES) && i < PHASE_SUMS; i++)
        *phases[i] = wire_get(r, SUM_MAX);
    if (has(parts, SEEN))
        c->seen_ms = wire_get(r, SUM_MAX);
    if (has(parts, UNSEEN))
        c->unseen_ms = wire_get(r, SUM_MAX);
    for (int i = 0; i < 2 * OUTCOMES; i++)
        if (has(parts, FIRST_COUNT + i))
            c->count[i / OUTCOMES][i % OUTCOMES] = wire_get(r, COUNT_MAX);
    c->late_us_max = (uint64_t)c->lateness.max_us;
    return !r->bad && r->at == r->end && find_parts(c) == parts;
}

int cell_decode(const void *data, size_t len, struct history_cell *ret, struct err *e)
{
    const uint8_t *bytes = data;
    struct history_cell c = {0};
    if (len == 0 || bytes[0] != WIRE_VERSION)
        return err_set(e, ERR_STORE, "cell: %s; it was written by another version of trine",
                       len == 0 ? "no bytes" : "unknown version");
    struct wire_reader r = {.at = bytes + 1, .end = bytes + len};
    if (!get_cell(&r, &c)) {
        history_cell_release(&c);
        return err_set(e, ERR_STORE, "cell: damaged (%zu bytes); its time span is lost", len);
    }
    *ret = c;
    return 0;
}
