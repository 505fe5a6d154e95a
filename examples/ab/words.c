#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The end of the word that begins here. */
static const char *end_of(const char *word)
{
    while (*word && !isspace((unsigned char) *word))
        word++;
    return word;
}

static const char *next(const char *text)
{
    while (isspace((unsigned char) *text))
        text++;
    return text;
}

size_t words_count(const char *text)
{
    size_t n = 0;

    for (text = next(text); *text; text = next(end_of(text)))
        n++;
    return n;
}

char *words_longest(const char *text)
{
    const char *longest = text;
    size_t length = 0;

    for (text = next(text); *text; text = next(end_of(text)))
        if ((size_t) (end_of(text) - text) > length) {
            longest = text;
            length = (size_t) (end_of(text) - text);
        }
    return strndup(longest, length);
}
