#include "app/origin.h"

#include <stdint.h>
#include <string.h>

bool origin_read(const char *url, struct origin *ret)
{
    bool secure = strncmp(url, "https://", 8) == 0;
    const char *host = secure ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
    bool brackets = host && host[0] == '[';
    size_t len = !host ? 0 : brackets ? strcspn(++host, "]") : strcspn(host, ":/?#");
    int64_t port = secure ? 443 : 80;

    if (len == 0 || len >= sizeof(ret->host))
        return false;
    *ret = (struct origin){.secure = secure};
    memcpy(ret->host, host, len);
    const char *after = host + len + (brackets && host[len] == ']');
    if (*after == ':') {
        port = 0;
        for (after++; *after >= '0' && *after <= '9' && port < 65536; after++)
            port = 10 * port + *after - '0';
    }
    if (port < 1 || port > 65535)
        return false;
    ret->port = (int)port;
    size_t tail = len > 10 ? len - 10 : 0;
    ret->here = strncmp(ret->host, "127.", 4) == 0 || strcmp(ret->host, "::1") == 0 ||
                strcmp(ret->host, "localhost") == 0 || strcmp(ret->host + tail, ".localhost") == 0;
    return true;
}
