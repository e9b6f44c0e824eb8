#pragma once

#include "manifest/manifest.h"

/* What a route's configuration takes from the rest of the manifest. Pure; results borrow from it.
 */
int route_weight(const struct manifest_route *r, const char *environment); /* 0: it has none */
const char *route_health(const struct manifest *m, const struct manifest_route *r); /* a path */
const char *app_first_instance(const struct manifest *m, const char *app); /* "" when it has one */
