#include "base/buf.h"
#include "base/mem.h"
#include "data.h"
#include "manifest/schema.h"
#include "test.h"

#include <stdlib.h>

/*
 * The normal form parses back to an equal manifest, and is then a fixed point: for the example and
 * for 1,000 manifests made at random from the schema table itself, so a new key is covered at once.
 */

static bool is_normal(const struct manifest *m)
{
    struct buf once = BUF_INIT(MANIFEST_MAX_BYTES), twice = BUF_INIT(MANIFEST_MAX_BYTES);
    struct manifest *again = NULL;
    manifest_print(m, &once);
    again = parse_text(buf_str(&once));
    bool ok = again && manifest_equal(m, again);
    if (ok) {
        manifest_print(again, &twice);
        ok = strcmp(buf_str(&once), buf_str(&twice)) == 0;
    }
    if (!ok)
        printf("# normal form:\n%s\n# again:\n%s\n", buf_str(&once), buf_str(&twice));
    manifest_free(again);
    buf_release(&once);
    buf_release(&twice);
    return ok;
}

static void the_example_is_equal_to_its_normal_form(void)
{
    struct manifest *m = load_example();
    CHECK(m && is_normal(m));
    manifest_free(m);
}

static void the_normal_form_shows_defaults_and_no_keys_without_value(void)
{
    struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
    struct manifest *m = parse_text("project: p\n"
                                    "apps: { api: { kind: service, health: /up } }\n"
                                    "environments: { e: { branch: b } }\n");
    CHECK(m != NULL);
    if (!m)
        return;
    manifest_print(m, &out);
    CHECK(strstr(buf_str(&out), "rotation_after: 30d\n"));
    CHECK(strstr(buf_str(&out), "    health: /up\n"));
    CHECK(strstr(buf_str(&out), "    commit_field: commit\n"));
    CHECK(!strstr(buf_str(&out), "targets"));
    CHECK(!strstr(buf_str(&out), "static:"));
    CHECK(!strstr(buf_str(&out), "output"));
    buf_release(&out);
    manifest_free(m);
}

static void a_manifest_differs_from_another(void)
{
    struct manifest *a = parse_text("project: p\napps: { a: { kind: static } }\n"
                                    "environments: { e: { branch: b } }\n");
    struct manifest *b = parse_text("project: p\napps: { a: { kind: static, output: out } }\n"
                                    "environments: { e: { branch: b } }\n");
    CHECK(a && b && manifest_equal(a, a) && !manifest_equal(a, b));
    manifest_free(a);
    manifest_free(b);
}

static void the_largest_lists_and_strings_come_back(void)
{
    struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    buf_adds(&text, "project: p\napps:\n  web:\n    kind: static\n    build: \"");
    for (int i = 0; i < 8192; i++)
        buf_adds(&text, "\\u0085"); /* two bytes, the longest of the escapes */
    buf_adds(&text, "\"\n    instances:\n");
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, "      - instance-%d\n", i);
    buf_adds(&text, "environments: { e: { branch: b } }\n");
    struct manifest *m = parse_text(buf_str(&text));
    CHECK(m && is_normal(m));
    manifest_free(m);
    buf_release(&text);
}

/* --- Random manifests from the table -------------------------------------------------------------
 */

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
    random_state ^= random_state << 13; /* xorshift64, Marsaglia 2003 */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 32) % n);
}

static void random_text(struct buf *out)
{
    static const char *const pieces[] = {
        "a",  " ",   "\\\"", "\\\\", "\\n", "\\t",     ": ",      " #",      "- ",     "{}",
        "[]", "'",   "%",    "&x",   "*y",  "!z",      "|",       ">",       "@",      "~",
        "0",  "1e3", "null", "true", "---", "\\u0085", "\\u2028", "\\uFEFF", "\u00e9", "\u6771"};
    buf_addc(out, '"');
    for (unsigned n = 1 + random_below(6); n > 0; n--)
        buf_adds(out, pieces[random_below(sizeof pieces / sizeof pieces[0])]);
    buf_addc(out, '"');
}

