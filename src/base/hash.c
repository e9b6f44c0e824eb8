#include "base/hash.h"
#include "base/mem.h"

#include <endian.h>
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

/* The two characters for every twelve bits. Whole bundles are encoded, so this is worth 8 KiB. */
/* clang-format off */
#define EACH_BEHIND(c) \
    {c, 'A'}, {c, 'B'}, {c, 'C'}, {c, 'D'}, {c, 'E'}, {c, 'F'}, {c, 'G'}, {c, 'H'}, \
    {c, 'I'}, {c, 'J'}, {c, 'K'}, {c, 'L'}, {c, 'M'}, {c, 'N'}, {c, 'O'}, {c, 'P'}, \
    {c, 'Q'}, {c, 'R'}, {c, 'S'}, {c, 'T'}, {c, 'U'}, {c, 'V'}, {c, 'W'}, {c, 'X'}, \
    {c, 'Y'}, {c, 'Z'}, {c, 'a'}, {c, 'b'}, {c, 'c'}, {c, 'd'}, {c, 'e'}, {c, 'f'}, \
    {c, 'g'}, {c, 'h'}, {c, 'i'}, {c, 'j'}, {c, 'k'}, {c, 'l'}, {c, 'm'}, {c, 'n'}, \
    {c, 'o'}, {c, 'p'}, {c, 'q'}, {c, 'r'}, {c, 's'}, {c, 't'}, {c, 'u'}, {c, 'v'}, \
    {c, 'w'}, {c, 'x'}, {c, 'y'}, {c, 'z'}, {c, '0'}, {c, '1'}, {c, '2'}, {c, '3'}, \
    {c, '4'}, {c, '5'}, {c, '6'}, {c, '7'}, {c, '8'}, {c, '9'}, {c, '+'}, {c, '/'}
static const char base64_pairs[4096][2] = {
    EACH_BEHIND('A'), EACH_BEHIND('B'), EACH_BEHIND('C'), EACH_BEHIND('D'), EACH_BEHIND('E'),
    EACH_BEHIND('F'), EACH_BEHIND('G'), EACH_BEHIND('H'), EACH_BEHIND('I'), EACH_BEHIND('J'),
    EACH_BEHIND('K'), EACH_BEHIND('L'), EACH_BEHIND('M'), EACH_BEHIND('N'), EACH_BEHIND('O'),
    EACH_BEHIND('P'), EACH_BEHIND('Q'), EACH_BEHIND('R'), EACH_BEHIND('S'), EACH_BEHIND('T'),
    EACH_BEHIND('U'), EACH_BEHIND('V'), EACH_BEHIND('W'), EACH_BEHIND('X'), EACH_BEHIND('Y'),
    EACH_BEHIND('Z'), EACH_BEHIND('a'), EACH_BEHIND('b'), EACH_BEHIND('c'), EACH_BEHIND('d'),
    EACH_BEHIND('e'), EACH_BEHIND('f'), EACH_BEHIND('g'), EACH_BEHIND('h'), EACH_BEHIND('i'),
    EACH_BEHIND('j'), EACH_BEHIND('k'), EACH_BEHIND('l'), EACH_BEHIND('m'), EACH_BEHIND('n'),
    EACH_BEHIND('o'), EACH_BEHIND('p'), EACH_BEHIND('q'), EACH_BEHIND('r'), EACH_BEHIND('s'),
    EACH_BEHIND('t'), EACH_BEHIND('u'), EACH_BEHIND('v'), EACH_BEHIND('w'), EACH_BEHIND('x'),
    EACH_BEHIND('y'), EACH_BEHIND('z'), EACH_BEHIND('0'), EACH_BEHIND('1'), EACH_BEHIND('2'),
    EACH_BEHIND('3'), EACH_BEHIND('4'), EACH_BEHIND('5'), EACH_BEHIND('6'), EACH_BEHIND('7'),
    EACH_BEHIND('8'), EACH_BEHIND('9'), EACH_BEHIND('+'), EACH_BEHIND('/'),
};
/* clang-format on */

static void encode_pair(uint64_t bits, char *ret)
{
    memcpy(ret, base64_pairs[bits & 4095], 2);
}

static void encode_three(const uint8_t *data, char *ret)
{
    encode_pair((uint32_t)data[0] << 4 | data[1] >> 4, ret);
    encode_pair((uint32_t)data[1] << 8 | data[2], ret + 2);
}

/* Reads eight bytes, for one read of memory instead of six. */
static void encode_six(const uint8_t *data, char *ret)
{
    uint64_t bits;

    memcpy(&bits, data, sizeof bits);
    bits = be64toh(bits);
    encode_pair(bits >> 52, ret);
    encode_pair(bits >> 40, ret + 2);
    encode_pair(bits >> 28, ret + 4);
    encode_pair(bits >> 16, ret + 6);
}

size_t base64_encode(const uint8_t *data, size_t len, char *ret)
{
    char *out = ret;
    size_t i = 0;

    for (; i + 8 <= len; i += 6, out += 8)
        encode_six(data + i, out);
    for (; i + 3 <= len; i += 3, out += 4)
        encode_three(data + i, out);
    if (i < len) {
        uint8_t last[3] = {data[i], i + 1 < len ? data[i + 1] : 0};

        encode_three(last, out);
        out[3] = '=';
        if (i + 1 == len)
            out[2] = '=';
        out += 4;
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
