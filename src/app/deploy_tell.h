#pragma once

#include "deploy/run.h"

/*
 * Who wants to know of a release that is over: the alerts with the events deploy and deploy-failed.
 * What they are to be told is written into the store's outbox; trine serve sends it (it looks every
 * half minute for what other processes wrote, app/alerter.h), at once or when it runs the next
 * time. One release is told once as failed and once as live, whoever finishes it. Loop's thread.
 */
struct app;
struct release;

/* `items`: of all environments of this run; those of `r` are told of. Redacted here. Returns the
 * number of alerts that will be told, or -1. */
int deploy_tell(struct app *a, const struct release *r, bool live, const struct run_item *items,
                size_t n, struct err *e);
