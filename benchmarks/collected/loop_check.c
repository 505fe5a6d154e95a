/* SPDX-License-Identifier: MIT
 *
 * A loop that calls nothing has no safe point: a collection that wants to begin waits until it ends, and so does every
 * other thread. A check in the loop lets it begin at once. What does the check cost?
 *
 *   no check   word -> hash -> word -> hash -> ...                              stops no sooner than at its end
 *   check      word -> hash -> asked to stop? --no--> word -> hash -> ...       within an iteration
 *
 * Same on both sides:  the words, and the hash, of which each step waits for the one before.
 * Different:           a load of a word of the thread, and a branch that is not taken. clang unrolls the loop without
 *                      them.
 *
 * How long the stop waits without it: the rows `loop` and `checked` of the shapes that `gc` measures. */
#include "harness/gc/gc.h"
#include "harness/kernel.h"

#define WORDS 1024 /* 8 KiB: in the first cache */

#define LOOP(check)                                                                                                    \
    {                                                                                                                  \
        const uint64_t *words = memory;                                                                                \
        uint64_t hash = ops;                                                                                           \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            check;                                                                                                     \
            hash = (hash ^ words[i % WORDS]) * 0x100000001b3u;                                                         \
        }                                                                                                              \
        return hash;                                                                                                   \
    }

static uint64_t run_value(void *memory, uint64_t ops)
    LOOP()

static uint64_t run_pointer(void *memory, uint64_t ops)
    LOOP(amp_gc_poll())

static void *set_up(size_t size)
{
    uint64_t *words = amp_alloc(WORDS * sizeof *words), random = size;

    for (size_t i = 0; i < WORDS; i++)
        words[i] = amp_random_next(&random);
    return words;
}

AMP_PAIR(loop_check,
         .question = "What does it cost a loop to look in each iteration whether it is to stop for a collection?",
         .value = { run_value, .calls = "", .label = "no check", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "amp_gc_answer*", .label = "check", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(WORDS * sizeof(uint64_t)),
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "A check in a loop that does anything costs less than half a nanosecond an iteration." }),
         .prefer = "Put one into each loop that calls nothing and may be long.");
