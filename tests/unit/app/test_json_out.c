#include "app/json_out.h"
#include "base/buf.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

static void a_whole_value_has_its_commas(void)
{
    struct buf b = BUF_INIT(1000);
    struct json_out o = {.b = &b};

    out_open(&o, '{');
    out_text_of(&o, "a", "x");
    out_key(&o, "list");
    out_open(&o, '[');
    out_int(&o, -1);
    out_flag(&o, true);
    out_null(&o);
    out_open(&o, '{');
    out_close(&o, '}');
    out_close(&o, ']');
    out_time_of(&o, "at", 1000);
    out_time_of(&o, "never", 0);
    out_key(&o, "raw");
    out_raw(&o, "[2]", 3);
    out_close(&o, '}');
    CHECK(strcmp(buf_str(&b), "{\"a\":\"x\",\"list\":[-1,true,null,{}],\"at\":\"1970-01-01T00:00:"
                              "01Z\",\"never\":null,\"raw\":[2]}") == 0);
    buf_release(&b);
}

static const char *number(double v, int decimals)
{
    static char text[64];
    struct buf b = BUF_INIT(100);
    struct json_out o = {.b = &b};

    out_number(&o, v, decimals);
    snprintf(text, sizeof text, "%s", buf_str(&b));
    buf_release(&b);
    return text;
}

static void numbers_are_short(void)
{
    CHECK(strcmp(number(12.3450, 3), "12.345") == 0);
    CHECK(strcmp(number(12, 3), "12") == 0);
    CHECK(strcmp(number(100, 0), "100") == 0);
    CHECK(strcmp(number(0.1 + 0.2, 3), "0.3") == 0);
    CHECK(strcmp(number(nan(""), 3), "null") == 0);
    CHECK(strcmp(number(HUGE_VAL, 3), "null") == 0);
}

static const char *text(const char *s)
{
    static char quoted[256];
    struct buf b = BUF_INIT(200);
    struct json_out o = {.b = &b};

    out_text(&o, s);
    snprintf(quoted, sizeof quoted, "%s", buf_str(&b));
    buf_release(&b);
    return quoted;
}

static void texts_from_outside_stay_texts(void)
{
    CHECK(strcmp(text("a\"b\\c"), "\"a\\\"b\\\\c\"") == 0);
    CHECK(strcmp(text("line\nbreak\x01"), "\"line\\u000abreak\\u0001\"") == 0);
    CHECK(strcmp(text("caf\xc3\xa9"), "\"caf\xc3\xa9\"") == 0);
    CHECK(strcmp(text("bad\xff\xc3"), "\"bad\"") == 0);
    CHECK(strcmp(text(NULL), "null") == 0);
}

int main(void)
{
    a_whole_value_has_its_commas();
    numbers_are_short();
    texts_from_outside_stay_texts();
    return DONE();
}
