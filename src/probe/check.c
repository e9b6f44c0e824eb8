#include "probe/check.h"

#include <stddef.h>

/* One row a kind, in the enum's order. */
static const struct check_ops *const table[CHECK_DNS + 1] = {
    [CHECK_HTTP] = &check_http,         [CHECK_TLS] = &check_tls,
    [CHECK_CORS] = &check_cors,         [CHECK_WEBSOCKET] = &check_websocket,
    [CHECK_POSTGRES] = &check_postgres, [CHECK_REDIS] = &check_redis,
    [CHECK_UPSTASH] = &check_upstash,   [CHECK_TCP] = &check_tcp,
    [CHECK_DNS] = &check_dns,
};

const struct check_ops *check_find(enum check_kind kind)
{
    return (unsigned)kind <= CHECK_DNS ? table[kind] : NULL;
}
