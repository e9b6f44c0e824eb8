#include "net/bases.h"

#include "base/buf.h"
#include "test.h"

#include <unistd.h>

static int load(const char *text, struct bases **ret, struct err *e)
{
    struct err ignored = ERR_INIT;

    *e = ERR_INIT;
    if (file_write_atomic("bases.tmp", text, strlen(text), 0600, &ignored) < 0)
        return -2;

    int rc = bases_load("bases.tmp", ret, e);

    unlink("bases.tmp");
    return rc;
}

static void a_bases_file_overrides_some_platforms(void)
{
    struct bases *b = NULL;
    struct err e;

    CHECK(load("{\"bases\":{\"netlify\":\"http://127.0.0.1:8001/api/v1/\",\"x\":\"https://h//\"},"
               "\"clock_rate\":100,\"made_by\":\"a rehearsal\"}",
               &b, &e) == 0);
    CHECK(strcmp(bases_get(b, "netlify", "https://n"), "http://127.0.0.1:8001/api/v1") == 0);
    CHECK(strcmp(bases_get(b, "x", "no"), "https://h") == 0);
    CHECK(strcmp(bases_get(b, "render", "https://r"), "https://r") == 0);
    CHECK(bases_get(b, "render", NULL) == NULL);
    CHECK(bases_clock_rate(b) == 100);
    bases_free(b);
}

static void without_a_file_nothing_is_overridden(void)
{
    struct bases *b = bases_empty();

    CHECK(strcmp(bases_get(b, "netlify", "https://n"), "https://n") == 0);
    CHECK(strcmp(bases_get(NULL, "netlify", "https://n"), "https://n") == 0);
    CHECK(bases_clock_rate(b) == 1 && bases_clock_rate(NULL) == 1);
    bases_free(b);
    bases_free(NULL);
}

static void what_is_wrong_is_named_with_its_place(void)
{
    static const char *const rows[][2] = {
        {"", "not JSON"},
        {"[]", "object"},
        {"{\"bases\":[]}", "bases:"},
        {"{\"bases\":{\"netlify\":7}}", "bases.netlify"},
        {"{\"bases\":{\"netlify\":\"\"}}", "bases.netlify"},
        {"{\"bases\":{\"netlify\":\"ftp://x\"}}", "bases.netlify"},
        {"{\"bases\":{\"netlify\":\"http://\"}}", "bases.netlify"},
        {"{\"bases\":{\"netlify\":\"http:///x\"}}", "bases.netlify"},
        {"{\"bases\":{\"netlify\":\"http://h/?a=b\"}}", "bases.netlify"},
        {"{\"bases\":{\"a\":\"http://h\",\"a\":\"http://i\"}}", "duplicate"},
        {"{\"clock_rate\":0}", "clock_rate"},
        {"{\"clock_rate\":\"5\"}", "clock_rate"},
        {"{\"clock_rate\":100001}", "clock_rate"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bases *b = NULL;
        struct err e;

        CHECK(load(rows[i][0], &b, &e) == -1 && b == NULL);
        CHECK(e.kind == ERR_MANIFEST);
        CHECK(strstr(e.text, "bases.tmp") != NULL && strstr(e.text, rows[i][1]) != NULL);
    }
}

static void a_missing_file_is_named(void)
{
    struct bases *b = NULL;
    struct err e = ERR_INIT;

    CHECK(bases_load("/no/such/bases.json", &b, &e) == -1 && e.kind == ERR_MANIFEST);
    CHECK(strstr(e.text, "/no/such/bases.json") != NULL);
}

int main(void)
{
    a_bases_file_overrides_some_platforms();
    without_a_file_nothing_is_overridden();
    what_is_wrong_is_named_with_its_place();
    a_missing_file_is_named();
    return DONE();
}
