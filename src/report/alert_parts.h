#pragma once

#include "report/alert_text.h"

/* What alert_text.c and alert_mail.c share; nobody else includes it. */

enum alert_clean { CLEAN_LINE, CLEAN_LINES }; /* line breaks become blanks, or stay */

/* Appends s without control, direction and invisible characters and without what is not UTF-8; at
 * most `most` UTF-16 units, the last of which is then "…". Returns how many it has. */
size_t alert_clean(const char *s, size_t most, enum alert_clean how, struct buf *out);

const struct alert_line *alert_newest(const struct alert_content *c);
void alert_headline(const struct alert_content *c, struct buf *out); /* one line */
void alert_body(const struct alert_content *c, struct buf *out);     /* lines; may be empty */
bool alert_has_link(const struct alert_line *l);                     /* a web address, whole */
