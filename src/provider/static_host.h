#pragma once

#include "provider/provider.h"
#include "provider/service.h"

/*
 * What the translators of static hosts (Cloudflare Pages, Netlify, Vercel) share: which files of a
 * bundle a platform is given, which of them it asked for, and the text by which a deployment of
 * ours is known again. No state but the deployment's own members.
 */

/* --- The files a platform is given ------------------------------------------------------------ */

enum digest_kind { DIGEST_SHA1, DIGEST_PAGES };

struct file_set {
    const struct bundle *bundle;
    enum digest_kind kind;
    bool (*carries)(const struct bundle_file *f); /* false: not part of what is published */
    const char *extra; /* digest of one file more, behind the last, made by the provider; or NULL */
};

/* Number of files, the extra one included; files are named by their index. */
size_t file_set_count(const struct file_set *s);
size_t file_set_carried(const struct file_set *s); /* of these, how many are published */
const char *file_set_digest(const struct file_set *s, size_t i);
size_t file_set_size(const struct file_set *s, size_t i); /* bytes; the extra file counts 0 */

/* Every digest once, in the order of the paths; new reference to a JSON array. */
json_t *file_set_digests(const struct file_set *s);

/* --- The files it asked for ------------------------------------------------------------------- */

/* Notes in d->needed that the digests of a JSON array have to be uploaded, each once, by the first
 * file that has it; all others are there. ERR_REMOTE when it is no array of strings or asks for
 * something that is not in the set: *d is then as it was. */
int uploads_require(struct deployment *d, const struct file_set *s, const json_t *digests,
                    struct err *e);

/* Hands out the next file that is missing, as FILE_SENDING; false when there is none left. */
bool uploads_next(struct deployment *d, const struct file_set *s, size_t *ret);
void uploads_sent(struct deployment *d, const struct file_set *s, size_t i);
bool uploads_complete(const struct deployment *d);

/* Files handed out whose requests were dropped are missing again (d->cursor stays). */
void uploads_take_back(struct deployment *d, const struct file_set *s);

/* Time allowed for sending `bytes`: a minute, and what they take at 64 kB a second. */
unsigned upload_timeout_ms(uint64_t bytes);

/* --- The mark of our own deployments ---------------------------------------------------------- */

/* "MARKER: first line of the commit message", at most `size` - 1 bytes, whole characters. */
void marker_title(const struct want *w, char *ret, size_t size);
bool marker_begins(const char *title, const char *marker);

/* --- Replies ---------------------------------------------------------------------------------- */

/* The reply's JSON, or NULL when it is not JSON: for messages only. */
json_t *reply_peek(const struct http_reply *r);

/* Ends the deployment: its last word and why. */
void static_fail(struct deployment *d, int step, const char *word, const char *detail);

/* ERR_MANIFEST unless the name is 1 to `most` lower-case letters, digits and inner dashes: it
 * becomes a part of a host name on all three. */
int check_project_name(const char *name, size_t most, const char *title, struct err *e);
