#include "provider/static_host.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t file_set_count(const struct file_set *s)
{
    return s->bundle->n + (s->extra ? 1 : 0);
}

const char *file_set_digest(const struct file_set *s, size_t i)
{
    if (i == s->bundle->n)
        return s->extra;
    return s->kind == DIGEST_PAGES ? s->bundle->files[i].pages : s->bundle->files[i].sha1;
}

size_t file_set_size(const struct file_set *s, size_t i)
{
    return i < s->bundle->n ? (size_t)s->bundle->files[i].size : 0;
}

static bool carried(const struct file_set *s, size_t i)
{
    return i == s->bundle->n || !s->carries || s->carries(&s->bundle->files[i]);
}

size_t file_set_carried(const struct file_set *s)
{
    size_t n = 0;

    for (size_t i = 0; i < file_set_count(s); i++)
        n += carried(s, i);
    return n;
}

struct digest_place {
    const char *digest;
    size_t index;
};

static int by_digest(const void *a, const void *b)
{
    const struct digest_place *x = a, *y = b;
    int c = strcmp(x->digest, y->digest);

    return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* Sorted by digest, of equal ones only the first file. The caller frees. */
static struct digest_place *unique_places(const struct file_set *s, size_t *ret_n)
{
    size_t count = file_set_count(s), n = 0, kept = 0;
    struct digest_place *places = mem_array(count, sizeof(*places));

    for (size_t i = 0; i < count; i++)
        if (carried(s, i))
            places[n++] = (struct digest_place){file_set_digest(s, i), i};
    qsort(places, n, sizeof(*places), by_digest);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(places[i].digest, places[kept - 1].digest) != 0)
            places[kept++] = places[i];
    *ret_n = kept;
    return places;
}

static int by_index(const void *a, const void *b)
{
    const struct digest_place *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

json_t *file_set_digests(const struct file_set *s)
{
    json_t *list = json_array();
    size_t n;
    struct digest_place *places = unique_places(s, &n);

    qsort(places, n, sizeof(*places), by_index);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(places[i].digest));
    free(places);
    return list;
}

static const struct digest_place *find_place(const struct digest_place *places, size_t n,
                                             const char *digest)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(places[middle].digest, digest);
        if (c == 0)
            return &places[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int mark_missing(uint8_t *needed, const struct file_set *s, const json_t *digests,
                        struct err *e)
{
    const json_t *item;
    size_t n, i;
    struct digest_place *places = unique_places(s, &n);
    int rc = 0;

    json_array_foreach(digests, i, item)
    {
        const char *digest = json_string_value(item);
        const struct digest_place *p = digest ? find_place(places, n, digest) : NULL;
        if (!p) {
            rc = err_set(e, ERR_REMOTE, "it asks for a file that is not in the bundle (%.80s)",
                         digest ? digest : "no text");
            break;
        }
        needed[p->index] = FILE_MISSING;
    }
    free(places);
    return rc;
}

int uploads_require(struct deployment *d, const struct file_set *s, const json_t *digests,
                    struct err *e)
{
    size_t count = file_set_count(s);

    if (!json_is_array(digests))
        return err_set(e, ERR_REMOTE, "the reply does not list the files to be uploaded");
    uint8_t *needed = mem_array(count, 1);
    memset(needed, FILE_HAVE, count);
    if (mark_missing(needed, s, digests, e) < 0) {
        free(needed);
        return -1;
    }
    free(d->needed);
    d->needed = needed;
    d->cursor = 0;
    d->uploads_total = d->uploads_done = 0;
    d->bytes_total = d->bytes_done = 0;
    for (size_t i = 0; i < count; i++)
        if (needed[i] == FILE_MISSING) {
            d->uploads_total++;
            d->bytes_total += file_set_size(s, i);
        }
    return 0;
}

bool uploads_next(struct deployment *d, const struct file_set *s, size_t *ret)
{
    for (size_t i = d->cursor; i < file_set_count(s); i++)
        if (d->needed[i] == FILE_MISSING) {
            d->needed[i] = FILE_SENDING;
            d->cursor = i + 1;
            *ret = i;
            return true;
        }
    return false;
}

void uploads_sent(struct deployment *d, const struct file_set *s, size_t i)
{
    if (!d->needed || i >= file_set_count(s) || d->needed[i] == FILE_SENT ||
        d->needed[i] == FILE_HAVE)
        return;
    d->needed[i] = FILE_SENT;
    d->uploads_done++;
    d->bytes_done += file_set_size(s, i);
}

bool uploads_complete(const struct deployment *d)
{
    return d->needed && d->uploads_done == d->uploads_total;
}

void uploads_take_back(struct deployment *d, const struct file_set *s)
{
    for (size_t i = 0; d->needed && i < file_set_count(s); i++)
        if (d->needed[i] == FILE_SENDING)
            d->needed[i] = FILE_MISSING;
}

unsigned upload_timeout_ms(uint64_t bytes)
{
    uint64_t ms = 60000 + bytes / 64;

    return ms < INT32_MAX ? (unsigned)ms : INT32_MAX;
}

void marker_title(const struct want *w, char *ret, size_t size)
{
    const char *message = w->message ? w->message : "";
    size_t first_line = strcspn(message, "\r\n"), valid;
    int n = snprintf(ret, size, "%s%s%.*s", w->marker, first_line ? ": " : "", (int)first_line,
                     message);

    if (n > 0 && !text_is_utf8(ret, strlen(ret), &valid))
        ret[valid] = '\0';
}

bool marker_begins(const char *title, const char *marker)
{
    size_t n = strlen(marker);

    return n > 0 && strncmp(title, marker, n) == 0 && (title[n] == '\0' || title[n] == ':');
}

json_t *reply_peek(const struct http_reply *r)
{
    struct err ignored = ERR_INIT;

    return json_read(r->body, r->len, "reply", &ignored);
}

void static_fail(struct deployment *d, int step, const char *word, const char *detail)
{
    (void)text_copy(d->word, sizeof(d->word), word);
    (void)text_copy(d->detail, sizeof(d->detail), detail);
    d->step = step;
}

int check_project_name(const char *name, size_t most, const char *title, struct err *e)
{
    size_t n = strlen(name);

    if (n >= 1 && n <= most && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
        name[0] != '-' && name[n - 1] != '-')
        return 0;
    return err_set(
        e, ERR_MANIFEST,
        "%s: \"%.100s\" cannot be a project's name; it takes 1 to %zu lower-case letters, "
        "digits and dashes, no dash at the ends",
        title, name, most);
}
