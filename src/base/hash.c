#include "base/hash.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

struct sha_stream {
    EVP_MD_CTX *context;
};

/* OpenSSL's digests fail only for lack of memory or a broken installation. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

void hex_encode(const uint8_t *data, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[data[i] >> 4];
        ret[2 * i + 1] = digits[data[i] & 15];
    }
    ret[2 * len] = '\0';
}

size_t base64_encode(const uint8_t *data, size_t len, char *ret)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = ret;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)data[i] << 16;

        if (left > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            bits |= data[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = '=';
        *out++ = '=';
        if (left > 1)
            out[-2] = alphabet[bits >> 6 & 63];
        if (left > 2)
            out[-1] = alphabet[bits & 63];
    }
    *out = '\0';
    return (size_t)(out - ret);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int64_t base64_decode(const char *text, size_t len, uint8_t *ret)
{
    size_t padding = 0, out = 0;
    uint32_t bits = 0;

    if (len % 4 != 0)
        return -1;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < len - padding; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 > 0)
            ret[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    /* Bits beyond the last byte must be zero: each byte string has one writing (RFC 4648, 3.5). */
    if (padding > 0 && (bits & (padding == 1 ? 3U : 15U)) != 0)
        return -1;
    return (int64_t)out;
}

void sha1(const void *data, size_t len, uint8_t ret[SHA1_LEN])
{
    must(EVP_Digest(data, len, ret, NULL, EVP_sha1(), NULL));
}

void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN])
{
    must(EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL));
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret[SHA256_LEN])
{
    must(HMAC(EVP_sha256(), key, (int)key_len, data, len, ret, NULL) != NULL);
}

static struct sha_stream *begin(const EVP_MD *kind)
{
    struct sha_stream *s = mem_alloc(sizeof *s);

    s->context = EVP_MD_CTX_new();
    must(s->context != NULL);
    must(EVP_DigestInit_ex(s->context, kind, NULL));
    return s;
}

struct sha_stream *sha1_begin(void)
{
    return begin(EVP_sha1());
}

struct sha_stream *sha256_begin(void)
{
    return begin(EVP_sha256());
}

void sha_add(struct sha_stream *s, const void *data, size_t len)
{
    must(EVP_DigestUpdate(s->context, data, len));
}

void sha_end(struct sha_stream *s, uint8_t *ret)
{
    must(EVP_DigestFinal_ex(s->context, ret, NULL));
    EVP_MD_CTX_free(s->context);
    free(s);
}
