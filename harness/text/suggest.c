/* SPDX-License-Identifier: MIT
 *
 * Edit distance by dynamic programming (Wagner and Fischer 1974), with swaps of neighbours as one edit (Damerau 1964)
 * in the form that edits no place twice, called optimal string alignment. Row i of the table holds the distances of
 * the first i characters of `a` from every beginning of `b`; a swap looks two rows back, so three rows are enough. */
#include "harness/text/suggest.h"

#include <ctype.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int same(char a, char b)
{
    return tolower((unsigned char) a) == tolower((unsigned char) b);
}

size_t amp_suggest_distance(const char *a, const char *b)
{
    size_t n = strnlen(a, AMP_SUGGEST_CHARS), m = strnlen(b, AMP_SUGGEST_CHARS);
    size_t rows[3][AMP_SUGGEST_CHARS + 1];

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = min(min(before[j], now[j - 1]) + 1, before[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = min(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *amp_suggest(const char *word, const char *const *names, size_t n, size_t limit)
{
    const char *nearest = NULL;
    size_t least = 0;

    for (size_t i = 0; i < n; i++) {
        size_t distance = amp_suggest_distance(word, names[i]);

        if (distance <= limit && (!nearest || distance < least)) {
            nearest = names[i];
            least = distance;
        }
    }
    return nearest;
}

size_t amp_suggest_limit(const char *word)
{
    return (strnlen(word, AMP_SUGGEST_CHARS) + 2) / 3;
}
