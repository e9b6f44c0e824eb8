#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON on jansson, for text that came from outside. Depth is bounded (64), duplicate keys refused.
 * Getters never fail: a missing or differently typed member is the default. Borrowed results live
 * as long as the tree. Free a tree with json_decref().
 */

/* Parses exactly `len` bytes. `what` names the source in the error: "koyeb: reply". */
json_t *json_read(const char *data, size_t len, const char *what, struct err *e);

/* `path` is dotted, with indexes: "result.latest_stage.name", "data.0.id". NULL when absent. */
json_t *json_at(const json_t *root, const char *path);

const char *json_str(const json_t *root, const char *path, const char *otherwise); /* borrowed */
bool json_flag(const json_t *root, const char *path, bool otherwise);
double json_num(const json_t *root, const char *path, double otherwise);

/* An integer given as a JSON number or as a JSON string of digits (protobuf's int64 form). */
int64_t json_int(const json_t *root, const char *path, int64_t otherwise);

/* Compact text; the caller frees with free(). */
char *json_text(const json_t *root);
