/* SPDX-License-Identifier: MIT
 *
 * `pass` with calls that depend on each other: which member a call reads, the call before has decided.
 *
 *   value     call --[w w w w]--> member k of the copy   --.
 *             call --[w w w w]--> member k' of the copy <--'   each read waits for its own copy, the copy for nobody
 *   pointer   call --[ & ]-----> member k of the object --.
 *             call --[ & ]-----> member k' of it <--------'    each read waits for the read before
 *
 * Same on both sides:  the object, the chain: a call, a read, the number of the next member.
 * Different:           where the read finds the member. In `pass` calls overlap, here they cannot: the time is that of
 *                      the whole chain. At 16 B the value side writes its registers to memory first, since registers
 *                      cannot be indexed.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/passing/latency.c"
#define AMP_SUBJECT_OF AMP_WORDS
#define AMP_SUBJECT_ONLY(n) ((n) == 16 || (n) == 64 || (n) == 256 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define take_value AMP_NAME(take_value)
#define take_pointer AMP_NAME(take_pointer)

static AMP_NOINLINE uint64_t take_value(subject object, uint64_t k)
{
    return amp_member(&object, k % AMP_SUBJECT_MEMBERS);
}

static AMP_NOINLINE uint64_t take_pointer(const subject *object, uint64_t k)
{
    return amp_member(object, k % AMP_SUBJECT_MEMBERS);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t k = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        k = take_value(*object, k);
    }
    return k + ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t k = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        k = take_pointer(object, k);
    }
    return k + ops;
}

AMP_PAIR(latency,
         .question = "What does an argument cost by value, and what by const pointer, if each call waits for the one "
                     "before?",
         .value = { run_value, .calls = "take_value", .copied_b_per_op = sizeof(subject), .set_up = amp_object_set_up,
                    .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = "take_pointer", .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_POINTER, .from = 64, .to = 64, .text =
                      "At a cache line it depends on the processor whether a read of a new copy waits for the copy: "
                      "some hand on what was just stored in no time." },
                    { AMP_POINTER, .from = 256, .text =
                      "In chains of calls, pass larger objects by pointer: a read of a new copy waits for it." }));

#endif