/* Texts that pass the rows' checks. */
static void random_string(const struct key *row, struct buf *out)
{
    static const struct {
        schema_check_fn *check;
        const char *texts[3];
    } rows[] = {
        {check_name, {"one", "two", "one"}},
        {check_instance, {"red", "blue-2", "\"\""}},
        {check_secret_name, {"TOKEN", "KEY_ID", "A1"}},
        {check_pattern, {"\"{app}-{instance}-x\"", "\"{environment}-{app}-{instance}\"", "x"}},
        {check_relative, {"src/a", "\"a b\"", "."}},
        {check_url_path, {"/", "\"/a?b=c&d\"", "/up"}},
        {check_uuid, {"7b1d6f0a-3c52-4e8e-9a41-5d0f2c9e6b13", "$ID", "\"\""}},
        {check_glob, {"\"*\"", "\"we?\"", "web"}},
        {check_url, {"\"https://a.example/x\"", "\"http://127.0.0.1:1\"", "\"http://a\""}},
        {check_date, {"2026-12-21", "\"2027-01-01\"", "\"\""}},
        {check_repository, {"a/b", "\"weedgo/weedgo\"", "\"\""}},
        {check_listen, {"\"127.0.0.1:80\"", "\"[::1]:8080\"", "\"localhost:1\""}},
        {check_host, {"a.example", "b", "\"\""}},
        {check_address, {"\"a@b.example\"", "\"c@d\"", "\"e@f\""}},
        {check_time_zone, {"UTC", "America/Toronto", "Etc/GMT+3"}},
        {check_credential, {"$TOKEN", "\"${TOKEN}\"", "\"\""}},
        {check_expect_header, {"\"Server: x\"", "\"X-A: $b\"", "\"\""}},
        {check_expect_json, {"\"a.0.b = c\"", "\"ok=true\"", "\"\""}},
        {check_alert_address, {"$URL", "\"${HOOK}\"", "$A"}},
        {check_address_of, {"$URL", "\"https://u:$P@h\"", "\"http://h/p\""}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].check == row->check) {
            buf_adds(out, rows[i].texts[random_below(3)]);
            return;
        }
    }
    if (row->words)
        buf_adds(out, row->words[0]);
    else
        random_text(out);
}

static void random_number(const struct key *row, struct buf *out)
{
    static const char *const durations[] = {"1m",  "90s", "1h", "1500ms",
                                            "36h", "2d",  "7d", "250ms"};
    struct err e;
    int64_t ms[1];
    struct key alone = *row;
    alone.at = 0;
    if (row->type == KEY_INTEGER) {
        int64_t span = row->max - row->min < 1000 ? row->max - row->min : 1000;
        buf_addf(out, "%d", (int)row->min + (int)random_below((unsigned)span + 1));
        return;
    }
    unsigned first = random_below(8);
    for (unsigned i = 0; i < 8; i++) {
        const char *text = durations[(first + i) % 8];
        if (value_read(&alone, text, ms, NULL, &e) == 0) {
            buf_adds(out, text);
            return;
        }
    }
    printf("# no duration for %s\n", row->name);
}

static void random_scalar(const struct key *row, struct buf *out)
{
    static const char *const rates[] = {"0%", "99.9%", "12.345678%", "100%", "0.1%", "33.3%"};
    static const char *const money[] = {"0 USD", "10.50 USD", "9.05 USD"};
    static const char *const sizes[] = {"8GB", "1B", "1.5GiB", "1000001B"};
    switch (row->type) {
    case KEY_FLAG:
        buf_adds(out, random_below(2) ? "true" : "false");
        break;
    case KEY_RATE:
        buf_adds(out, rates[random_below(6)]);
        break;
    case KEY_BYTES:
        buf_adds(out, sizes[random_below(4)]);
        break;
    case KEY_MONEY:
        buf_adds(out, money[random_below(3)]);
        break;
    case KEY_TIME:
        buf_adds(out, random_below(2) ? "\"00:00\"" : "\"23:59\"");
        break;
    case KEY_HOURS:
        buf_adds(out, random_below(2) ? "\"00:00-24:00\"" : "\"09:30-18:00\"");
        break;
    case KEY_INTEGER:
    case KEY_DURATION:
        random_number(row, out);
        break;
    case KEY_WORDS:
        buf_addf(out, random_below(3) ? "[%s]" : "[]", row->words[random_below(2)]);
        break;
    case KEY_STRINGS:
        buf_adds(out, "[");
        random_string(row, out);
        buf_adds(out, "]");
        break;
    case KEY_STRING:
        random_string(row, out);
        break;
    case KEY_WORD:
    case KEY_QUANTITY:
    case KEY_GROUP:
    case KEY_MAP:
        break;
    }
}

