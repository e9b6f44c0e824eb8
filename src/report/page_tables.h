#pragma once

struct buf;
struct comparison;

/* The HTML report's tables, each a section with its heading. */
void page_cold_starts(const struct comparison *c, struct buf *out);
void page_endpoints(const struct comparison *c, struct buf *out);
void page_method(const struct comparison *c, struct buf *out); /* how it was measured */
