#pragma once

#include <stddef.h>

/* A file that was put into the binary at build time by tools/embed; its bytes are followed by a NUL
 * that `len` does not count. Constant for the life of the process. */
struct embedded_file {
    const char *name; /* without its folder */
    const unsigned char *data;
    size_t len;
};
