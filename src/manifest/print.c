#include "manifest/schema.h"

#include "base/buf.h"

#include <string.h>

/* The normal form, and equality: both walk the table over the structs. */

static const void *member(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static size_t count(const struct key *row, const void *base)
{
    size_t n;
    memcpy(&n, member(base, row->second), sizeof n);
    return n;
}

static const void *pointer(const struct key *row, const void *base)
{
    const void *p;
    memcpy(&p, member(base, row->at), sizeof p);
    return p;
}

static const char *entry_name(const void *entry)
{
    const char *name;
    memcpy(&name, entry, sizeof name);
    return name;
}

/* --- Scalars of YAML -------------------------------------------------------------------------- */

/* True when the text needs no quotes and no reader takes it for a number, a flag or nothing. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off"};
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/$-";
    if (!*text || text[strspn(text, safe)] != '\0' || strchr("0123456789-", *text))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    return true;
}

/* Code points that YAML or an editor might take for a line break or not show: written as \u. */
static bool write_invisible(const char **text, struct buf *out)
{
    const unsigned char *s = (const unsigned char *)*text;
    if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] <= 0xA0) {
        buf_addf(out, "\\u00%02X", (unsigned)s[1]);
        *text += 2;
        return true;
    }
    if (s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9)) {
        buf_addf(out, "\\u20%02X", s[2] - 0x80u);
        *text += 3;
        return true;
    }
    if (s[0] == 0xEF && (s[1] == 0xBB || s[1] == 0xBF) && s[2] >= 0xBE) {
        buf_addf(out, "\\u%s%02X", s[1] == 0xBB ? "FE" : "FF", s[2] + 0x40u);
        *text += 3;
        return true;
    }
    return false;
}

static void write_text(const char *text, struct buf *out)
{
    if (is_plain(text)) {
        buf_adds(out, text);
        return;
    }
    buf_addc(out, '"');
    while (*text) {
        if (write_invisible(&text, out))
            continue;
        if (*text == '\n')
            buf_adds(out, "\\n");
        else if (*text == '\t')
            buf_adds(out, "\\t");
        else if (*text == '"' || *text == '\\')
            buf_addf(out, "\\%c", *text);
        else
            buf_addc(out, *text);
        text++;
    }
    buf_addc(out, '"');
}

/* On one line when it fits, else one element a line. */
static void write_list(const char *const *strings, size_t n, int indent, struct buf *out)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        width += strlen(strings[i]) + 2;
    if (width > 80) {
        for (size_t i = 0; i < n; i++) {
            buf_addf(out, "\n%*s- ", indent + 2, "");
            write_text(strings[i], out);
        }
        return;
    }
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i ? ", " : "");
        write_text(strings[i], out);
    }
    buf_addc(out, ']');
}

static void write_words(const struct key *row, const void *base, struct buf *out)
{
    struct buf words = BUF_INIT(1000);
    value_write(row, base, &words);
    buf_addc(out, '[');
    for (const char *at = buf_str(&words); *at; at++) {
        if (*at == ',')
            buf_adds(out, ", ");
        else
            buf_addc(out, *at);
    }
    buf_addc(out, ']');
    buf_release(&words);
}

static void write_value(const struct key *row, const void *base, int indent, struct buf *out)
{
    if (row->type == KEY_STRINGS) {
        write_list(pointer(row, base), count(row, base), indent, out);
    } else if (row->type == KEY_WORDS) {
        write_words(row, base, out);
    } else if (row->type == KEY_STRING || row->type == KEY_HOURS || row->type == KEY_TIME) {
        struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
        value_write(row, base, &text);
        write_text(buf_str(&text), out);
        buf_release(&text);
    } else {
        value_write(row, base, out);
    }
}

/* --- Keys ------------------------------------------------------------------------------------- */

static void print_scope(enum scope_id in, const void *base, int indent, struct buf *out);

static void print_key(const char *name, int indent, struct buf *out)
{
    buf_addf(out, "%*s", indent, "");
    write_text(name, out);
    buf_addc(out, ':');
}

static void print_entry(enum scope_id in, const void *entry, int indent, struct buf *out)
{
    print_key(entry_name(entry), indent, out);
    if (schema_scopes[in].single) {
        buf_addc(out, ' ');
        write_value(schema_only_key(in), entry, indent, out);
        buf_addc(out, '\n');
    } else {
        buf_addc(out, '\n');
        print_scope(in, entry, indent + 2, out);
    }
}

/* A binding that was not given; other groups always are, by their defaults. */
static bool not_given(const struct key *row, const void *base)
{
    const struct scope *scope = &schema_scopes[row->of];
    struct place at;
    if (scope->place == (size_t)NO_PLACE)
        return false;
    memcpy(&at, member(member(base, row->at), scope->place), sizeof at);
    return at.line == 0;
}

static void print_group(const struct key *row, const void *base, int indent, struct buf *out)
{
    if (not_given(row, base))
        return;
    size_t before = out->len;
    print_key(row->name, indent, out);
    buf_addc(out, '\n');
    size_t empty = out->len;
    print_scope(row->of, member(base, row->at), indent + 2, out);
    if (out->len == empty && out->data) { /* nothing in it: take the key back */
        out->len = before;
        out->data[before] = '\0';
    }
}

static void print_map(const struct key *row, const void *base, int indent, struct buf *out)
{
    const char *entry = pointer(row, base);
    print_key(row->name, indent, out);
    buf_addc(out, '\n');
    for (size_t i = count(row, base); i > 0; i--, entry += schema_scopes[row->of].size)
        print_entry(row->of, entry, indent + 2, out);
}

static void print_scope(enum scope_id in, const void *base, int indent, struct buf *out)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & SCOPE_BIT(in)) || !schema_applies(row, in, base))
            continue;
        if (row->type == KEY_GROUP) {
            print_group(row, base, indent, out);
            continue;
        }
        /* What nobody gave has no value to show; what is empty against a default has. */
        if (value_absent(row, base) && !row->otherwise && !row->required)
            continue;
        if (row->type == KEY_MAP) {
            print_map(row, base, indent, out);
            continue;
        }
        print_key(row->name, indent, out);
        buf_addc(out, ' ');
        write_value(row, base, indent, out);
        buf_addc(out, '\n');
    }
}

void manifest_print(const struct manifest *m, struct buf *out)
{
    print_scope(SCOPE_FILE, m, 0, out);
}

/* --- Equality --------------------------------------------------------------------------------- */

static bool equal_scope(enum scope_id in, const void *a, const void *b);

static bool equal_maps(const struct key *row, const void *a, const void *b)
{
    const struct scope *scope = &schema_scopes[row->of];
    const char *x = pointer(row, a), *y = pointer(row, b);
    size_t n = count(row, a);
    if (n != count(row, b))
        return false;
    for (; n > 0; n--, x += scope->size, y += scope->size) {
        if (strcmp(entry_name(x), entry_name(y)) != 0 || !equal_scope(row->of, x, y))
            return false;
    }
    return true;
}

static bool equal_scope(enum scope_id in, const void *a, const void *b)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & SCOPE_BIT(in)))
            continue;
        bool same;
        if (row->type == KEY_GROUP)
            same = equal_scope(row->of, member(a, row->at), member(b, row->at));
        else if (row->type == KEY_MAP)
            same = equal_maps(row, a, b);
        else
            same = value_equal(row, a, b);
        if (!same)
            return false;
    }
    return true;
}

bool manifest_equal(const struct manifest *a, const struct manifest *b)
{
    return equal_scope(SCOPE_FILE, a, b);
}
