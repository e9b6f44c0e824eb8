#pragma once

#include "provider/provider.h"

/* Inside of the Vercel translator, shared by vercel*.c only. */

/* What provider_ops.refused says of a reply, and whether another try is of any use.
 * `creates_project`: the call was to create the project. */
void vercel_say_refused(const struct http_reply *reply, bool creates_project, struct err *e);
