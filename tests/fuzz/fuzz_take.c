#include "../unit/provider/talk.h"

/*
 * Every provider's take() and refused() on any reply in any step. First byte: the provider; second:
 * the step; third: the status; the rest is the body. A reply that take() refuses must leave the
 * deployment as it was, and whatever is taken must lead to a next turn.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 202, 400, 404, 429, 500, 503, 401, 403};
    static const struct bundle_file files[] = {
        {.path = "index.html",
         .source = "index.html",
         .size = 5,
         .mode = 0100644,
         .sha1 = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
         .pages = "00000000000000000000000000000001"},
    };
    static const struct bundle bundle = {.files = files, .n = 1, .bytes = 5, .digest = "d1"};

    if (size < 3)
        return 0;
    struct talk t = talk_with(provider_at(data[0] % provider_count()));
    char *body = strndup((const char *)data + 3, size - 3);

    t.want.instance = "ios";
    t.want.status = t.want.deploy = "true";
    t.d.step = data[1];
    t.want.bundle = &bundle;
    if (!body || turn(&t) != TURN_SEND) {
        free(body);
        talk_end(&t);
        return 0;
    }
    struct deployment before = t.d;
    if (answer(&t, statuses[data[2] % (sizeof(statuses) / sizeof(statuses[0]))], body) == -1 &&
        memcmp(&before, &t.d, sizeof(before)) != 0)
        abort();
    (void)turn(&t);
    free(body);
    talk_end(&t);
    return 0;
}
