#pragma once

#include "manifest/problems.h"

/*
 * YAML text as a plain tree with line:column on every key and value. Built on libfyaml's events
 * rather than its documents, so that every bound is ours: one document, 32 levels, lines of 64 KiB,
 * 500,000 nodes with aliases counted as often as they are used (which defuses "billion laughs"), no
 * cyclic alias, no tags, keys that are plain words and stand once. Nodes live in the caller's
 * arena.
 */
enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node;
struct yaml_item { /* one element of a list (key "") or pair of a map */
    const char *key;
    struct place key_place;
    const struct yaml_node *value;
    struct yaml_item *next;
};
struct yaml_node {
    enum yaml_kind kind;
    bool null;        /* nothing, "~" or "null" unquoted */
    const char *text; /* scalar: NUL-terminated, holds no NUL and no other control character
                         but tab and newline */
    struct yaml_item *items;
    size_t n;        /* items */
    size_t expanded; /* nodes in this subtree with aliases expanded, itself included */
    struct place place;
};

enum { YAML_MAX_DEPTH = 32, YAML_MAX_NODES = 500000 };

/* The root, or NULL with at least one problem added. A tree is also returned when keys stand twice,
 * so that the rest can be checked in the same run: look at l->n. */
const struct yaml_node *yaml_read(const char *text, size_t len, struct arena *a,
                                  struct problem_list *l);
