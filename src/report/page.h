#pragma once

/* The style sheet of the HTML report in pieces, to be written one behind the other; ends in NULL.
 */
extern const char *const page_style[];
