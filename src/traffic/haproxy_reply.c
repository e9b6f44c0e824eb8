#include "traffic/haproxy_reply.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS_MAX = 256, CELL_MAX = 320, LINE_MAX_LEN = 8192 };

struct slice {
    const char *at;
    size_t len;
};

/* The next line of *text, without its end; false when there is none. */
static bool next_line(const char **text, struct slice *ret)
{
    if (!**text)
        return false;
    ret->at = *text;
    ret->len = strcspn(*text, "\n");
    *text += ret->len + ((*text)[ret->len] == '\n');
    if (ret->len && ret->at[ret->len - 1] == '\r')
        ret->len--;
    return true;
}

static bool begins(const struct slice *line, const char *with)
{
    size_t n = strlen(with);

    return line->len >= n && !memcmp(line->at, with, n);
}

/* Printable bytes of a slice; what does not fit is cut. */
static void copy(char *ret, size_t size, const char *at, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n + 1 < size; i++)
        ret[n++] = at[i] >= ' ' && at[i] < 0x7f ? at[i] : '?';
    ret[n] = 0;
}

/* --- show info --------------------------------------------------------------------------------*/

static bool info_value(const struct slice *line, const char *key, char *ret, size_t size)
{
    size_t n = strlen(key);

    if (!begins(line, key) || line->len < n + 2 || memcmp(line->at + n, ": ", 2) != 0)
        return false;
    copy(ret, size, line->at + n + 2, line->len - n - 2);
    return true;
}

int haproxy_identity_read(const char *text, struct haproxy_identity *ret, struct err *e)
{
    struct haproxy_identity id = {0};
    struct slice line;
    char name[16] = "", pid[24] = "", most[24] = "";

    while (next_line(&text, &line)) {
        (void)(info_value(&line, "Name", name, sizeof name) ||
               info_value(&line, "Version", id.version, sizeof id.version) ||
               info_value(&line, "Pid", pid, sizeof pid) ||
               info_value(&line, "Maxconn", most, sizeof most) ||
               info_value(&line, "node", id.node, sizeof id.node) ||
               info_value(&line, "description", id.hash, sizeof id.hash));
    }
    if (strcasecmp(name, "HAProxy") != 0)
        return err_set(e, ERR_REMOTE, "what answers is not HAProxy");
    if (text_int(pid, 1, INT32_MAX, &id.pid) != 0)
        id.pid = 0;
    if (text_int(most, 1, INT32_MAX, &id.connections_max) != 0)
        id.connections_max = 0;
    *ret = id;
    return 0;
}

int haproxy_version_read(const char *text)
{
    const char *at = strcasestr(text, "HAProxy version ");
    char *end;
    long major, minor;

    if (!at)
        at = strcasestr(text, "HA-Proxy version ");
    if (!at)
        return -1;
    at = strpbrk(at, "0123456789");
    if (!at)
        return -1;
    major = strtol(at, &end, 10);
    if (*end != '.' || major < 0 || major > 1000)
        return -1;
    minor = strtol(end + 1, NULL, 10);
    return minor < 0 || minor > 999 ? -1 : (int)(major * 1000 + minor);
}

/* --- show stat --------------------------------------------------------------------------------*/

/* RFC 4180: a cell in quotes may hold commas and doubled quotes, but no line end here. */
static bool next_cell(struct slice *line, char ret[CELL_MAX])
{
    size_t n = 0, i = 0;
    bool quoted;

    if (!line->at)
        return false;
    quoted = line->len > 0 && line->at[0] == '"';
    for (i = quoted; i < line->len; i++) {
        char c = line->at[i];

        if (quoted && c == '"' && i + 1 < line->len && line->at[i + 1] == '"')
            i++;
        else if (quoted && c == '"')
            quoted = false;
        else if (!quoted && c == ',')
            break;
        if ((c != '"' || quoted) && n + 1 < CELL_MAX)
            ret[n++] = c >= ' ' && c < 0x7f ? c : '?';
    }
    ret[n] = 0;
    if (i < line->len)
        *line = (struct slice){line->at + i + 1, line->len - i - 1};
    else
        line->at = NULL;
    return true;
}

