#include "base/redact.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* redact_find looks at pieces of a text as long as the shortest value that there can be. */
enum { VALUE_MIN = 4, PIECE = VALUE_MIN, STEP_MAX = 64, PIECE_BITS = 16 };

/* One writing of a secret. The first form of each value is the plain one. */
struct form {
    char *text; /* wiped when freed */
    size_t len;
    const char *name; /* owned by the redactor's names */
    bool plain;
};

struct redactor {
    struct form *forms; /* longest first, so that a secret inside another does not win */
    size_t n;
    char **names;
    size_t n_names;
    bool first[256]; /* bytes that some form begins with: most of a text is passed by this alone */

    /* For redact_find. Of `step` neighbouring places in a value's first `step` + PIECE - 1 bytes,
     * one is looked at, wherever the value stands. */
    size_t step;                             /* 0 = no values */
    uint64_t pieces[(1 << PIECE_BITS) / 64]; /* a bit for the hash of each piece at those places */
};

struct redactor *redactor_new(void)
{
    return mem_alloc(sizeof(struct redactor));
}

static void wipe_free(char *s, size_t len)
{
    explicit_bzero(s, len);
    free(s);
}

void redactor_free(struct redactor *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        wipe_free(r->forms[i].text, r->forms[i].len);
    for (size_t i = 0; i < r->n_names; i++)
        free(r->names[i]);
    free(r->forms);
    free(r->names);
    free(r);
}

static bool known(const struct redactor *r, const char *text, size_t len)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->forms[i].len == len && memcmp(r->forms[i].text, text, len) == 0)
            return true;
    }
    return false;
}

static void add_form(struct redactor *r, const char *name, const char *text, size_t len, bool plain)
{
    if (len < VALUE_MIN || known(r, text, len))
        return;

    size_t at = 0;
    char *copy = mem_alloc(len + 1);

    memcpy(copy, text, len);
    r->forms = mem_grow(r->forms, r->n + 1, sizeof *r->forms);
    while (at < r->n && r->forms[at].len >= len)
        at++;
    memmove(r->forms + at + 1, r->forms + at, (r->n - at) * sizeof *r->forms);
    r->forms[at] = (struct form){copy, len, name, plain};
    r->n++;
    r->first[(unsigned char)text[0]] = true;
}

/* %2F and %2f mean the same. */
static void add_percent_forms(struct redactor *r, const char *name, const char *value)
{
    struct buf b = BUF_INIT(3 * strlen(value));

    text_percent_encode(&b, value, false);
    add_form(r, name, b.data, b.len, false);
    for (size_t i = 0; i + 2 < b.len; i++) {
        if (b.data[i] != '%')
            continue;
        for (size_t k = i + 1; k <= i + 2; k++) {
            if (b.data[k] >= 'A' && b.data[k] <= 'F')
                b.data[k] = (char)(b.data[k] - 'A' + 'a');
        }
    }
    add_form(r, name, b.data, b.len, false);
    explicit_bzero(b.data, b.len);
    buf_release(&b);
}

static void add_url_alphabet(struct redactor *r, const char *name, char *text, size_t len)
{
    add_form(r, name, text, len, false);
    for (size_t i = 0; i < len; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    add_form(r, name, text, len, false);
}

/* Basic authentication encodes "user:secret", so a value may begin at any of three places in a
 * group of three bytes. Only the characters that depend on nothing but the value are matched. */
static void add_base64_forms(struct redactor *r, const char *name, const char *value)
{
    size_t len = strlen(value), size = 4 * ((len + 4) / 3) + 1;
    uint8_t *shifted = mem_alloc(len + 2);
    char *text = mem_alloc(size);

    add_url_alphabet(r, name, text, base64_encode((const uint8_t *)value, len, text));
    for (size_t shift = 0; shift < 3; shift++) {
        memset(shifted, 0, shift);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not text */
        memcpy(shifted + shift, value, len);
        base64_encode(shifted, shift + len, text);

        size_t from = (8 * shift + 5) / 6, to = 8 * (shift + len) / 6;

        add_url_alphabet(r, name, text + from, to - from);
    }
    wipe_free((char *)shifted, len + 2);
    wipe_free(text, size);
}

/* As the value stands inside a JSON string. */
static void add_json_form(struct redactor *r, const char *name, const char *value)
{
    struct buf b = BUF_INIT(6 * strlen(value));

    for (const char *s = value; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_addf(&b, "\\%c", *s);
        else if (*s == '\n')
            buf_adds(&b, "\\n");
        else if (*s == '\r' || *s == '\t')
            buf_adds(&b, *s == '\r' ? "\\r" : "\\t");
        else
            buf_addc(&b, *s);
    }
    add_form(r, name, b.data, b.len, false);
    explicit_bzero(b.data, b.len);
    buf_release(&b);
}

/* Multiplicative: Knuth, The Art of Computer Programming, volume 3, section 6.4. */
static uint32_t piece_hash(const char *text)
{
    uint32_t piece;

    memcpy(&piece, text, sizeof piece);
    return piece * 2654435769U >> (32 - PIECE_BITS);
}

static bool piece_known(const struct redactor *r, const char *text)
{
    uint32_t hash = piece_hash(text);

    return r->pieces[hash / 64] >> hash % 64 & 1;
}

/* The step is as long as the shortest value allows. */
static void fill_pieces(struct redactor *r)
{
    r->step = STEP_MAX;
    for (size_t i = 0; i < r->n; i++) {
        if (r->forms[i].plain && r->forms[i].len - PIECE + 1 < r->step)
            r->step = r->forms[i].len - PIECE + 1;
    }
    memset(r->pieces, 0, sizeof r->pieces);
    for (size_t i = 0; i < r->n; i++) {
        for (size_t k = 0; r->forms[i].plain && k < r->step; k++) {
            uint32_t hash = piece_hash(r->forms[i].text + k);

            r->pieces[hash / 64] |= UINT64_C(1) << hash % 64;
        }
    }
}

void redactor_add(struct redactor *r, const char *name, const char *value)
{
    if (strlen(value) < VALUE_MIN || known(r, value, strlen(value)))
        return;
    r->names = mem_grow(r->names, r->n_names + 1, sizeof *r->names);
    name = r->names[r->n_names++] = mem_strdup(name);
    add_form(r, name, value, strlen(value), true);
    fill_pieces(r);
    add_percent_forms(r, name, value);
    add_base64_forms(r, name, value);
    add_json_form(r, name, value);
}

/* The form that begins at `text`, or NULL. With `cut`, the text may end before the form does. */
static const struct form *form_at(const struct redactor *r, const char *text, size_t left, bool cut)
{
    if (!r->first[(unsigned char)*text])
        return NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct form *f = &r->forms[i];

        if (f->len <= left && memcmp(f->text, text, f->len) == 0)
            return f;
        if (cut && left >= VALUE_MIN && left < f->len && memcmp(f->text, text, left) == 0)
            return f;
    }
    return NULL;
}

