#pragma once

#include "sim.h"

/*
 * Vercel's API as its command line uses it: users, teams and projects (vercel.c), files and
 * deployments (vercel_deploy.c), what a deployment's files mean (vercel_output.c), aliases moved by
 * hand (vercel_alias.c). Version prefixes are not told apart. The state:
 * {"accounts": {ID: {"projects": {NAME: record}}}, "ids": {PROJECT ID: NAME},
 *  "deployments": {ID: record}, "urls": {HOST: ID}, "pending": {ID: 1}, "hosts": {HOST: ACCOUNT}}.
 */
void vercel_refuse(struct sim_request *r, int status, const char *code, const char *message);

json_t *vercel_projects(struct sim_request *r);                /* of this account, by name */
json_t *vercel_project(struct sim_request *r, const char *id); /* by id or name, or NULL */
json_t *vercel_project_make(struct sim_request *r, const char *name);
json_t *vercel_project_of(struct sim *s, const json_t *deployment);
/* The project that the path names, or NULL after a refusal. */
json_t *vercel_project_of_path(struct sim_request *r);
const char *vercel_space(struct sim_request *r);

/* vercel_deploy.c */
json_t *vercel_deployment(struct sim *s, const char *id); /* by id or host name; borrowed or NULL */
json_t *vercel_deployment_show(struct sim *s, const json_t *d); /* a new reference */
const char *vercel_state(struct sim *s, const json_t *d);
void vercel_deployments_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms);
void vercel_deployment_forget(struct sim *s, const char *id);
void vercel_file_post(struct sim_request *r);
void vercel_deployment_create(struct sim_request *r);
void vercel_deployment_get(struct sim_request *r);
void vercel_deployment_list(struct sim_request *r);
void vercel_deployment_cancel(struct sim_request *r);
void vercel_deployment_delete(struct sim_request *r);
void vercel_events_get(struct sim_request *r);

/* vercel_alias.c */
/* Moves the project's domain to that deployment. */
void vercel_make_live(struct sim *s, json_t *project, json_t *d);
void vercel_rollback(struct sim_request *r);
void vercel_promote(struct sim_request *r);
void vercel_rollback_aliases(struct sim_request *r);
json_t *vercel_alias_request_show(struct sim *s, const json_t *project); /* a new reference */

/* vercel_output.c: publishes a deployment's files at its host; what is wrong with them, or NULL. */
const char *vercel_publish(struct sim *s, const json_t *d);
