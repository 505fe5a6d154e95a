/* A small library: counts the words of a text. */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

size_t words_count(const char *text);

/* The longest word, in memory of its own that the caller frees; NULL without memory. */
char *words_longest(const char *text);

#ifdef __cplusplus
}
#endif

#endif
