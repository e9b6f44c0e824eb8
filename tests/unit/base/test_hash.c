#include "base/hash.h"

#include "test.h"

#include <stdlib.h>

static const char *hex(const uint8_t *data, size_t len)
{
    static char text[129];

    hex_encode(data, len, text);
    return text;
}

/* FIPS 180-4 examples. */
static void sha_gives_the_published_digests(void)
{
    uint8_t d[SHA256_LEN];

    sha1("abc", 3, d);
    CHECK(strcmp(hex(d, SHA1_LEN), "a9993e364706816aba3e25717850c26c9cd0d89d") == 0);
    sha256("abc", 3, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0);
    sha256("", 0, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0);
}

static void sha_in_pieces_equals_sha_at_once(void)
{
    const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t d[SHA256_LEN];
    struct sha_stream *one = sha1_begin(), *two = sha256_begin();

    for (const char *s = text; *s; s++) {
        sha_add(one, s, 1);
        sha_add(two, s, 1);
    }
    sha_end(one, d);
    CHECK(strcmp(hex(d, SHA1_LEN), "84983e441c3bd26ebaae4aa1f95129e5e54670f1") == 0);
    sha_end(two, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") == 0);
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void hmac_gives_the_published_digests(void)
{
    uint8_t key[131], d[SHA256_LEN];

    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, "Hi There", 8, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7") == 0);
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") == 0);
    memset(key, 0xaa, sizeof key);
    hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, d);
    CHECK(strcmp(hex(d, SHA256_LEN),
                 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54") == 0);
}

/* The authors' test vectors: bytes 0, 1, .. 250, 0, .. of a length; default mode, first 32 bytes.
 */
static void blake3_gives_the_published_digests(void)
{
    static const struct {
        size_t len;
        const char *digest;
    } rows[] = {
        {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
        {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
        {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
        {31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t d[BLAKE3_LEN];
        struct blake3_stream *s = blake3_begin();

        for (size_t k = 0; k < rows[i].len; k++) {
            uint8_t byte = (uint8_t)(k % 251);

            blake3_add(s, &byte, 1);
        }
        blake3_end(s, d);
        CHECK(strcmp(hex(d, BLAKE3_LEN), rows[i].digest) == 0);
    }
}

/* RFC 4648, section 10. */
static void base64_gives_the_published_texts_and_back(void)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"},
                                          {"\xfb\xff\xbf", "+/+/"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];
        uint8_t back[16];
        size_t len = strlen(rows[i][0]);

        CHECK(base64_encode((const uint8_t *)rows[i][0], len, text) == strlen(rows[i][1]));
        CHECK(strcmp(text, rows[i][1]) == 0);
        CHECK(base64_decode(text, strlen(text), back) == (int64_t)len);
        CHECK(memcmp(back, rows[i][0], len) == 0);
    }
}

/* Exact allocations, so that a step beyond their ends is seen. */
static void base64_of_every_length_and_every_twelve_bits_goes_back(void)
{
    enum { MOST = 3 * 4096 };
    uint8_t all[MOST];

    for (size_t i = 0; i < 4096; i++) {
        all[3 * i] = (uint8_t)(i >> 4);
        all[3 * i + 1] = (uint8_t)(i << 4 | (~i >> 8 & 15));
        all[3 * i + 2] = (uint8_t)~i;
    }
    for (size_t len = 0; len <= MOST; len += len < 64 ? 1 : MOST - 64) {
        size_t want = 4 * ((len + 2) / 3);
        uint8_t *data = malloc(len + 1), *back = malloc(3 * (want / 4) + 1);
        char *text = malloc(want + 1);

        memcpy(data + 1, all + MOST - len, len);
        CHECK(base64_encode(data + 1, len, text) == want && strlen(text) == want);
        CHECK(base64_decode(text, want, back) == (int64_t)len);
        CHECK(memcmp(back, data + 1, len) == 0);
        free(data);
        free(back);
        free(text);
    }
}

static void base64_refuses_what_is_not_standard(void)
{
    static const char *const rows[] = {"Z",     "Zg",   "Zg=",      "Zg===", "Zh==",
                                       "Zm9=",  "Z===", "====",     "Zm-v",  "Zm_v",
                                       "Zm 9v", "=Zm9", "Zg==Zg==", "Zm9\n"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t back[16];

        CHECK(base64_decode(rows[i], strlen(rows[i]), back) == -1);
    }
}

int main(void)
{
    sha_gives_the_published_digests();
    sha_in_pieces_equals_sha_at_once();
    hmac_gives_the_published_digests();
    blake3_gives_the_published_digests();
    base64_gives_the_published_texts_and_back();
    base64_of_every_length_and_every_twelve_bits_goes_back();
    base64_refuses_what_is_not_standard();
    return DONE();
}
