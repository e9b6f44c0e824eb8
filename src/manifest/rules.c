#include "manifest/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a single value must look like. Each answers NULL, or the reason with what to write instead.
 */

static bool is_in(char c, const char *set)
{
    return c && strchr(set, c);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_name(const char *s, size_t max)
{
    size_t len = strlen(s);
    return len >= 1 && len <= max && s[0] != '-' && strspn(s, LOWER DIGITS "-") == len;
}

const char *check_name(const char *value)
{
    return is_name(value, 63) ? NULL
                              : "is not a name; use 1 to 63 of a-z, 0-9 and '-', not '-' first";
}

const char *check_instance(const char *value)
{
    return *value ? check_name(value) : NULL; /* "" is the single unnamed instance */
}

static bool is_identifier(const char *s)
{
    return *s && !is_in(*s, DIGITS) && s[strspn(s, LOWER UPPER DIGITS "_")] == '\0' &&
           strlen(s) <= 255;
}

const char *check_variable(const char *value)
{
    return is_identifier(value) ? NULL : "is not a variable's name; use A-Z, a-z, 0-9 and '_'";
}

const char *check_secret_name(const char *value)
{
    if (*value == '$')
        return "must be the bare name, without '$'";
    return is_identifier(value) ? NULL : "is not a secret's name; use A-Z, 0-9 and '_'";
}

const char *check_header(const char *value)
{
    size_t len = strlen(value);
    return len && len <= 255 && strspn(value, LOWER UPPER DIGITS "!#$%&'*+-.^_`|~") == len
               ? NULL
               : "is not the name of an HTTP header";
}

/* {word} must be one that cell_expand knows: a typing error would otherwise reach a platform. */
const char *check_pattern(const char *value)
{
    static const char *const words[] = {"{app}", "{instance}", "{environment}", "{project}",
                                        "{branch}"};
    for (const char *open = strchr(value, '{'); open; open = strchr(open + 1, '{')) {
        bool known = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            known = known || strncmp(open, words[i], strlen(words[i])) == 0;
        if (!known)
            return "has an unknown {word}; there are {project}, {environment}, {app}, {instance} "
                   "and {branch}";
    }
    return NULL;
}

const char *check_relative(const char *value)
{
    if (!*value)
        return NULL;
    if (*value == '/')
        return "is absolute; give it relative to the manifest's folder";
    for (const char *part = value; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return "leads out of its folder by '..'; keep it inside";
    }
    return NULL;
}

const char *check_url_path(const char *value)
{
    if (*value != '/')
        return "must begin with '/'";
    return value[strcspn(value, " \t\n#")] ? "holds a blank, or '#'; percent-encode it" : NULL;
}

const char *check_uuid(const char *value)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (!*value || *value == '$')
        return NULL;
    bool ok = strlen(value) == strlen(form);
    for (size_t i = 0; ok && form[i]; i++)
        ok = form[i] == '-' ? value[i] == '-' : isxdigit((unsigned char)value[i]) != 0;
    return ok ? NULL : "is not a UUID such as 01234567-89ab-cdef-0123-456789abcdef";
}

const char *check_glob(const char *value)
{
    return *value && !value[strcspn(value, " \t\n")] ? NULL
                                                     : "is not a pattern; use names with * and ?";
}

const char *check_url(const char *value)
{
    bool scheme = strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0;
    return scheme && !value[strcspn(value, " \t\n")] ? NULL : "is not an http(s):// address";
}

const char *check_date(const char *value)
{
    static const char form[] = "0000-00-00";
    if (!*value)
        return NULL;
    bool ok = strlen(value) == strlen(form);
    for (size_t i = 0; ok && form[i]; i++)
        ok = form[i] == '-' ? value[i] == '-' : isdigit((unsigned char)value[i]) != 0;
    if (ok) {
        int month = (value[5] - '0') * 10 + value[6] - '0';
        int day = (value[8] - '0') * 10 + value[9] - '0';
        ok = month >= 1 && month <= 12 && day >= 1 && day <= 31;
    }
    return ok ? NULL : "is not a day such as 2026-12-21";
}

const char *check_repository(const char *value)
{
    size_t owner = strcspn(value, "/");
    const char *name = value + owner + (value[owner] == '/');
    bool ok = owner && *name && strspn(value, LOWER UPPER DIGITS "-_.") == owner &&
              name[strspn(name, LOWER UPPER DIGITS "-_.")] == '\0';
    return !*value || ok ? NULL : "is not owner/name";
}