/* Keys whose values depend on others; the templates below give them. */
static bool by_template(enum scope_id in, const struct key *row)
{
    if ((in == SCOPE_ALERT && strcmp(row->name, "url") == 0) ||
        (in == SCOPE_SCHEDULE && strcmp(row->name, "weekdays") == 0))
        return true;
    static const char *const names[] = {
        "kind",    "platform", "run",     "limit",    "alert",     "metric",     "at",
        "every",   "day",      "path",    "from",     "to",        "app",        "branch",
        "check",   "weights",  "backup",  "failover", "keys",      "class",      "slow",
        "timeout", "origin",   "command", "monthly",  "elsewhere", "name",       "instances",
        "project", "price",    "fast",    "down",     "hold",      "cold_every", "connect_within"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], row->name) == 0)
            return true;
    return row->type == KEY_GROUP || row->type == KEY_WORD || row->type == KEY_QUANTITY;
}

/* Some of the scope's own keys, as ", key: value". `kind` is the index of the scope's kind. */
static void random_keys(enum scope_id in, unsigned kind, struct buf *out)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        bool has_meaning = !row->only || (row->only & (1u << kind));
        if (!(row->in & SCOPE_BIT(in)) || !has_meaning || random_below(2))
            continue;
        if (row->type == KEY_MAP && schema_scopes[row->of].single && !by_template(in, row)) {
            buf_addf(out, ", %s: { NAME_%u: ", row->name, random_below(9));
            random_text(out);
            buf_adds(out, " }");
        } else if (row->type != KEY_MAP && !by_template(in, row)) {
            buf_addf(out, ", %s: ", row->name);
            random_scalar(row, out);
        }
    }
}

static void random_group(const char *before, enum scope_id in, unsigned kind, const char *after,
                         struct buf *out)
{
    buf_adds(out, before);
    random_keys(in, kind, out);
    buf_adds(out, after);
}

static void random_environments(struct buf *out)
{
    static const char *const names[] = {"one", "two"};
    buf_adds(out, "environments:\n");
    for (int i = 0; i < 2; i++) {
        buf_addf(out, "  %s: { branch: b", names[i]);
        random_keys(SCOPE_ENVIRONMENT, 0, out);
        random_group(",\n    static: { platform: netlify", SCOPE_STATIC, 0, " }", out);
        random_group(",\n    service: { platform: render", SCOPE_SERVICE, 0, " }", out);
        random_group(",\n    mobile: { platform: expo", SCOPE_MOBILE, 0, " }", out);
        random_group(",\n    database: { platform: neon", SCOPE_DATABASE, 0, " }", out);
        random_group(",\n    cache: { platform: redis", SCOPE_CACHE, 0, " }", out);
        random_group(",\n    storage: { platform: s3", SCOPE_STORAGE, 0, " } }\n", out);
    }
}

