/* SPDX-License-Identifier: MIT
 *
 * A local object in a frame: initialized to zero, or left uninitialized and filled through its address.
 *
 *   value     subject object = zero;   frame [0 0 0 ... 0]     N bytes written, then two words set
 *   pointer   subject object;          frame [? ? ? ... ?]     two words set where the address says
 *                fill(&object) ---------------^         ^
 *
 * Same on both sides:  the frame, the two words that are set and read, a call a frame.
 * Different:           whether the other bytes are zeroed first. Otherwise they hold what an earlier call left there:
 *                      to read them is an error, and may leak a secret.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/zero_value.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096 || (n) == 65536)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define frame_value AMP_NAME(frame_value)
#define frame_pointer AMP_NAME(frame_pointer)

static AMP_NOINLINE uint64_t frame_value(uint64_t number)
{
    subject object;

    memset(&object, 0, sizeof object); /* not = { 0 }, for which gcc copies an array of zeros */
    amp_keep(&object); /* the compiler must believe that all of it is read: it must be zero in memory */
    amp_set_ends(&object, number);
    amp_keep(&object);
    return amp_ends(&object);
}

static AMP_NOINLINE uint64_t frame_pointer(uint64_t number)
{
    subject object;

    amp_keep(&object);
    amp_set_ends(&object, number);
    amp_keep(&object);
    return amp_ends(&object);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += frame_value(i);
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += frame_pointer(i);
    return sum;
}

AMP_PAIR(zero_value,
         .question = "What does it cost to initialize a local object to zero, and what to leave it uninitialized?",
         .value = { .run = run_value, .calls = "frame_value", .label = "zeroed" },
         .pointer = { .run = run_pointer, .calls = "frame_pointer", .label = "unset" },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .to = 64, .text =
                      "Initialize small objects: by the processor, it costs a third to two thirds of a nanosecond, and "
                      "nothing uninitialized is ever read." },
                    { AMP_POINTER, .from = 4096, .text =
                      "Leave out only large buffers of which little is used, or which are written completely before "
                      "they are read." }));

#endif
