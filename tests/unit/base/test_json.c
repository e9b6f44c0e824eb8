#include "base/json.h"

#include "test.h"

#include <stdlib.h>

static json_t *read_text(const char *text, struct err *e)
{
    *e = ERR_INIT;
    return json_read(text, strlen(text), "koyeb: reply", e);
}

static const char sample[] =
    "{\"result\":{\"stage\":{\"name\":\"build\"},\"n\":3,\"on\":true},"
    "\"data\":[{\"id\":\"a\"},{\"id\":\"b\",\"share\":0.5}],"
    "\"big\":\"9007199254740993\",\"real\":4.0,\"half\":4.5,\"none\":null}";

static void members_are_reached_by_path(void)
{
    struct err e;
    json_t *root = read_text(sample, &e);

    CHECK(strcmp(json_str(root, "result.stage.name", "-"), "build") == 0);
    CHECK(strcmp(json_str(root, "data.1.id", "-"), "b") == 0);
    CHECK(strcmp(json_str(root, "data.2.id", "-"), "-") == 0);
    CHECK(strcmp(json_str(root, "data.-1.id", "-"), "-") == 0);
    CHECK(strcmp(json_str(root, "data.x.id", "-"), "-") == 0);
    CHECK(json_str(root, "result.n", NULL) == NULL);
    CHECK(json_str(root, "result.stage.name.more", NULL) == NULL);
    CHECK(json_at(root, "") == root && json_at(root, "result..n") == NULL);
    CHECK(json_at(NULL, "a.b") == NULL && json_is_null(json_at(root, "none")));
    json_decref(root);
}

static void numbers_have_one_reading(void)
{
    struct err e;
    json_t *root = read_text(sample, &e);

    CHECK(json_flag(root, "result.on", false) && json_flag(root, "result.n", true));
    CHECK(json_num(root, "data.1.share", 0) == 0.5 && json_num(root, "big", -1) == -1);
    CHECK(json_int(root, "result.n", 0) == 3 && json_int(root, "big", 0) == 9007199254740993);
    CHECK(json_int(root, "real", 0) == 4 && json_int(root, "half", -1) == -1);
    CHECK(json_int(root, "data", -1) == -1 && json_int(root, "result.stage.name", -1) == -1);
    json_decref(root);
}

static void bad_text_is_refused_with_its_source_and_place(void)
{
    static const char *const rows[] = {
        "", "{", "{\"a\":1,\"a\":2}", "[1,]", "nul", "{}{}", "\"\xff\"", "[1e999]", "\"a\\u0000\""};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e;

        CHECK(read_text(rows[i], &e) == NULL);
        CHECK(e.kind == ERR_REMOTE && strstr(e.text, "koyeb: reply: not JSON: line ") == e.text);
    }
}

static void depth_is_bounded(void)
{
    char text[200001];
    struct err e;

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';

    json_t *root = read_text(text, &e);

    CHECK(root != NULL);
    json_decref(root);
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK(read_text(text, &e) == NULL && strstr(e.text, "64 levels"));
    /* brackets in strings are no depth */
    memset(text, '[', 1000);
    text[0] = '"';
    text[500] = '\\';
    text[501] = '"';
    text[999] = '"';
    text[1000] = '\0';
    root = read_text(text, &e);
    CHECK(root != NULL);
    json_decref(root);
}

static void scalars_are_json_too_and_text_is_compact(void)
{
    struct err e;
    json_t *root = read_text(" [ 1 , \"\xc3\xa9\" , { } ] ", &e), *scalar = read_text("7", &e);
    char *text = json_text(root), *seven = json_text(scalar);

    CHECK(strcmp(text, "[1,\"\xc3\xa9\",{}]") == 0 && strcmp(seven, "7") == 0);
    free(text);
    free(seven);
    json_decref(root);
    json_decref(scalar);
}

int main(void)
{
    members_are_reached_by_path();
    numbers_have_one_reading();
    bad_text_is_refused_with_its_source_and_place();
    depth_is_bounded();
    scalars_are_json_too_and_text_is_compact();
    return DONE();
}