static void random_entries(struct buf *out)
{
    unsigned check = random_below(9), alert = random_below(4), metric = random_below(4);
    static const char *const limits[] = {
        "metric: storage, limit: 3GB", "metric: hours, limit: 750h",
        "metric: credit, limit: 5.25 USD", "metric: commands, limit: 10000, alert: 9999"};
    buf_addf(out, "checks:\n  c: { kind: %s, app: \"*\", every: 6h%s%s", schema_check_kinds[check],
             check == CHECK_CORS ? ", origin: x" : "", check == CHECK_TCP ? ", port: 1" : "");
    buf_adds(out, random_below(2) ? ", fast: 1m, down: 1d, timeout: 30s" : "");
    buf_adds(out, random_below(2) ? ", wake: due, cold_every: 12h" : "");
    if (check == CHECK_WEBSOCKET)
        buf_adds(out, ", hold: 2s");
    if (check == CHECK_TCP)
        buf_adds(out, " }\n");
    else
        random_group("", SCOPE_CHECK, check, " }\n", out);
    buf_adds(out, "  told: { kind: http, app: api, every: 6h }\n"); /* a route demands one */
    buf_addf(out, "traffic:\n  t: { app: api, weights: { one: 1 }%s",
             random_below(2) ? ", failover: [one], connect_within: 10ms" : "");
    random_group("", SCOPE_ROUTE, 0, " }\n", out);
    random_group("budget: { monthly: 5 USD", SCOPE_BUDGET, 0, ", elsewhere: { aws: 0.99 USD } }\n",
                 out);
    buf_addf(out, "limits:\n  l: { platform: neon, %s }\n", limits[metric]);
    random_group("keep_awake:\n  two: { app: api", SCOPE_KEEP_AWAKE, 0, " }\n", out);
    if (alert == ALERT_MAIL)
        buf_adds(out, "alerts:\n  m: { kind: mail, url: $SMTP, from: a@b, to: [c@d, e@f] }\n");
    else
        random_group("alerts:\n  a: { kind: webhook, url: $HOOK", SCOPE_ALERT, 2, " }\n", out);
    random_group("copy:\n  c: { from: one, to: two", SCOPE_COPY, 0, " }\n", out);
    random_group("backup:\n  b: { from: [one, two]", SCOPE_BACKUP, 0, " }\n", out);
    random_group("objects:\n  o: { path: x, to: [two]", SCOPE_OBJECTS, 0, " }\n", out);
    random_group("parity:\n  p: { class: differ, keys: [\"*\"]", SCOPE_PARITY, 0, " }\n", out);
    random_group("schedules:\n  s: { run: drill, at: \"00:00\"", SCOPE_SCHEDULE, JOB_DRILL, " }\n",
                 out);
    random_group("bench:\n  b: { app: api", SCOPE_BENCH, 0, " }\n", out);
}

static void random_manifest(struct buf *out)
{
    buf_adds(out, "project: p\napps:\n");
    random_group("  web: { kind: static, instances: [red, blue]", SCOPE_APP, APP_STATIC, " }\n",
                 out);
    random_group("  api: { kind: service", SCOPE_APP, APP_SERVICE, " }\n", out);
    random_group("  phone: { kind: mobile", SCOPE_APP, APP_MOBILE, " }\n", out);
    random_environments(out);
    if (random_below(2))
        random_entries(out);
    if (random_below(2))
        buf_adds(out, "probe: { control: [\"https://a\"] }\nscore: { speed: 0 }\n"
                      "history: { samples: 36h }\ntargets: { success: 99.95%, avg: 1500ms }\n");
}

static void any_manifest_is_equal_to_its_normal_form(void)
{
    int bad = 0;
    for (uint64_t seed = 1; seed <= 1000 && bad == 0; seed++) {
        struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
        random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
        random_manifest(&text);
        struct manifest *m = parse_text(buf_str(&text));
        if (!m || !is_normal(m)) {
            bad++;
            printf("# seed %d:\n%s\n", (int)seed, buf_str(&text));
        }
        manifest_free(m);
        buf_release(&text);
    }
    CHECK(bad == 0);
}

int main(void)
{
    the_example_is_equal_to_its_normal_form();
    the_normal_form_shows_defaults_and_no_keys_without_value();
    a_manifest_differs_from_another();
    the_largest_lists_and_strings_come_back();
    any_manifest_is_equal_to_its_normal_form();
    return DONE();
}
