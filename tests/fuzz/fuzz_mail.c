#include "net/mail.h"
#include "net/mail_said.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as the lines that a mail server says, cut at their line ends, and as the address of a
 * mail server. No crash; what is kept is one line that ends; an address has a host, and a refusal
 * quotes nothing.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void hear(const char *data, size_t size)
{
    struct mail_said said = {0};
    size_t lines = 0;

    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) + 1 : size;
        mail_said_line(&said, data, len);
        data += len, size -= len, lines++;
    }
    check(memchr(said.last, '\0', sizeof(said.last)) && !strpbrk(said.last, "\r\n"));
    check(memchr(said.refusal, '\0', sizeof(said.refusal)) && !strpbrk(said.refusal, "\r\n"));
    check(said.refused <= lines && (said.refused > 0) == (said.refusal[0] != '\0'));
}

static void read_as_address(const char *url)
{
    struct mail_address a;
    struct err e = ERR_INIT;

    if (mail_address_read(url, &a, &e) == 0)
        check(a.host[0] && !strchr(a.host, '['));
    else
        check(e.kind == ERR_MANIFEST && (strlen(url) < 20 || !strstr(e.text, url)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    hear((const char *)data, size);
    read_as_address(text);
    free(text);
    return 0;
}
