#include "base/buf.h"
#include "base/sketch.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

static uint64_t state = 99;

static uint64_t pick(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

/* Log-normal around 100 ms. */
static int64_t usual_value(void)
{
    double u = ((double)pick(1 << 30) + 0.5) / (1 << 30), v = (double)pick(1 << 30) / (1 << 30);
    return (int64_t)(1e5 * exp(0.5 * sqrt(-2 * log(u)) * cos(6.283185307179586 * v)));
}

/* Packed, read again, and the same by the other writing; returns the length, 0 when it is not. */
static size_t survives(const struct sketch *s)
{
    struct buf packed = BUF_INIT(1 << 16), x = BUF_INIT(1 << 16), y = BUF_INIT(1 << 16);
    struct sketch back = {0};
    sketch_pack(s, &packed);
    size_t len = packed.len;
    buf_addc(&packed, 'x'); /* what follows in the record is not touched */
    const uint8_t *at = (const uint8_t *)packed.data;
    bool same =
        sketch_unpack(&at, at + packed.len, &back) && at == (const uint8_t *)packed.data + len;
    sketch_write(s, &x);
    sketch_write(&back, &y);
    same = same && x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    sketch_release(&back);
    buf_release(&packed);
    buf_release(&x);
    buf_release(&y);
    return same ? len : 0;
}

static void sketches_of_any_size_come_back(void)
{
    int lost = 0;
    for (int n = 0; n < 5000; n = 2 * n + 1) {
        struct sketch usual = {0}, wide = {0}, zeros = {0};
        for (int i = 0; i < n; i++) {
            sketch_add(&usual, usual_value());
            sketch_add(&wide, (int64_t)(pick(SKETCH_MAX_US) >> pick(32)));
            sketch_add(&zeros, pick(2) ? 0 : 1 + (int64_t)pick(3));
        }
        lost += !survives(&usual) + !survives(&wide) + !survives(&zeros);
        sketch_release(&usual);
        sketch_release(&wide);
        sketch_release(&zeros);
    }
    CHECK(lost == 0);
}

static void twenty_usual_values_take_under_thirty_bytes(void)
{
    size_t bytes = 0;
    for (int k = 0; k < 100; k++) {
        struct sketch s = {0};
        for (int i = 0; i < 20; i++)
            sketch_add(&s, usual_value());
        bytes += survives(&s);
        sketch_release(&s);
    }
    CHECK(bytes > 0 && bytes < 3000);
}

static void cut_or_foreign_bytes_are_refused_and_never_read_behind(void)
{
    struct buf packed = BUF_INIT(1 << 16);
    struct sketch s = {0}, back = {0};
    int accepted = 0;
    for (int i = 0; i < 50; i++)
        sketch_add(&s, usual_value());
    sketch_pack(&s, &packed);
    for (size_t len = 0; len < packed.len; len++) {
        uint8_t *exact = malloc(len + 1);
        if (len > 0)
            memcpy(exact, packed.data, len);
        const uint8_t *at = exact;
        accepted += sketch_unpack(&at, exact + len, &back);
        accepted += at != exact;
        free(exact);
    }
    CHECK(accepted == 0 && back.counts == NULL && back.n == 0);
    for (int k = 0; k < 20000; k++) {
        uint8_t noise[64];
        for (size_t i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)pick(k % 2 ? 256 : 16);
        const uint8_t *at = noise;
        if (sketch_unpack(&at, noise + sizeof(noise), &back) && back.n > 0)
            (void)sketch_quantile(&back, 0.95);
        sketch_release(&back);
    }
    buf_release(&packed);
    sketch_release(&s);
}

int main(void)
{
    sketches_of_any_size_come_back();
    twenty_usual_values_take_under_thirty_bytes();
    cut_or_foreign_bytes_are_refused_and_never_read_behind();
    return DONE();
}
