#include "traffic/haproxy_inner.h"

#include "base/hash.h"

#include <string.h>

/* By what a configuration is known again: its text, and the files that HAProxy reads with it. */

enum { FILE_MAX = 1 << 20 }; /* of a certificate; what is longer is not looked at */

/* What HAProxy reads once and keeps: a renewed certificate is another configuration. */
static void add_digest(struct buf *text, const char *path)
{
    struct buf file = BUF_INIT(FILE_MAX);
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    if (path && *path && buf_read_file(&file, path, &(struct err){0}) == 0) {
        sha256(buf_str(&file), file.len, digest);
        hex_encode(digest, SHA256_LEN, hex);
        buf_addf(text, "# %s\n", hex);
        explicit_bzero(file.data, file.len);
    }
    buf_release(&file);
}

void haproxy_digest(const struct haproxy_plan *p, char ret[HASH_TEXT])
{
    struct haproxy_shape shape = {.hash = ""};
    struct buf text = BUF_INIT(CONFIG_MAX);
    uint8_t digest[SHA256_LEN];

    haproxy_config_write(p, &shape, &text);
    add_digest(&text, p->ca_file);
    for (size_t i = 0; i < p->n_routes; i++)
        add_digest(&text, p->routes[i].certificate);
    sha256(buf_str(&text), text.len, digest);
    hex_encode(digest, HASH_TEXT / 2, ret);
    buf_release(&text);
}
