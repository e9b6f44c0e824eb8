#pragma once

#include "store/store.h"

/*
 * Tokens for the control API. Only a SHA-256 of each is kept: a token is 256 random bits, so a fast
 * hash is enough (OWASP, "Password Storage": the slow ones are for what people choose).
 */
enum access_scope {
    ACCESS_READ,
    ACCESS_OPERATE, /* includes reading */
    ACCESS_AGENT,   /* only what trine agent asks for and sends; includes neither */
};
const char *access_scope_name(enum access_scope s); /* "read", "operate", "agent" */

enum { ACCESS_NAME_MAX = 64 };
struct access_holder { /* who shows a valid token */
    enum access_scope scope;
    char name[ACCESS_NAME_MAX + 1];
};

struct access_token {
    const char *name;
    enum access_scope scope;
    int64_t created_ms, used_ms; /* used_ms to the minute; 0 = never */
};
/* ERR_NO when the name is taken, ERR_USAGE when it is empty or longer than 64 bytes. `ret` holds 80
 * bytes: "trine_" and 64 hex digits. */
int access_create(struct store *s, const char *name, enum access_scope scope, char ret[80],
                  struct err *e);
int access_revoke(struct store *s, const char *name, struct err *e); /* ERR_NO: no such */
typedef void access_fn(const struct access_token *t, void *arg);
int access_list(struct store *s, access_fn *fn, void *arg, struct err *e);
/* 1 and *ret when the token is valid, 0 when it is not, -1 when the store failed. The
 * comparison takes the same time for every wrong token. */
int access_check(struct store *s, const char *token, struct access_holder *ret, struct err *e);