enum column {
    PROXY,
    SERVER,
    STATUS,
    CHECK_STATUS,
    CHECK_CODE,
    TRIED,
    STREAMS,
    ANSWERS_1,
    ANSWERS_2,
    ANSWERS_3,
    ANSWERS_4,
    ANSWERS_5,
    ANSWERS_OTHER,
    CONNECT_ERRORS,
    ANSWER_ERRORS,
    RETRIES,
    REDISPATCHES,
    CLIENT_ABORTS,
    ANSWER_MS,
    WEIGHT,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {
    [PROXY] = "pxname",
    [SERVER] = "svname",
    [STATUS] = "status",
    [CHECK_STATUS] = "check_status",
    [CHECK_CODE] = "check_code",
    [TRIED] = "stot",
    [STREAMS] = "scur",
    [ANSWERS_1] = "hrsp_1xx",
    [ANSWERS_2] = "hrsp_2xx",
    [ANSWERS_3] = "hrsp_3xx",
    [ANSWERS_4] = "hrsp_4xx",
    [ANSWERS_5] = "hrsp_5xx",
    [ANSWERS_OTHER] = "hrsp_other",
    [CONNECT_ERRORS] = "econ",
    [ANSWER_ERRORS] = "eresp",
    [RETRIES] = "wretr",
    [REDISPATCHES] = "wredis",
    [CLIENT_ABORTS] = "cli_abrt",
    [ANSWER_MS] = "rtime",
    [WEIGHT] = "uweight",
};

struct table {
    int at[COLUMNS_MAX]; /* enum column of each, or COLUMNS */
};

static int read_head(struct slice line, struct table *ret, struct err *e)
{
    bool has[COLUMNS] = {false};
    char cell[CELL_MAX];

    line.at += 2; /* "# " */
    line.len -= 2;
    for (int i = 0; i < COLUMNS_MAX; i++)
        ret->at[i] = COLUMNS;
    for (int i = 0; i < COLUMNS_MAX && next_cell(&line, cell); i++)
        for (int c = 0; c < COLUMNS; c++)
            if (!has[c] && !strcmp(cell, column_names[c])) {
                ret->at[i] = c;
                has[c] = true;
            }
    for (int c = 0; c < COLUMNS; c++)
        if (!has[c])
            return err_set(e, ERR_REMOTE, "HAProxy's statistics have no column %s",
                           column_names[c]);
    return 0;
}

/* An empty cell is 0. HAProxy prints what went below zero as almost 2^64: also 0. */
static uint64_t number(const char *cell)
{
    char *end;
    unsigned long long n = strtoull(cell, &end, 10);

    return *end || end == cell || n > INT64_MAX ? 0 : n;
}

static void read_row(struct slice line, const struct table *table, struct haproxy_row *ret)
{
    char cell[CELL_MAX], code[40] = "";
    uint64_t numbers[COLUMNS] = {0};

    *ret = (struct haproxy_row){0};
    for (int i = 0; i < COLUMNS_MAX && next_cell(&line, cell); i++)
        switch (table->at[i]) {
        case PROXY:
            copy(ret->proxy, sizeof ret->proxy, cell, strlen(cell));
            break;
        case SERVER:
            copy(ret->server, sizeof ret->server, cell, strlen(cell));
            break;
        case STATUS:
            copy(ret->status, sizeof ret->status, cell, strlen(cell));
            break;
        case CHECK_STATUS: /* "* L7OK" while one runs */
            text_copy(ret->check, sizeof ret->check / 2, cell + strspn(cell, "* "));
            break;
        case CHECK_CODE:
            snprintf(code, sizeof code, "%s%.30s", *cell ? "/" : "", cell);
            break;
        case COLUMNS:
            break;
        default:
            numbers[table->at[i]] = number(cell);
        }
    snprintf(ret->check + strlen(ret->check), sizeof ret->check - strlen(ret->check), "%s", code);
    ret->tried = numbers[TRIED];
    ret->streams = numbers[STREAMS];
    for (int i = 1; i < 6; i++)
        ret->answers[i] = numbers[ANSWERS_1 + i - 1];
    ret->answers[0] = numbers[ANSWERS_OTHER];
    ret->connect_errors = numbers[CONNECT_ERRORS];
    ret->answer_errors = numbers[ANSWER_ERRORS];
    ret->retries = numbers[RETRIES];
    ret->redispatches = numbers[REDISPATCHES];
    ret->client_aborts = numbers[CLIENT_ABORTS];
    ret->answer_ms = numbers[ANSWER_MS];
    ret->weight = numbers[WEIGHT];
}

int haproxy_stats_read(const char *text, haproxy_row_fn *fn, void *arg, struct err *e)
{
    struct table table;
    struct haproxy_row row;
    struct slice line;
    bool begun = false;

    while (next_line(&text, &line)) {
        if (begins(&line, "# pxname,")) {
            if (read_head(line, &table, e) != 0)
                return -1;
            begun = true;
        } else if (begun && line.len == 0) {
            break;
        } else if (begun) {
            read_row(line, &table, &row);
            fn(&row, arg);
        }
    }
    return begun ? 0 : err_set(e, ERR_REMOTE, "HAProxy gave no statistics");
}

bool haproxy_complaint(const char *text, char *ret, size_t size)
{
    struct slice line;

    while (next_line(&text, &line)) {
        if (begins(&line, "# pxname,"))
            return false;
        if (line.len > 0) {
            copy(ret, size, line.at, line.len);
            return true;
        }
    }
    return false;
}

/* --- show sess all ----------------------------------------------------------------------------*/

/* Flags of a transaction (include/haproxy/http_ana-t.h, 2.6): it may be sent again; not any more.
 */
enum { TX_L7_RETRY = 0x00800000, TX_D_L7_RETRY = 0x01000000 };

struct session {
    char id[32];
    bool here, backend;
};

/* "  backend=api (id=4 mode=http)": is the word after key `word`? */
static bool is_word(const struct slice *line, const char *key, const char *word)
{
    size_t k = strlen(key), w = strlen(word);

    return line->len >= k + w && !memcmp(line->at, key, k) && !memcmp(line->at + k, word, w) &&
           (line->len == k + w || line->at[k + w] == ' ');
}

static bool may_be_sent_again(const struct slice *line)
{
    char text[512];
    const char *flags;
    unsigned long bits;

    copy(text, sizeof text, line->at, line->len);
    flags = strstr(text, " flags=0x");
    if (!flags || !strstr(text, " status=-1 ") || !strstr(text, " rsp.st=MSG_RPBEFORE"))
        return false;
    bits = strtoul(flags + strlen(" flags="), NULL, 16);
    return (bits & TX_L7_RETRY) && !(bits & TX_D_L7_RETRY);
}

size_t haproxy_sessions_free(const char *text, const char *proxy, const char *server,
                             struct buf *out)
{
    struct session s = {0};
    struct slice line;
    size_t n = 0;

    while (next_line(&text, &line)) {
        if (begins(&line, "0x")) {
            size_t len = 2 + strspn(line.at + 2, "0123456789abcdef");

            s = (struct session){0};
            if (len < sizeof s.id && len < line.len && line.at[len] == ':')
                copy(s.id, sizeof s.id, line.at, len);
        } else if (begins(&line, "  backend=")) {
            s.backend = is_word(&line, "  backend=", proxy);
        } else if (begins(&line, "  server=")) {
            s.here = s.backend && is_word(&line, "  server=", server);
        } else if (begins(&line, "  txn=") && s.here && *s.id && may_be_sent_again(&line)) {
            buf_addf(out, "shutdown session %s;", s.id);
            s = (struct session){0};
            n++;
        }
    }
    return n;
}
