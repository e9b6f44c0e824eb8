#pragma once

#include "provider/provider.h"

/*
 * Inside of the Railway translator, shared by railway*.c only: railway.c goes the steps and reads
 * the replies, railway_ask.c says what to send in each.
 *
 *   project_id  the project    account_id  the environment    remote_id  the deployment
 *   before      the newest deployment that was there first
 *   extra       [0] the kind of token, [1] whether we asked for the service to be created,
 *               [2..] the service's id
 */

enum railway_step {
    RAILWAY_TOKEN,
    RAILWAY_FIND_PROJECT,
    RAILWAY_READ_PROJECT,
    RAILWAY_CREATE,
    RAILWAY_CONFIGURE,
    RAILWAY_SET_VARIABLES,
    RAILWAY_READ_BEFORE,
    RAILWAY_DEPLOY,
    RAILWAY_LOOK, /* no answer to the deploy: is a deployment newer than `before`? */
    RAILWAY_AWAIT,
    RAILWAY_POLL,
    RAILWAY_READ_DOMAIN,
    RAILWAY_CREATE_DOMAIN,
    RAILWAY_LIVE,
    RAILWAY_FAILED,
};

/* Places in `extra`, and what stands there. */
enum { KIND = 0, CREATED = 1, SERVICE = 2 };
enum { PROJECT_TOKEN = 'p', BEARER_TOKEN = 'b' };
enum { NOT_CREATED = '-', ASKED_TO_CREATE = '+' };

static inline const char *railway_service(const struct deployment *d)
{
    return d->extra[KIND] && d->extra[CREATED] ? d->extra + SERVICE : "";
}

/* True when the instance needs settings of its own before it is deployed. */
bool railway_has_settings(const struct want *w);

void railway_ask_read(const struct deployment *d, const struct want *w, struct call *c);
/* Notes in `extra` that the creation of the service was asked for. */
void railway_ask_write(struct deployment *d, const struct want *w, struct call *c);
void railway_ask_latest(const struct deployment *d, struct call *c);
