#pragma once

#include "traffic/haproxy_plan.h"

/*
 * Configurations for a team without trine in the path. Internal to the export files. Pure; of a
 * checked plan.
 */
enum { EXPORT_TRIES_MORE = 3, EXPORT_CHECK_S = 10, EXPORT_OUT_S = 5, EXPORT_STREAM_MS = 3600000 };

void export_haproxy(const struct haproxy_plan *p, struct buf *out);
void export_nginx(const struct haproxy_plan *p, struct buf *out);
