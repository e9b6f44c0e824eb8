#include "app/app.h"
#include "app/window.h"

#include "base/buf.h"
#include "compare/comparison.h"
#include "report/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* trine compare and trine report: the same comparison on the terminal and in files. */

static bool target_missed(const struct comparison *c)
{
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *r = &c->environments[i];
        for (size_t k = 0; k < N_METRICS; k++)
            if (r->figures[k].target > 0 && r->figures[k].state == TARGET_MISSED)
                return true;
    }
    return false;
}

static int open_all(struct app *a, struct comparison **ret, struct err *e)
{
    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    for (size_t i = 0; i < a->o.n_environments; i++)
        if (!manifest_environment_find(a->manifest, a->o.environments[i]))
            return err_set(e, ERR_USAGE, "-e %.60s: the manifest has no such environment",
                           a->o.environments[i]);
    return window_comparison(a, ret, e);
}

int cmd_compare(struct app *a, struct err *e)
{
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = NULL;

    if (open_all(a, &c, e) < 0)
        return -1;
    if (a->o.json)
        report_json(c, &b);
    else
        report_text(c, &look, a->o.verbose > 0, &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    bool missed = target_missed(c);
    comparison_free(c);
    return rc < 0 ? rc : missed ? err_exit_code(ERR_NO) : 0;
}

static int write_report(const struct app *a, const char *dir, const char *name, struct buf *b,
                        struct err *e)
{
    char path[PATH_MAX];

    if (buf_over(b))
        return err_set(e, ERR_BUG, "%s would be larger than %d bytes", name, REPORT_MAX_BYTES);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (file_write_atomic(path, buf_str(b), b->len, 0644, e) < 0)
        return -1;
    app_say(a, "wrote %s", path);
    buf_clear(b);
    return 0;
}

int cmd_report(struct app *a, struct err *e)
{
    const char *dir = a->o.output ? a->o.output : ".";
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = NULL;

    if (open_all(a, &c, e) < 0)
        return -1;
    int rc = a->o.dry_run ? 0 : dir_make(dir, e);
    if (rc == 0) {
        report_json(c, &b);
        if (a->o.json)
            rc = app_print(a, &b, e);
    }
    if (rc == 0 && a->o.dry_run)
        app_say(a, "would write environment_comparison.json and .html to %s", dir);
    else if (rc == 0)
        rc = write_report(a, dir, "environment_comparison.json", &b, e);
    if (rc == 0 && !a->o.dry_run) {
        report_html(c, &b);
        rc = write_report(a, dir, "environment_comparison.html", &b, e);
    }
    buf_release(&b);
    comparison_free(c);
    return rc;
}
