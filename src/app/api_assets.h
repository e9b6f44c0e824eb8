#pragma once

#include "base/embed.h"

#include <stdbool.h>
#include <stddef.h>

struct http_exchange;

/* The dashboard's files, which are in the program itself. */
extern const struct embedded_asset web_assets[]; /* sorted by path; made by tools/embed_assets */
extern const size_t web_assets_count;            /* 0: built without the dashboard */

/* "/" is /index.html. NULL when there is no such file. */
const struct embedded_asset *asset_find(const struct embedded_asset *all, size_t n,
                                        const char *path);
/* Does this Accept-Encoding (NULL when absent) take gzip? */
bool asset_takes_gzip(const char *accept_encoding);
/* Does this If-None-Match (NULL when absent) name this entity tag, quotes included? */
bool asset_is_known(const char *if_none_match, const char *etag);
/* Answers with the file, compressed where the client takes it, or that the client has it already.
 */
void asset_answer(struct http_exchange *x, const struct embedded_asset *a);
/* Says that this program was built without the dashboard, and how to get it. */
void asset_answer_none(struct http_exchange *x);
