#include "probe/check_secret.h"

#include "base/mem.h"
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

static char *copy(const char *text, size_t len)
{
    char *ret = mem_alloc(len + 1);

    memcpy(ret, text, len);
    return ret;
}

int check_credentials_read(const char *url, struct check_credentials *ret)
{
    const char *scheme = strstr(url, "://"), *begin = scheme ? scheme + 3 : url;
    size_t len = strcspn(begin, "/?#");
    const char *at = memrchr(begin, '@', len);
    size_t all = at ? (size_t)(at - begin) : 0;
    const char *colon = all ? memchr(begin, ':', all) : NULL;
    size_t user = colon ? (size_t)(colon - begin) : all;

    *ret = (struct check_credentials){.user = copy(begin, user),
                                      .password =
                                          colon ? copy(colon + 1, all - user - 1) : copy("", 0)};
    if (http_percent_decode(ret->user) && http_percent_decode(ret->password))
        return 0;
    check_credentials_release(ret);
    return -1;
}

void check_credentials_release(struct check_credentials *c)
{
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(c->user);
    free(c->password);
    *c = (struct check_credentials){0};
}

void check_hide(char *text, const char *secret)
{
    size_t len = secret ? strlen(secret) : 0;

    for (char *at = text; len > 0 && (at = strstr(at, secret)) != NULL; at += len)
        memset(at, '*', len);
}
