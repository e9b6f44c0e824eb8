#pragma once

#include "app/targets.h"
#include "manifest/matrix.h"

/* Inside of targets*.c only: targets.c finds what is live, targets_store.c the stores. */

struct live { /* one live deployment; texts in the targets' arena */
    const char *environment, *app, *instance, *platform, *url, *progress;
    int64_t live_at;
};

struct finding {
    struct app *app;
    const struct matrix *matrix;
    struct targets *targets;
    struct live *live;
    size_t n_live, size_live;
};

bool check_names(const struct manifest_check *k, const struct cell *c); /* the check is for it */
bool check_is_of_store(enum check_kind kind); /* once an environment, not once a deployment */

struct target target_begin(const struct finding *f, const struct manifest_check *k,
                           const struct cell *c);
/* Only a free plan sends what it holds to sleep; a binding that names no plan is taken for free. */
bool binding_is_free(const struct manifest_binding *b);
void target_sleeps(const struct finding *f, struct target *t, int64_t sleep_after_ms);
int target_add(struct finding *f, const struct target *t, struct err *e);
void leave_out(struct finding *f, const struct target *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The database or cache of the cell's environment. -1: the store failed. */
int add_store(struct finding *f, const struct cell *c, const struct manifest_check *k,
              struct err *e);

void targets_wipe(struct targets *t); /* the secrets in them */
