#include "base/buf.h"
#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as a stored batch, with the checksum that they should have: no crash, no leak; what is
 * accepted could have been added, and is the same after being written and read again.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sample first[BATCH_MAX], again[BATCH_MAX];

static void check(bool promise)
{
    if (!promise)
        abort();
}

static bool equal(const struct sample *a, const struct sample *b)
{
    return a->series == b->series && a->at_ms == b->at_ms && a->late_us == b->late_us &&
           a->outcome == b->outcome && a->class_ == b->class_ && a->status == b->status &&
           a->lookup_us == b->lookup_us && a->connect_us == b->connect_us &&
           a->tls_us == b->tls_us && a->first_byte_us == b->first_byte_us &&
           a->total_us == b->total_us && a->covers_ms == b->covers_ms && a->extra == b->extra;
}

static void check_batch(size_t n)
{
    struct buf bytes = BUF_INIT(BATCH_MAX_BYTES);
    struct err e = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        check(batch_check(&first[i], &e) == 0);
    batch_encode(first, n, &bytes);
    check(!buf_over(&bytes) && batch_decode(bytes.data, bytes.len, again) == (int)n);
    for (size_t i = 0; i < n; i++)
        check(equal(&first[i], &again[i]));
    buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 4);
    if (!bytes)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    uint32_t sum = batch_checksum(data, size);
    for (int i = 0; i < 4; i++)
        bytes[size + (size_t)i] = (uint8_t)(sum >> (8 * i));
    int n = batch_decode(bytes, size + 4, first);
    check(n != 0 && n <= BATCH_MAX);
    if (n > 0)
        check_batch((size_t)n);
    free(bytes);
    return 0;
}
