#include "base/text.h"

#include <string.h>

/* "Did you mean": optimal string alignment (edits, and swaps of neighbours). */

enum { WORD_MAX = 127 }; /* longer words are not mistyped keys or names */

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    size_t apart = a_len > b_len ? a_len - b_len : b_len - a_len;

    if (a_len > WORD_MAX || b_len > WORD_MAX || apart > limit)
        return limit + 1;
    for (unsigned j = 0; j <= b_len; j++)
        last[j] = before[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned best = row[0] = i;

        for (unsigned j = 1; j <= b_len; j++) {
            row[j] = smaller(last[j] + 1, row[j - 1] + 1);
            row[j] = smaller(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
            best = smaller(best, row[j]);
        }
        if (best > limit)
            return limit + 1;

        unsigned *oldest = before;

        before = last;
        last = row;
        row = oldest;
    }
    return smaller(last[b_len], limit + 1);
}

const char *text_did_you_mean(const char *word, const char *const *candidates, size_t n)
{
    unsigned limit = (unsigned)((strlen(word) + 2) / 3);
    const char *nearest = NULL;

    for (size_t i = 0; i < n; i++) {
        unsigned distance = text_distance(word, candidates[i], limit);

        if (distance > limit)
            continue;
        nearest = candidates[i];
        if (distance == 0)
            break;
        limit = distance - 1; /* the next must be nearer; equals keep the earlier one */
    }
    return nearest;
}
