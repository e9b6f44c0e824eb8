#pragma once

#include "provider/provider.h"

/*
 * Inside of the Render translator, shared by render*.c only:
 *
 *   render.c       the way through the API, with a token
 *   render_body.c  the JSON it sends
 *   render_hook.c  the way by a deploy hook
 */

json_t *render_create_body(const struct deployment *d, const struct want *w); /* new reference */
json_t *render_deploy_body(const struct want *w);                             /* new reference */
void render_set_repository(json_t *body, const struct want *w);
/* True when the service that is there must be changed before it is deployed. */
bool render_settings_differ(const json_t *service, const struct want *w);

/* The hook's steps begin here, so that a stored deployment goes on in the way it began. */
enum { RENDER_HOOK_FIRST = 100 };

enum turn render_hook_next(struct deployment *d, const struct want *w, struct call *ret,
                           int64_t *ret_wait_ms, struct err *e);
int render_hook_take(struct deployment *d, const struct want *w, const struct call *c,
                     const struct http_reply *reply);
