#pragma once

#include "rest.h"
#include "rollout.h"

/*
 * The parts of the Render simulator: render.c has the platform itself, owners and environment
 * variables; render_service.c has services; render_deploy.c has their deploys and the deploy hook.
 *
 * An account's state: owner {id, name, ...}, tables services and deployments (by id) and the list
 * moving (rollout.h). The platform's table hosts holds the host names that are taken. A service's
 * "sim" holds env (key -> value), commit (of the last deploy) and whether the site is asleep.
 */

enum { RENDER_FREE_IDLE_MS = 15 * 60 * 1000, RENDER_COLD_MS = 1500 };

json_t *render_account(struct sim_request *r, const char *name);
void render_refuse(struct sim_request *r, int status, const char *message);
json_t *render_service_of(struct sim_request *r); /* by the path; NULL: 404 was answered */

/* Answers with the page [{<thing>: {...}, cursor}] that `cursor` and `limit` ask for; the cursor of
 * an element is its own id (or key). Steals the list. */
void render_page(struct sim_request *r, const char *thing, const char *id_member, json_t *list);

/* What a new service is made from: the body of POST /services, or what the dashboard was told. */
json_t *render_service_make(struct sim_request *r, json_t *account, const char *id, json_t *wanted);

void render_services_list(struct sim_request *r);
void render_service_create(struct sim_request *r);
void render_service_get(struct sim_request *r);
void render_service_patch(struct sim_request *r);
void render_service_delete(struct sim_request *r);
void render_service_suspend(struct sim_request *r);
void render_service_resume(struct sim_request *r);

/* What is to be deployed, and why. */
struct render_order {
    const char *trigger; /* "api" */
    const char *commit;  /* "" = the branch's newest */
    const char *image;   /* "" = the service's own */
};
/* Stores and starts a deploy; it waits when another of the service is under way. Borrowed. */
json_t *render_deploy(struct sim_request *r, json_t *account, json_t *service,
                      const struct render_order *order);
bool render_deploying(json_t *account, json_t *service);
void render_stop_deploys(json_t *account, json_t *service, struct sim_request *r);

void render_deploys_list(struct sim_request *r);
void render_deploy_create(struct sim_request *r);
void render_deploy_get(struct sim_request *r);
void render_deploy_cancel(struct sim_request *r);
void render_rollback(struct sim_request *r);
void render_hook(struct sim_request *r);

extern const struct rollout_rules render_rules;
