#include "net/mail_said.h"

#include <string.h>

/* "550-" begins an answer of several lines, "550 " ends it. */
void mail_said_line(struct mail_said *s, const char *line, size_t len)
{
    size_t most = len < MAIL_SAID_MAX ? len : MAIL_SAID_MAX - 1;

    if (len < 4 || line[3] == '-' || strncmp(line, "221", 3) == 0) /* 221: good bye */
        return;
    memcpy(s->last, line, most);
    s->last[most] = '\0';
    s->last[strcspn(s->last, "\r\n")] = '\0';
    if (strncmp(s->last, "55", 2) == 0 || strncmp(s->last, "45", 2) == 0) {
        s->refused++;
        memcpy(s->refusal, s->last, sizeof(s->refusal));
    }
}
