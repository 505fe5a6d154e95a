/* SPDX-License-Identifier: MIT
 *
 * Which known name did the user mean? */
#ifndef AMP_SUGGEST_H
#define AMP_SUGGEST_H

#include <stddef.h>

/* How many insertions, deletions, substitutions and swaps of neighbours turn one word into the other. Case is ignored.
 * Only the first AMP_SUGGEST_CHARS characters of a word count. */
size_t amp_suggest_distance(const char *a, const char *b);
#define AMP_SUGGEST_CHARS 127

/* The name nearest to `word`; of equally near ones the first; NULL if none is within `limit` edits. */
const char *amp_suggest(const char *word, const char *const *names, size_t n, size_t limit);

/* A limit for suggestions: a third of the word, rounded up. Beyond it a suggestion is a guess. */
size_t amp_suggest_limit(const char *word);

#endif
