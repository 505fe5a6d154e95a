/* Kernels for `ampersand ab`, in C. */
#include "harness/ab.h"
#include "words.h"

static void *set_up(size_t size)
{
    char *text = amp_alloc(size + 1);

    for (size_t i = 0; i < size; i++)
        text[i] = i % 7 == 6 ? ' ' : (char) ('a' + i % 26);
    text[size] = '\0';
    return text;
}

static uint64_t run_count(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    for (; ops > 0; ops--)
        sum += words_count(fixture);
    return sum;
}

static uint64_t run_longest(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    for (; ops > 0; ops--) {
        char *longest = words_longest(fixture);

        sum += (unsigned char) longest[0];
        free(longest);
    }
    return sum;
}

AMP_KERNEL(count, .set_up = set_up, .run = run_count, .size = 400);
AMP_KERNEL(longest, .set_up = set_up, .run = run_longest, .size = 400);