void redact_text(const struct redactor *r, char *text, size_t size)
{
    size_t len = strlen(text);
    /* A text that fills its place may have been cut in the middle of a secret. */
    bool cut = len + 1 >= size;

    if (!r || r->n == 0 || size == 0)
        return;

    struct buf b = BUF_INIT(SIZE_MAX / 2);
    size_t taken = 0; /* of the text, into b */

    for (size_t i = 0; i < len;) {
        const struct form *f = form_at(r, text + i, len - i, cut);

        if (!f) {
            i++;
            continue;
        }
        buf_add(&b, text + taken, i - taken);
        buf_addf(&b, "[%s]", f->name);
        i += f->len < len - i ? f->len : len - i;
        taken = i;
    }
    if (taken > 0) {
        buf_add(&b, text + taken, len - taken);
        explicit_bzero(text, len);
        text_copy(text, size, buf_str(&b));
    }
    buf_release(&b);
}

/* The value that begins in [from, until], or NULL. */
static const struct form *plain_in(const struct redactor *r, const char *text, size_t len,
                                   size_t from, size_t until)
{
    for (size_t at = from; at <= until; at++) {
        if (!r->first[(unsigned char)text[at]])
            continue;
        for (size_t i = 0; i < r->n; i++) {
            const struct form *f = &r->forms[i];

            if (f->plain && f->len <= len - at && memcmp(f->text, text + at, f->len) == 0)
                return f;
        }
    }
    return NULL;
}

/* Whole bundles are searched, for dozens of values at once, so most bytes are passed unseen: any
 * value has one of its known pieces at a multiple of the step. */
bool redact_find(const struct redactor *r, const void *data, size_t len, const char **ret_name)
{
    const char *text = data;

    if (!r || r->step == 0)
        return false;
    for (size_t at = r->step - 1; at + PIECE <= len; at += r->step) {
        if (!piece_known(r, text + at))
            continue;

        const struct form *f = plain_in(r, text, len, at + 1 - r->step, at);

        if (f) {
            if (ret_name)
                *ret_name = f->name;
            return true;
        }
    }
    return false;
}

size_t redact_longest(const struct redactor *r)
{
    for (size_t i = 0; r && i < r->n; i++) {
        if (r->forms[i].plain)
            return r->forms[i].len;
    }
    return 0;
}

/* Forms are ordered by length only, so the digests of the values are added up instead of chained.
 */
void redact_fingerprint(const struct redactor *r, uint8_t ret[16])
{
    uint8_t sum[SHA256_LEN] = {0}, one[SHA256_LEN];

    memset(ret, 0, 16);
    for (size_t i = 0; r && i < r->n; i++) {
        if (!r->forms[i].plain)
            continue;
        sha256(r->forms[i].text, r->forms[i].len, one);
        for (size_t k = 0; k < sizeof one; k++)
            sum[k] = (uint8_t)(sum[k] + one[k]);
    }
    if (r && r->n > 0) {
        sha256(sum, sizeof sum, one);
        memcpy(ret, one, 16);
    }
    explicit_bzero(sum, sizeof sum);
}

void redact_buf(const struct redactor *r, struct buf *b)
{
    if (!redact_find(r, buf_str(b), b->len, NULL))
        return;
    size_t size = 2 * b->len + 1;
    char *text = mem_alloc(size);
    memcpy(text, b->data, b->len);
    redact_text(r, text, size);
    buf_clear(b);
    buf_adds(b, text);
    free(text);
}
