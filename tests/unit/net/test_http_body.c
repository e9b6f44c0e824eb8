#include "net/http_body.h"

#include "base/buf.h"
#include "base/hash.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 100003 };

struct sample {
    struct http_request request;
    char *file, *whole; /* what the body must be */
    size_t len;
};

static void begin(struct sample *s)
{
    struct err e = ERR_INIT;

    memset(s, 0, sizeof *s);
    s->file = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        s->file[i] = (char)(i * 31 + i / 257);
    if (file_write_atomic("body.tmp", s->file, SIZE, 0600, &e) < 0)
        abort();
    http_request_text(&s->request, "begin", 5);
    http_request_file(&s->request, "body.tmp", SIZE, true);
    http_request_text(&s->request, "", 0);
    http_request_file(&s->request, "body.tmp", SIZE, false);
    http_request_text(&s->request, "end", 3);

    char *text = malloc(4 * (SIZE / 3 + 1) + 1);
    size_t text_len = base64_encode((const uint8_t *)s->file, SIZE, text);
    struct buf b = BUF_INIT(1 << 20);

    buf_adds(&b, "begin");
    buf_add(&b, text, text_len);
    buf_add(&b, s->file, SIZE);
    buf_adds(&b, "end");
    s->whole = buf_take(&b, &s->len);
    free(text);
}

static void finish(struct sample *s)
{
    http_request_release(&s->request);
    free(s->file);
    free(s->whole);
    unlink("body.tmp");
}

/* Reads from where the body stands to its end and compares with the sample from `at` on. */
static bool rest_is_right(struct http_body *b, const struct sample *s, size_t at, size_t piece)
{
    char *space = malloc(piece);
    struct err e = ERR_INIT;
    int64_t n;
    bool right = true;

    while ((n = http_body_read(b, space, piece, &e)) > 0) {
        right = right && (size_t)n <= s->len - at && memcmp(space, s->whole + at, (size_t)n) == 0;
        at += (size_t)n;
    }
    free(space);
    return right && n == 0 && at == s->len;
}

static void pieces_of_any_size_make_the_whole(void)
{
    static const size_t pieces[] = {1, 2, 3, 4, 5, 1000, 65536, 1000000};
    struct sample s;

    begin(&s);
    CHECK(s.len == http_request_length(&s.request));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct http_body b;

        http_body_init(&b, &s.request);
        CHECK(rest_is_right(&b, &s, 0, pieces[i]));
        http_body_release(&b);
    }
    finish(&s);
}

static void a_body_can_be_read_again_from_any_place(void)
{
    static const size_t places[] = {0,     1,     5,      6,      7,      8,     9,
                                    65541, 65542, 133343, 133344, 133345, 200000};
    struct sample s;
    struct http_body b;

    begin(&s);
    http_body_init(&b, &s.request);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        CHECK(http_body_seek(&b, places[i]) == 0);
        CHECK(rest_is_right(&b, &s, places[i], 4096));
    }
    CHECK(http_body_seek(&b, s.len) == 0 && rest_is_right(&b, &s, s.len, 10));
    CHECK(http_body_seek(&b, s.len + 1) == -1);
    http_body_release(&b);
    finish(&s);
}

static void a_file_that_shrinks_on_the_way_is_named(void)
{
    struct sample s;
    struct http_body b;
    struct err e = ERR_INIT;
    char space[1000];
    int64_t n;

    begin(&s);
    CHECK(http_body_check(&s.request, &e) == 0);
    http_body_init(&b, &s.request);
    CHECK(http_body_read(&b, space, sizeof space, &e) == 5);
    CHECK(http_body_read(&b, space, sizeof space, &e) == 1000);
    CHECK(truncate("body.tmp", 60000) == 0);
    while ((n = http_body_read(&b, space, sizeof space, &e)) > 0) {
    }
    CHECK(n == -1 && e.kind == ERR_STORE && strstr(e.text, "body.tmp"));
    CHECK(http_body_check(&s.request, &e) == -1 && strstr(e.text, "60000"));
    http_body_release(&b);
    finish(&s);
}

static void only_ordinary_files_are_sent(void)
{
    struct http_request r = {0};
    struct err e = ERR_INIT;

    http_request_file(&r, "/", 0, false);
    CHECK(http_body_check(&r, &e) == -1 && e.kind == ERR_STORE && strstr(e.text, "ordinary"));
    http_request_release(&r);
}

int main(void)
{
    pieces_of_any_size_make_the_whole();
    a_body_can_be_read_again_from_any_place();
    a_file_that_shrinks_on_the_way_is_named();
    only_ordinary_files_are_sent();
    return DONE();
}
