#pragma once

#include "sim.h"

/*
 * Cloudflare Pages' direct upload, as its own client uses it: projects (cloudflare.c), the asset
 * store with its upload tokens (cloudflare_assets.c), deployments (cloudflare_deploy.c); and zones
 * with their DNS records (cloudflare_dns.c). The state:
 * {"accounts": {ID: {"projects": {NAME: record}, "checked": {key: 1}, "zones": {ID: zone}}},
 *  "deployments": {ID: record}, "pending": {ID: 1}, "hosts": {HOST: ACCOUNT}}.
 */
enum {
    CF_UNKNOWN = 8000000,
    CF_NAME_TAKEN = 8000002,
    CF_BAD_REQUEST = 8000003,
    CF_NO_PROJECT = 8000007,
    CF_NO_DEPLOYMENT = 8000009,
    CF_EXPIRED = 8000013,
    CF_BAD_PAGE = 8000024,
};

/* Answers in the API's envelope; result is consumed. */
void cf_answer(struct sim_request *r, json_t *result);
void cf_refuse(struct sim_request *r, int status, int code, const char *message);
/* One page of `list` (consumed) with result_info; refuses a per_page beyond max. */
void cf_page(struct sim_request *r, json_t *list, int64_t per_page, int64_t max);

json_t *cf_account(struct sim_request *r); /* this account's record; borrowed */
/* The project of the path, or NULL after a refusal. */
json_t *cf_project(struct sim_request *r);
const char *cf_space(struct sim_request *r); /* the account's blob space */

/* cloudflare_assets.c */
bool cf_is_asset_call(const struct sim_request *r);
const char *cf_token_account(struct sim_request *r, const char *jwt);
void cf_upload_token_get(struct sim_request *r);
void cf_check_missing(struct sim_request *r);
void cf_upload(struct sim_request *r);
void cf_upsert(struct sim_request *r);
/* True when `key` is the hash of the stored bytes under that path's extension. */
bool cf_key_is_right(struct sim_request *r, const char *key, const char *path);

/* cloudflare_deploy.c */
json_t *cf_deployment_show(struct sim *s, const json_t *deployment); /* a new reference */
json_t *cf_deployment(struct sim *s, const char *id);                /* borrowed or NULL */
void cf_deployment_create(struct sim_request *r);
void cf_deployment_list(struct sim_request *r);
void cf_deployment_get(struct sim_request *r);
void cf_deployment_delete(struct sim_request *r);
void cf_deployment_rollback(struct sim_request *r);
void cf_deployment_retry(struct sim_request *r);
void cf_deployment_logs(struct sim_request *r);
void cf_deployments_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms);
void cf_deployment_forget(struct sim *s, const char *id);

/* cloudflare_dns.c: true when it answered. */
bool cf_dns(struct sim_request *r);
