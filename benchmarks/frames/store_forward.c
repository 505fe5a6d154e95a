/* SPDX-License-Identifier: MIT
 *
 * Load a word right after a store to it: of the whole word, or of a narrower part.
 *
 *   value     store [x x x x x x x x]  --> load [x x x x x x x x]     the load takes what the store has not yet written
 *                                                                     to the cache: forwarded
 *   pointer   store [x]                --> load [x . . . . . . .]     no single store has all bytes: the load waits
 *                                                                     until the store has reached the cache
 *
 * Same on both sides:  the word, its value, the load of 8 B, the chain: what is loaded decides what is stored next.
 * Different:           the width of the store, 8 B or N. The word is below 2 to the power of 8 N, and the other bytes
 *                      stay zero, so both sides store and load the same numbers.
 *
 * This is what changing a byte or a flag of a struct costs if the struct is copied soon after, in `mutate`, `ask_made`
 * and wherever an object is passed by value that has just been made member by member. Many processors forward a whole
 * word in no time at all. The size is the width of the narrow store.
 */
#ifndef WIDTH_B

#include "harness/kernel.h"

static inline uint64_t load_word(const unsigned char *word)
{
    uint64_t loaded;

    amp_keep(word); /* what was stored may have been changed: load it */
    memcpy(&loaded, word, sizeof loaded);
    return loaded;
}

static void *set_up_word(size_t size)
{
    (void) size;
    return memset(amp_alloc(sizeof(uint64_t)), 0, sizeof(uint64_t));
}

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, WIDTH_B)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)
#define masked AMP_NAME(masked)

#define WIDTH_B 1
#include "benchmarks/frames/store_forward.c"
#define WIDTH_B 2
#include "benchmarks/frames/store_forward.c"
#define WIDTH_B 4
#include "benchmarks/frames/store_forward.c"

#else /* the lesson, for one width */

/* On both sides, although a narrow store alone would cut the number. */
static AMP_ALWAYS_INLINE uint64_t masked(uint64_t number)
{
    number &= UINT64_MAX >> (64 - 8 * WIDTH_B);
    __asm__("" : "+r"(number));
    return number;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    unsigned char *word = fixture;
    uint64_t number = load_word(word), sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        number = masked(number + 1);
        memcpy(word, &number, sizeof number);
        number = load_word(word);
        sum += number;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    unsigned char *word = fixture;
    uint64_t number = load_word(word), sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        number = masked(number + 1);
        memcpy(word, &number, WIDTH_B); /* the low bytes: the machine is little-endian */
        number = load_word(word);
        sum += number;
    }
    return sum;
}

AMP_PAIR(store_forward,
         .question = "What does it cost to load a word after a store of all of it, and what after a store of a part?",
         .value = { run_value, .calls = "", .set_up = set_up_word, .tear_down = free, .label = "whole store" },
         .pointer = { run_pointer, .calls = "", .set_up = set_up_word, .tear_down = free, .label = "narrow store" },
         .sizes = AMP_SIZES(WIDTH_B),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Do not copy or compare a struct as a whole right after changing a small member of it." }));

#undef WIDTH_B
#endif
