#pragma once

#include "provider/provider.h"

/*
 * What makes a folder of files a prebuilt output for Vercel (Build Output API v3): its config.json.
 * The rules of _headers and _redirects, which Cloudflare Pages and Netlify read themselves, become
 * routes; both files are then left out of what is served.
 */

/* False for the two rule files at the top. */
bool vercel_carries(const struct bundle_file *f);

/* The text of config.json; the caller frees. NULL: a rule that cannot be said to Vercel
 * (ERR_MANIFEST, with file and line), or a file that cannot be read. Equal bundles give equal text.
 */
char *vercel_config(const struct bundle *b, struct err *e);
