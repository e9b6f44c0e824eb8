#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Digests used on the wire and for identity. Streaming contexts are plain structs without heap
 * except where stated; one thread each. SHA via OpenSSL's EVP, BLAKE3 via its authors' C sources.
 */
enum { SHA1_LEN = 20, SHA256_LEN = 32, BLAKE3_LEN = 32 };

/* Lower-case hex; ret holds 2 * len + 1 bytes. */
void hex_encode(const uint8_t *data, size_t len, char *ret);

/* Standard base64 with padding, no line breaks. ret holds 4 * ((len + 2) / 3) + 1 bytes. */
size_t base64_encode(const uint8_t *data, size_t len, char *ret);
/* -1 on anything that is not standard base64. ret holds 3 * (len / 4) bytes. */
int64_t base64_decode(const char *text, size_t len, uint8_t *ret);

void sha1(const void *data, size_t len, uint8_t ret[SHA1_LEN]);
void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN]);
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret[SHA256_LEN]);

struct sha_stream; /* SHA-1 or SHA-256 in pieces; heap */
struct sha_stream *sha1_begin(void);
struct sha_stream *sha256_begin(void);
void sha_add(struct sha_stream *s, const void *data, size_t len);
void sha_end(struct sha_stream *s, uint8_t *ret); /* writes the digest and frees s */

struct blake3_stream; /* heap */
struct blake3_stream *blake3_begin(void);
void blake3_add(struct blake3_stream *s, const void *data, size_t len);
void blake3_end(struct blake3_stream *s, uint8_t ret[BLAKE3_LEN]); /* frees s */
