#include "provider/cloudflare.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Limits and dealing as wrangler has them: so much the API is known to take. */
enum { BATCH_BYTES = 40 << 20, BATCH_FILES = 2000, LEAST_BATCHES = 3, MESSAGE_MAX = 384 };

static const char *const special[] = {"_headers", "_redirects"};

/* The part of the path up to a slash or the end is `name`. */
static bool part_is(const char *part, const char *name)
{
    size_t n = strlen(name);

    return strncmp(part, name, n) == 0 && (part[n] == '\0' || part[n] == '/');
}

bool cloudflare_carries(const struct bundle_file *f)
{
    static const char *const top[] = {"_worker.js",   "_redirects", "_headers",
                                      "_routes.json", "functions",  ".wrangler"};
    static const char *const anywhere[] = {".DS_Store", "node_modules", ".git"};

    for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++)
        if (part_is(f->path, top[i]))
            return false;
    for (const char *part = f->path; part; part = strchr(part, '/')) {
        part += *part == '/';
        for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
            if (part_is(part, anywhere[i]))
                return false;
    }
    return true;
}

struct file_set cloudflare_files(const struct want *w)
{
    return (struct file_set){w->bundle, DIGEST_PAGES, cloudflare_carries, NULL};
}

/* --- Batches ---------------------------------------------------------------------------------- */

struct dealt {
    const struct bundle_file *file;
    size_t index, batch;
};

struct batch {
    uint64_t bytes;
    size_t files;
};

static int largest_first(const void *a, const void *b)
{
    const struct dealt *x = a, *y = b;

    if (x->file->size != y->file->size)
        return x->file->size < y->file->size ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Files that had to travel at all, dealt round like cards over at least three batches, so that
 * these fill evenly; a full one is passed over. Returns their number; the caller frees *ret. */
static size_t deal(const struct deployment *d, const struct bundle *b, struct dealt **ret)
{
    struct dealt *files = mem_array(b->n, sizeof(*files));
    struct batch *batches = mem_array(b->n + LEAST_BATCHES, sizeof(*batches));
    size_t n = 0, n_batches = LEAST_BATCHES;

    for (size_t i = 0; i < b->n; i++)
        if (d->needed[i] >= FILE_MISSING)
            files[n++] = (struct dealt){&b->files[i], i, 0};
    qsort(files, n, sizeof(*files), largest_first);
    for (size_t i = 0; i < n; i++) {
        size_t turn = 0, at = 0;
        for (; turn < n_batches; turn++) {
            at = (i + turn) % n_batches;
            if (batches[at].files < BATCH_FILES &&
                batches[at].bytes + files[i].file->size <= BATCH_BYTES)
                break;
        }
        if (turn == n_batches)
            at = n_batches++;
        batches[at].files++;
        batches[at].bytes += files[i].file->size;
        files[i].batch = at;
    }
    free(batches);
    *ret = files;
    return n;
}

static void add_text(struct call *c, const char *text)
{
    http_request_text(&c->http, text, strlen(text));
}

static void add_asset(struct call *c, const struct bundle_file *f, bool first)
{
    struct arena *a = &c->http.arena;

    add_text(c, arena_printf(a, "%s{\"key\":\"%s\",\"value\":\"", first ? "[" : ",", f->pages));
    http_request_file(&c->http, f->source, (size_t)f->size, true);
    add_text(c, arena_printf(a, "\",\"metadata\":{\"contentType\":\"%s\"},\"base64\":true}",
                             provider_content_type(f->path)));
}

bool cloudflare_next_batch(struct deployment *d, const struct want *w, struct call *c,
                           size_t *ret_batch)
{
    struct dealt *files;
    size_t n = deal(d, w->bundle, &files), from = 0;
    bool first = true;

    while (from < n && d->needed[files[from].index] != FILE_MISSING)
        from++;
    if (from < n)
        *ret_batch = files[from].batch;
    for (size_t i = from; i < n; i++) {
        if (files[i].batch != files[from].batch || d->needed[files[i].index] != FILE_MISSING)
            continue;
        add_asset(c, files[i].file, first);
        d->needed[files[i].index] = FILE_SENDING;
        first = false;
    }
    if (!first)
        add_text(c, "]");
    free(files);
    return !first;
}

void cloudflare_batch_sent(struct deployment *d, const struct want *w, size_t batch)
{
    struct file_set set = cloudflare_files(w);
    struct dealt *files;
    size_t n = deal(d, w->bundle, &files);

    for (size_t i = 0; i < n; i++)
        if (files[i].batch == batch)
            uploads_sent(d, &set, files[i].index);
    free(files);
}

/* --- The form --------------------------------------------------------------------------------- */

static void add_field(struct call *c, const char *boundary, const char *name, const char *value)
{
    add_text(c, arena_printf(&c->http.arena,
                             "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
                             boundary, name));
    add_text(c, value);
    add_text(c, "\r\n");
}

static void add_manifest(struct call *c, const char *boundary, const struct want *w)
{
    json_t *manifest = json_object();

    for (size_t i = 0; i < w->bundle->n; i++) {
        const struct bundle_file *f = &w->bundle->files[i];
        if (cloudflare_carries(f))
            json_object_set_new(manifest, arena_printf(&c->http.arena, "/%s", f->path),
                                json_string(f->pages));
    }
    char *text = json_text(manifest);
    add_field(c, boundary, "manifest", text);
    free(text);
    json_decref(manifest);
}

static void add_special(struct call *c, const char *boundary, const struct want *w)
{
    for (size_t i = 0; i < w->bundle->n; i++) {
        const struct bundle_file *f = &w->bundle->files[i];
        for (size_t k = 0; k < sizeof(special) / sizeof(special[0]); k++) {
            if (strcmp(f->path, special[k]) != 0)
                continue;
            add_text(c, arena_printf(&c->http.arena,
                                     "--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
                                     "filename=\"%s\"\r\nContent-Type: application/octet-stream"
                                     "\r\n\r\n",
                                     boundary, special[k], special[k]));
            http_request_file(&c->http, f->source, (size_t)f->size, false);
            add_text(c, "\r\n");
        }
    }
}

void cloudflare_form(struct call *c, const struct want *w, const char *branch)
{
    /* The digest of all the content cannot stand in a part of it. */
    const char *boundary = arena_printf(&c->http.arena, "trine-%s", w->bundle->digest);
    char message[MESSAGE_MAX + 1];

    http_request_header(&c->http, "Content-Type", "multipart/form-data; boundary=%s", boundary);
    add_manifest(c, boundary, w);
    if (branch[0])
        add_field(c, boundary, "branch", branch);
    marker_title(w, message, sizeof(message));
    add_field(c, boundary, "commit_message", message);
    if (w->commit[0])
        add_field(c, boundary, "commit_hash", w->commit);
    add_field(c, boundary, "commit_dirty", "false");
    add_special(c, boundary, w);
    add_text(c, arena_printf(&c->http.arena, "--%s--\r\n", boundary));
}
