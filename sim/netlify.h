#pragma once

#include "sim.h"

/*
 * Netlify's API as its command line and its deploy clients use it: sites (netlify.c), deploys by
 * digest (netlify_deploy.c), the generated netlify.toml (netlify_toml.c). The state:
 * {"sites": {ID: record}, "names": {NAME: ID}, "deploys": {ID: record}, "pending": {ID: 1}}.
 */
void netlify_refuse(struct sim_request *r, int status, const char *message);
/* One page of `list` (consumed), with the Link header. */
void netlify_page(struct sim_request *r, json_t *list);

/* This account's site by id or default domain; NULL after a refusal. Borrowed. */
json_t *netlify_site(struct sim_request *r, const char *id);
const char *netlify_space(struct sim_request *r); /* the account's blob space */

/* netlify_deploy.c */
json_t *netlify_deploy_show(struct sim *s, const json_t *deploy); /* a new reference */
json_t *netlify_deploy(struct sim *s, const char *id);            /* borrowed or NULL */
void netlify_deploy_forget(struct sim *s, const char *id);
void netlify_deploys_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms);
void netlify_deploy_create(struct sim_request *r);
void netlify_deploy_digest(struct sim_request *r);
void netlify_deploy_list(struct sim_request *r);
void netlify_deploy_get(struct sim_request *r);
void netlify_deploy_restore(struct sim_request *r);
void netlify_deploy_cancel(struct sim_request *r);
void netlify_deploy_delete(struct sim_request *r);
void netlify_deploy_lock(struct sim_request *r);
void netlify_deploy_unlock(struct sim_request *r);
void netlify_file_put(struct sim_request *r);
void netlify_rollback(struct sim_request *r);

/* netlify_toml.c: the redirects and headers of a netlify.toml in the formats of _redirects and
 * _headers; "" for none. Both in the arena. */
void netlify_toml_rules(struct arena *arena, const char *toml, const char **ret_redirects,
                        const char **ret_headers);
