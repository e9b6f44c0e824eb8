#include "app/app.h"
#include "app/checking_view.h"
#include "app/job.h"
#include "app/plan_view.h"

/* trine plan: no request, no build; exit status 1 when something cannot be done. */
int cmd_plan(struct app *a, struct err *e)
{
    struct job j = {0};
    int rc = -1;

    if (job_open(&j, a, e) == 0 && job_builds(&j, false, e) == 0 && job_bundles(&j, e) == 0 &&
        job_plan(&j, e) == 0) {
        struct checking_rows checking;
        checking_rows(a->manifest, &j.matrix, &checking);
        rc = plan_print(&j, a->o.verbose == 0, &checking, e);
        checking_rows_release(&checking);
    }
    bool cannot = j.counts.of[PLAN_CANNOT] > 0;
    job_release(&j);
    return rc < 0 ? rc : cannot ? err_exit_code(ERR_NO) : 0;
}
