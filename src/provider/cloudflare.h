#pragma once

#include "provider/static_host.h"

/* Cloudflare Pages' bodies: batches of assets, and the form that creates a deployment. Inside of
 * cloudflare*.c only. */

/* False for what Pages reads itself (_headers, _redirects, functions) or never publishes. */
bool cloudflare_carries(const struct bundle_file *f);
struct file_set cloudflare_files(const struct want *w);

/* Builds the upload of the next batch that has not been sent, and says which it is; false when none
 * is left. The split into batches follows from d->needed alone, so it is the same at each call. */
bool cloudflare_next_batch(struct deployment *d, const struct want *w, struct call *c,
                           size_t *ret_batch);
void cloudflare_batch_sent(struct deployment *d, const struct want *w, size_t batch);

/* The multipart/form-data body; branch "" leaves it out, which means production. */
void cloudflare_form(struct call *c, const struct want *w, const char *branch);
