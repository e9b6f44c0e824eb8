#pragma once

#include "rest.h"
#include "rollout.h"

/*
 * The parts of the Koyeb simulator: koyeb.c has the platform itself, apps, secrets and the
 * organisation; koyeb_service.c has services and their deployments; koyeb_check.c says what is
 * wrong with a definition.
 *
 * An account's state: organization {id, name}, tables apps, services, deployments, secrets (by id),
 * hosts (name -> app id) and the list moving (rollout.h).
 */

enum { KOYEB_FREE_IDLE_MS = 3900 * 1000, KOYEB_COLD_MS = 1200 };

json_t *koyeb_account(struct sim_request *r);

/* Answers with {status, code, message}, as all of Koyeb's errors. */
void koyeb_refuse(struct sim_request *r, int status, const char *code, const char *message);
/* 400 with fields[]; steals the list. */
void koyeb_invalid(struct sim_request *r, json_t *fields);
void koyeb_field(json_t *fields, const char *field, const char *description);

/* {limit, offset, count, has_next, <plural>: the page of `list`}; steals the list. */
void koyeb_page(struct sim_request *r, const char *plural, json_t *list);

/* Adds what is wrong with a deployment's definition to `fields`. */
void koyeb_check_definition(json_t *account, json_t *definition, json_t *fields);
bool koyeb_is_free(json_t *definition);

/* "shop-simulated.koyeb.localhost": where the app's services are reached. From the arena. */
const char *koyeb_app_host(struct arena *a, json_t *account, json_t *app);

void koyeb_services_list(struct sim_request *r);
void koyeb_service_create(struct sim_request *r);
void koyeb_service_get(struct sim_request *r);
void koyeb_service_put(struct sim_request *r);
void koyeb_service_patch(struct sim_request *r);
void koyeb_service_delete(struct sim_request *r);
void koyeb_service_redeploy(struct sim_request *r);
void koyeb_service_pause(struct sim_request *r);
void koyeb_service_resume(struct sim_request *r);
void koyeb_deployments_list(struct sim_request *r);
void koyeb_deployment_get(struct sim_request *r);
void koyeb_deployment_cancel(struct sim_request *r);
void koyeb_instances_list(struct sim_request *r);

/* Takes a service away with all that runs of it. */
void koyeb_service_drop(struct sim *s, json_t *account, json_t *service);

extern const struct rollout_rules koyeb_rules;
