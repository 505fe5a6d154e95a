/* SPDX-License-Identifier: MIT
 *
 * A recursion of ten calls, each with clean scratch space: in its frame, or on the heap.
 *
 *   value     call 1  [0 0 ... 0]       pointer   call 1  [ & ]--> [0 0 ... 0]   malloc
 *             call 2  [0 0 ... 0]                 call 2  [ & ]--> [0 0 ... 0]   malloc
 *             ...     cleaned on the              ...
 *             call 10  way down                   call 10 [ & ]--> [0 0 ... 0]   malloc
 *             return, return, ...                 free, free, ...
 *             nothing to do on the way up         each on the way up
 *
 * Same on both sides:  ten calls, the bytes that each cleans, the two words that it writes and reads.
 * Different:           where the space is, and who frees it. On a stack, each call zeroes its space on the way down;
 *                      on the way up nothing is done, and the next walk down finds the same lines in the cache. Of a
 *                      block of the heap gcc does not know the alignment: at 4 KiB it stores two words more before
 *                      the same `rep stos`.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/frame_reuse.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define DEPTH 10
#define walk_value AMP_NAME(walk_value)
#define walk_pointer AMP_NAME(walk_pointer)

static AMP_NOINLINE uint64_t walk_value(uint64_t number, unsigned depth)
{
    subject scratch;
    uint64_t sum = 0;

    memset(&scratch, 0, sizeof scratch);
    amp_keep(&scratch);
    amp_set_ends(&scratch, number + depth);
    if (depth + 1 < DEPTH)
        sum = walk_value(number, depth + 1);
    amp_keep(&scratch); /* the calls below have not changed it, but the compiler must not know that */
    return sum + amp_ends(&scratch);
}

static AMP_NOINLINE uint64_t walk_pointer(uint64_t number, unsigned depth)
{
    subject *scratch = memset(amp_alloc(sizeof *scratch), 0, sizeof *scratch);
    uint64_t sum = 0;

    amp_keep(scratch);
    amp_set_ends(scratch, number + depth);
    if (depth + 1 < DEPTH)
        sum = walk_pointer(number, depth + 1);
    amp_keep(scratch);
    sum += amp_ends(scratch);
    free(scratch);
    return sum;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += walk_value(i, 0);
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += walk_pointer(i, 0);
    return sum;
}

AMP_PAIR(frame_reuse,
         .question = "What does zeroed scratch space cost ten nested calls in their frames, and what on the heap?",
         .value = { .run = run_value, .calls = "walk_value*10", .label = "frame" },
         .pointer = { .run = run_pointer, .calls = "walk_pointer*10 malloc*10 free*10", .label = "heap",
                      .allocs_per_op = DEPTH,
                      .bytes_per_op = DEPTH * sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text = "Keep scratch space of a call in its frame." }),
         .prefer = "Use the heap if depth times size may come near the limit of the stack.");

#endif
