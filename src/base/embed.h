#pragma once

#include <stddef.h>

/* A file that was put into the binary at build time by tools/embed; its bytes are followed by a NUL
 * that `len` does not count. Constant for the life of the process. */
struct embedded_file {
    const char *name; /* without its folder */
    const unsigned char *data;
    size_t len;
};

/* A file of a web page (tools/embed_assets). Constant for the life of the process. */
struct embedded_asset {
    const char *path; /* "index.html", "fonts/a.woff2" */
    const char *type; /* Content-Type */
    const unsigned char *data;
    size_t len;
    const unsigned char *gzip; /* the same compressed; NULL where that is not smaller */
    size_t gzip_len;
    const char *digest; /* tells versions of the file apart */
};
