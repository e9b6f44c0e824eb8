#pragma once

#include <stddef.h>

/*
 * What is kept of the lines that a mail server says (RFC 5321 section 4.2), for mail.c: the last
 * answer, and the last one that refused a recipient or the mail. Pure; lines are text from outside,
 * kept up to MAIL_SAID_MAX - 1 bytes.
 */
enum { MAIL_SAID_MAX = 300 };

struct mail_said { /* zeroed: it said nothing */
    char last[MAIL_SAID_MAX], refusal[MAIL_SAID_MAX];
    size_t refused; /* how many answers refused */
};

/* One line, with its end or without. */
void mail_said_line(struct mail_said *s, const char *line, size_t len);
