#include "graphql_ast.h"

#include "base/buf.h"

#include <string.h>

static const char name_first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
static const char name_rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

static void fail(struct gql_lexer *x, const char *error)
{
    if (!x->error) {
        x->error = error;
        x->error_line = x->token_line;
        x->error_column = x->token_column;
    }
    x->token = GQL_END;
    x->text = "";
}

/* Blanks, commas and comments mean nothing. */
static void skip(struct gql_lexer *x)
{
    for (;;) {
        x->at += strspn(x->at, " \t\r,");
        if (*x->at == '#') {
            x->at += strcspn(x->at, "\n");
        } else if (*x->at == '\n') {
            x->line++;
            x->line_start = ++x->at;
        } else {
            return;
        }
    }
}

/* A code point as UTF-8. Surrogates were refused before. */
static void add_utf8(struct buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xC0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_addc(b, (char)(0xE0 | c >> 12));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    }
}

/* Four hex digits, or -1. */
static int hex4(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *d = p[i] ? strchr(digits, p[i]) : NULL;
        if (!d)
            return -1;
        int n = (int)(d - digits);
        value = value * 16 + (n < 16 ? n : n - 6);
    }
    return value;
}

/* Behind a backslash: adds what it stands for and says how long it is; 0 = unknown. */
static size_t add_escape(struct buf *b, const char *p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = *p ? strchr(from, *p) : NULL;
    if (found) {
        buf_addc(b, to[found - from]);
        return 1;
    }
    int code = *p == 'u' ? hex4(p + 1) : -1;
    if (code <= 0 || (code >= 0xD800 && code < 0xE000))
        return 0;
    add_utf8(b, (unsigned)code);
    return 5;
}

static void string_take(struct gql_lexer *x)
{
    struct buf b = BUF_INIT(GQL_TEXT_MAX);
    const char *p = x->at + 1;
    while (*p && *p != '"' && *p != '\n') {
        size_t n = 1;
        if (*p == '\\')
            n += add_escape(&b, p + 1);
        else
            buf_addc(&b, *p);
        if (*p == '\\' && n == 1)
            break;
        p += n;
    }
    x->token = GQL_STRING;
    x->text = arena_strndup(x->arena, buf_str(&b), b.len);
    buf_release(&b);
    if (*p == '"')
        x->at = p + 1;
    else
        fail(x, *p == '\\' ? "Invalid character escape sequence." : "Unterminated string.");
}

/* """text""": the lines are kept as they are. */
static void block_string_take(struct gql_lexer *x)
{
    const char *from = x->at + 3, *end = strstr(from, "\"\"\"");
    if (!end) {
        fail(x, "Unterminated string.");
        return;
    }
    for (const char *p = from; p < end; p++) {
        if (*p == '\n') {
            x->line++;
            x->line_start = p + 1;
        }
    }
    x->token = GQL_STRING;
    x->text = arena_strndup(x->arena, from, (size_t)(end - from));
    x->at = end + 3;
}

static void number_take(struct gql_lexer *x)
{
    size_t n = strspn(x->at, "-+.eE0123456789");
    x->text = arena_strndup(x->arena, x->at, n);
    x->token = strpbrk(x->text, ".eE") ? GQL_FLOAT : GQL_INT;
    x->at += n;
    if (strspn(x->text, "-") == n || n > 40)
        fail(x, "Invalid number.");
}

void gql_next(struct gql_lexer *x)
{
    skip(x);
    x->token_line = x->line;
    x->token_column = (int)(x->at - x->line_start) + 1;
    if (x->error || *x->at == '\0') {
        x->token = GQL_END;
        x->text = "";
    } else if (strchr(name_first, *x->at)) {
        size_t n = strspn(x->at, name_rest);
        x->token = GQL_NAME;
        x->text = arena_strndup(x->arena, x->at, n);
        x->at += n;
    } else if (strncmp(x->at, "\"\"\"", 3) == 0) {
        block_string_take(x);
    } else if (*x->at == '"') {
        string_take(x);
    } else if (strchr("-0123456789", *x->at)) {
        number_take(x);
    } else if (strncmp(x->at, "...", 3) == 0) {
        x->token = GQL_SPREAD;
        x->text = "...";
        x->at += 3;
    } else if (strchr("!$&()[]{}:=@|", *x->at)) {
        x->token = GQL_PUNCT;
        x->text = arena_strndup(x->arena, x->at++, 1);
    } else {
        fail(x, "Unexpected character.");
    }
}

void gql_lexer_init(struct gql_lexer *x, struct arena *arena, const char *text)
{
    *x = (struct gql_lexer){.arena = arena, .at = text, .line_start = text, .line = 1};
    if (strlen(text) > GQL_TEXT_MAX)
        fail(x, "The document is too long.");
    gql_next(x);
}

bool gql_is(const struct gql_lexer *x, char punctuator)
{
    return x->token == GQL_PUNCT && x->text[0] == punctuator;
}

bool gql_is_word(const struct gql_lexer *x, const char *word)
{
    return x->token == GQL_NAME && strcmp(x->text, word) == 0;
}

bool gql_accept(struct gql_lexer *x, char punctuator)
{
    if (!gql_is(x, punctuator))
        return false;
    gql_next(x);
    return true;
}

void gql_unexpected(struct gql_lexer *x)
{
    if (x->token == GQL_END)
        fail(x, "Unexpected <EOF>.");
    else
        fail(x, arena_printf(x->arena, "Unexpected %s\"%s\".", x->token == GQL_NAME ? "Name " : "",
                             x->text));
}

void gql_expect(struct gql_lexer *x, char punctuator)
{
    if (!gql_accept(x, punctuator))
        gql_unexpected(x);
}

const char *gql_name(struct gql_lexer *x)
{
    const char *name = x->text;
    if (x->token != GQL_NAME) {
        gql_unexpected(x);
        return "";
    }
    gql_next(x);
    return name;
}

bool gql_enter(struct gql_lexer *x)
{
    if (++x->depth > GQL_DEPTH_MAX)
        fail(x, "The document is nested too deeply.");
    return !x->error;
}

void gql_leave(struct gql_lexer *x)
{
    x->depth--;
}
