#pragma once

#include "manifest/manifest.h"

#include <stdbool.h>

/*
 * The one table of the manifest's language: a row a key. The reader (parse.c), the normal form
 * (print.c), the JSON Schema and the reference (describe.c) all walk it; none knows a key by name.
 * What no row can say (references between places of the file) is in check.c. Constant data.
 *
 * A scope is a place where keys stand: the file, one app, one environment, ... The six bindings of
 * an environment are six scopes over one struct, so a row says in which of them it has a meaning.
 */
enum scope_id {
    SCOPE_FILE,
    SCOPE_APP,
    SCOPE_VARIABLE,
    SCOPE_ENVIRONMENT,
    SCOPE_STATIC,
    SCOPE_SERVICE,
    SCOPE_MOBILE,
    SCOPE_DATABASE,
    SCOPE_CACHE,
    SCOPE_STORAGE,
    SCOPE_CHECK,
    SCOPE_HEADER,
    SCOPE_PROBE,
    SCOPE_TARGETS,
    SCOPE_ROUTE,
    SCOPE_WEIGHT,
    SCOPE_DNS,
    SCOPE_ANSWER,
    SCOPE_BUDGET,
    SCOPE_PRICE,
    SCOPE_LIMIT,
    SCOPE_KEEP_AWAKE,
    SCOPE_ALERT,
    SCOPE_COPY,
    SCOPE_BACKUP,
    SCOPE_OBJECTS,
    SCOPE_PARITY,
    SCOPE_SCHEDULE,
    SCOPE_BENCH,
    SCOPE_SCORE,
    SCOPE_HISTORY,
    SCOPE_CRITERIA,
    SCOPE_GITHUB,
    SCOPES
};

enum key_type {               /* member's type; text form */
                KEY_STRING,   /* const char *; never NULL */
                KEY_INTEGER,  /* int; 5024 */
                KEY_FLAG,     /* bool; true, false */
                KEY_WORD,     /* int-sized enum; one of `words` */
                KEY_WORDS,    /* unsigned bits; a list of `words` */
                KEY_DURATION, /* int64_t ms; 500ms */
                KEY_RATE,     /* double 0..1; 99.9% */
                KEY_BYTES,    /* int64_t; 8GB */
                KEY_MONEY,    /* int64_t cents, char[4] currency at `second`; 10 USD */
                KEY_QUANTITY, /* struct manifest_quantity; any of count, bytes, hours, money */
                KEY_TIME,     /* int minute of the day, -1 = not given; "03:00" */
                KEY_HOURS,    /* struct manifest_hours; "09:00-18:00" */
                KEY_STRINGS,  /* const char **, size_t at `second`; a list, or one string alone */
                KEY_GROUP,    /* a struct of scope `of`, embedded */
                KEY_MAP,      /* array of structs of scope `of`, size_t at `second`; NAME: struct */
};

/* Where "$" may stand in a string. */
enum dollar {
    DOLLAR_REFUSED,
    DOLLAR_NAME,  /* $NAME, resolved by secrets_expand */
    DOLLAR_SHELL, /* a command: the shell's affair */
};

/* NULL when fine, else why not, ending in what to write instead. Constant text. */
typedef const char *schema_check_fn(const char *value);

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the order in which rows are read */
struct key {
    uint64_t in; /* bits of enum scope_id */
    const char *name;
    enum key_type type;
    size_t at, second; /* offsets into the scope's struct */
    int64_t min, max;  /* numbers in the member's unit; KEY_STRINGS, KEY_MAP: at most max items */
    const char *otherwise;    /* default as it would be written; NULL = not given */
    const char *const *words; /* NULL-terminated */
    enum scope_id of;
    unsigned only; /* bits of the scope's kind for which the key has a meaning; 0 = all */
    bool required;
    bool overnight; /* KEY_HOURS: may go past midnight, 22:00-07:00 */
    enum dollar dollar;
    schema_check_fn *check;
    const char *help; /* one sentence without full stop */
};

struct scope {
    const char *what; /* "an app" */
    size_t size;
    size_t place;    /* offset of its struct place, or NO_PLACE */
    uint64_t family; /* scopes that share the struct */
    int kind;        /* offset of its kind member, or -1 */
    bool single;     /* NAME: value, where value is that of the scope's only key */
    const char *const *kinds;
    schema_check_fn *name_check; /* of NAME; entries' structs begin with `const char *name` */
    const char *name;            /* stands for NAME in the reference */
};
enum { NO_PLACE = -1 };
#define SCOPE_BIT(id) (UINT64_C(1) << (id))

extern const struct scope schema_scopes[SCOPES];
extern const struct key schema_keys[];
extern const size_t schema_n_keys;

extern const char *const schema_app_kinds[],
    *const schema_check_kinds[], *const schema_metrics[], *const schema_events[],
                                                              *const schema_weekdays[],
                                                                  *const schema_alert_kinds[];
extern const char *const schema_dns_keys[];

/* The row of `name` in this scope, NULL when unknown. */
const struct key *schema_find(enum scope_id in, const char *name);

/* True when the row has a meaning for this very struct (its kind). */
bool schema_applies(const struct key *row, enum scope_id in, const void *base);

/* The one row of a scope whose entries are NAME: value. */
const struct key *schema_only_key(enum scope_id in);

/* Values of text, by the row's type; shared by the reader and the defaults. -1 leaves the member
 * untouched and puts why, and what to write instead, into e->text, which never quotes a value that
 * may be secret. `a` keeps strings. Scalars, and KEY_WORDS as "a,b". */
int value_read(const struct key *row, const char *text, void *base, struct arena *a, struct err *e);

/* One string as a row wants it (its `check` and `dollar`); elements of lists too. */
int value_check_string(const struct key *row, const char *text, struct err *e);

/* The index of `text` among the row's words. */
int value_word(const struct key *row, const char *text, unsigned *ret, struct err *e);

/* The member's text as value_read takes it. */
void value_write(const struct key *row, const void *base, struct buf *out);

/* True when the member is as if it had not been given and its row had no default. */
bool value_absent(const struct key *row, const void *base);

/* Makes the member so. */
void value_clear(const struct key *row, void *base);

/* Equal contents; scalars and KEY_STRINGS. */
bool value_equal(const struct key *row, const void *a, const void *b);

/* What single values must look like (rules.c). */
schema_check_fn check_name, check_instance, check_variable, check_secret_name, check_header,
    check_pattern, check_relative, check_url_path, check_uuid, check_glob, check_url, check_date,
    check_repository, check_listen, check_host, check_address, check_time_zone, check_credential,
    check_address_of, check_alert_address, check_expect_header, check_expect_json;
