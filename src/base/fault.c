#include "base/fault.h"

#include <stddef.h>

bool fault_hit(struct fault *f)
{
    if (!f)
        return false;
    f->hits++;
    if (f->after <= 0)
        return false;
    return f->sticky ? f->hits >= f->after : f->hits == f->after;
}
