#pragma once

#include "app/job.h"

/* Prints the plan on standard output, as a table or (--json) as JSON. `brief`: deployments that are
 * left alone are only counted. */
int plan_print(const struct job *j, bool brief, struct err *e);

/* One line of counts: "3 to create, 2 to change, 40 unchanged". */
void plan_say(const struct job *j);
