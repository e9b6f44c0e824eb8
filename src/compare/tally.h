#pragma once

#include <stdint.h>

struct tally { /* requests or ticks by what became of them */
    uint64_t ok, slow, failed, inconclusive, missed;
};
