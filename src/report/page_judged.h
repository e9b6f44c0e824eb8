#pragma once

struct buf;
struct comparison;

/* What is concluded from the figures, each a section with its heading; nothing when there is
 * nothing to say. */
void page_recommendation(const struct comparison *c, struct buf *out);
void page_pairs(const struct comparison *c, struct buf *out);
void page_changes(const struct comparison *c, struct buf *out);
void page_heat(const struct comparison *c, struct buf *out); /* by time of the day */
