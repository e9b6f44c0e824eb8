#pragma once

#include "app/app.h"
#include "deploy/build.h"
#include "deploy/bundle.h"
#include "deploy/commit.h"
#include "deploy/plan.h"

/*
 * What plan and deploy have in common: from the manifest to a plan, step by step. Everything
 * belongs to the job and lives until job_release.
 *
 *     job_open     manifest, secrets, matrix, commit, wants
 *     job_builds   keys and folders of the builds; with `run`, those that are missing are built
 *     job_bundles  reads and hashes what is built
 *     job_plan     compares with what is live
 */
struct job {
    struct app *app;
    struct arena arena;
    struct matrix matrix;
    struct commit commit;
    struct want *wants;   /* one a cell */
    struct build *builds; /* one a static cell */
    size_t n_builds;
    struct build **build_of;    /* one a cell, NULL for what is not static */
    struct bundle_set *bundles; /* NULL until job_bundles */
    struct hash_cache *hashes;
    const struct bundle **bundle_of; /* one a cell; NULL: none, not built, or refused */
    size_t *bundle_number;           /* one a cell, where there is a bundle */
    struct plan_item *items;         /* one a cell */
    struct plan_live *live;
    size_t n_live, size_live;
    struct plan_counts counts;
};

int job_open(struct job *j, struct app *a, struct err *e);
int job_builds(struct job *j, bool run, struct err *e);
int job_bundles(struct job *j, struct err *e);
int job_plan(struct job *j, struct err *e);
/* Gives the cell's bundle the file that tells what it is; before it is deployed. */
int job_sign(struct job *j, size_t cell, int64_t release, struct err *e);
void job_release(struct job *j);