const char *check_listen(const char *value)
{
    const char *colon = strrchr(value, ':');
    size_t digits = colon ? strspn(colon + 1, DIGITS) : 0;
    size_t host = strspn(value, LOWER UPPER DIGITS ".-_:[]*");
    unsigned long port = digits <= 5 && digits > 0 ? strtoul(colon + 1, NULL, 10) : 0;
    bool ok = colon && colon > value && colon[1 + digits] == '\0' && value[host] == '\0' &&
              port >= 1 && port <= 65535;
    return ok ? NULL : "is not ADDRESS:PORT such as 127.0.0.1:8080";
}

const char *check_host(const char *value)
{
    size_t len = strlen(value);
    bool ok = len <= 253 && strspn(value, LOWER UPPER DIGITS "-.") == len && value[0] != '.' &&
              value[0] != '-';
    return !len || ok ? NULL : "is not a host name";
}

const char *check_address(const char *value)
{
    const char *at = strchr(value, '@');
    bool ok = at && at > value && at[1] && !strchr(at + 1, '@') &&
              !value[strcspn(value, "<>,;()\"\\")] && strlen(value) <= 254;
    for (const char *s = value; *s; s++)
        ok = ok && *s > ' ' && *s < 0x7f; /* a line break would begin a header of its own */
    return !*value || ok ? NULL : "is not a mail address such as team@example.com";
}

/* Only the form: whether the zone exists is the machine's own time zone data to say. */
const char *check_time_zone(const char *value)
{
    size_t len = strlen(value);
    bool ok =
        len && len <= 64 && strspn(value, LOWER UPPER DIGITS "/_+-") == len && value[0] != '/';
    return ok ? NULL : "is not a time zone such as America/Toronto";
}

/* A credential is only ever named: what stands in the manifest is in the repository's history. */
const char *check_credential(const char *value)
{
    return !*value || *value == '$'
               ? NULL
               : "must be $NAME: a secret's value does not belong in the manifest";
}

/* An address may hold a credential: a password, or the path of a chat's hook. */
const char *check_address_of(const char *value)
{
    static const char *const hooks[] = {"https://hooks.slack.com/",
                                        "https://discord.com/api/webhooks/"};
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
        if (strncmp(value, hooks[i], strlen(hooks[i])) == 0)
            return "is a credential; put it into the environment and write $NAME";
    const char *rest = strstr(value, "://");
    size_t user = rest ? strcspn(rest + 3, ":@/") : 0;
    const char *password = rest && rest[3 + user] == ':' ? rest + 4 + user : "";
    size_t len = strcspn(password, "@/");
    if (len && password[len] == '@' && *password != '$')
        return "holds a password; put it into the environment and write $NAME";
    return NULL;
}

/* The rest depends on the alert's kind (check_entries.c). */
const char *check_alert_address(const char *value)
{
    return value[strcspn(value, " \t\r\n")] ? "holds a blank; percent-encode it"
                                            : check_address_of(value);
}

const char *check_expect_header(const char *value)
{
    size_t name = strcspn(value, ":");
    char text[256];
    if (!*value)
        return NULL;
    if (value[name] != ':' || name >= sizeof text)
        return "is no assertion that is known; write \"Name: part of the value\"";
    memcpy(text, value, name);
    text[name] = '\0';
    if (check_header(text))
        return "does not begin with the name of an HTTP header; write \"Name: part of the value\"";
    return value[name + 1 + strspn(value + name + 1, " ")]
               ? NULL
               : "has no value after ':'; write \"Name: part of the value\"";
}

/* Names and indexes, "a.b[0].c", as the probe reads them; a name without a sign of comparison. */
static bool is_json_path(const char *path, size_t len)
{
    const char *at = path, *end = path + len;
    while (at < end) {
        bool index = *at == '[';
        if (!index && at != path && *at++ != '.')
            return false;
        at += index;
        size_t n = index ? strspn(at, DIGITS) : strcspn(at, ".[]<>!~= ");
        if (n == 0 || at + n > end || (index && at[n] != ']'))
            return false;
        at += n + index;
    }
    return len > 0;
}

const char *check_expect_json(const char *value)
{
    size_t path = strcspn(value, "="), end = path;
    const char *after = value + path + (value[path] == '=');
    if (!*value)
        return NULL;
    while (end > 0 && value[end - 1] == ' ')
        end--;
    if (value[path] != '=' || is_in(*after, "=~<>"))
        return "is no assertion that is known; write \"path = value\", such as status = ok";
    if (end >= 256 || !is_json_path(value, end))
        return "has no path that can be read before '='; write names and indexes, a.b[0].c";
    after += strspn(after, " ");
    return *after && strlen(after) < 256 ? NULL
                                         : "has no value after '=', or one of over 255 characters";
}
