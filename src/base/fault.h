#pragma once

#include <stdbool.h>

/*
 * Fault injection for tests: the after-th call fails (1 = the next), and with `sticky` all later
 * ones too. `hits` counts the calls that passed through. A zeroed struct never fails. Modules that
 * can be made to fail take one by pointer, NULL in production.
 */
struct fault {
    int after;
    bool sticky;
    int hits;
};

/* True when this call is to fail; NULL is fine. */
bool fault_hit(struct fault *f);
