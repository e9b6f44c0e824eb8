#pragma once

#include "manifest/places.h"
#include "manifest/problems.h"
#include "manifest/yaml.h"

/*
 * The two passes over a manifest: reading (parse.c: every key by its row) and checking (check.c:
 * what concerns several places at once). Both add all problems they find.
 */
struct reading {
    struct manifest *m;
    struct problem_list *problems;
    struct places places; /* members that were given */
    struct places wrong;  /* members whose value was refused: no echoes about them */
    char path[512];       /* dotted key that is being read, for messages */
};

/* Fills *r->m from the tree, defaults included. */
void manifest_read(struct reading *r, const struct yaml_node *root);

/* Everything that no single row can say: references, sums, names that would collide. Also fills in
 * the defaults that depend on other keys (a route's app and order, a limit's alert, instances). */
void manifest_check(struct reading *r);
void manifest_check_entries(struct reading *r); /* its second half: all but apps and environments */
void manifest_check_checks(struct reading *r);  /* of that: what is measured, and when */
void manifest_check_routes(struct reading *r);  /* where traffic goes, and in which order */
void manifest_check_dns(struct reading *r);     /* the names that routes move */
void manifest_check_quota(struct reading *r);   /* and whether the platforms' limits allow it */

/* Adds a problem of an entry's member: "traffic.api.weights: why", at the member's own place when
 * it was given, else at the entry's. */
struct complaint {
    const char *group, *entry, *key; /* "" to leave out */
    const void *member;              /* may be NULL */
    struct place place;              /* of the entry */
};
void complain(struct reading *r, const struct complaint *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

bool was_given(const struct reading *r, const void *member);
bool was_refused(const struct reading *r, const void *member);

/* The environment of this name, or NULL with a problem added. */
const struct manifest_environment *require_environment(struct reading *r, const struct complaint *c,
                                                       const char *name);

/* All names of the member, a list of this entry's key, must be environments. */
void require_environments(struct reading *r, struct complaint c, const char *key,
                          const char *const *names, size_t n);

/* The environment of this name must have the binding at this offset of it, `what` in words. */
void require_store(struct reading *r, struct complaint c, const char *key, const char *const *name,
                   size_t binding, const char *what);

/* The entry's key "app" must name an app of this kind. */
void require_app(struct reading *r, struct complaint c, const char *const *name,
                 enum app_kind kind);

/* Is it in the weights or the backup? */
bool route_holds(const struct manifest_route *route, const char *environment);

bool listed(const char *const *names, size_t n, const char *name);

/* The pattern of the entry's key "app" must match an app. */
void require_match(struct reading *r, struct complaint c, const char *const *pattern);
