#pragma once

#include "app/job.h"

struct checking_rows;

/* Prints the plan on standard output, as a table or (--json) as JSON. `brief`: deployments that are
 * left alone are only counted. `checking`: what the manifest's checking costs; NULL = not shown. */
int plan_print(const struct job *j, bool brief, const struct checking_rows *checking,
               struct err *e);

/* One line of counts: "3 to create, 2 to change, 40 unchanged". */
void plan_say(const struct job *j);
