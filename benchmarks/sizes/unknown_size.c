/* SPDX-License-Identifier: MIT
 *
 * An array that lives for one call, and whose size is known only then.
 *
 *   unknown_size            value     frame  [ n bytes ]            char b[n]: the frame made larger by n
 *                           pointer   heap   [ n bytes ]            malloc(n), free()
 *
 *   unknown_size_constant   value     frame  [ n bytes, up to 4096 ]   char b[4096]: as large as it may ever be
 *                           pointer   frame  [ n bytes ]               char b[n], found by a pointer that is computed
 *
 * Same on both sides:  n, the two bytes that are written and read, a call for each array.
 * Different:           where the array is, and what has to be computed to get it. In a frame, no form can report a
 *                      failure: if n is beyond the stack's limit, the program crashes.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sizes/unknown_size.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define MOST_B 4096
#define use_constant AMP_NAME(use_constant)
#define use_vla AMP_NAME(use_vla)
#define use_heap AMP_NAME(use_heap)
#define use_exact AMP_NAME(use_exact)
#define run_constant AMP_NAME(run_constant)
#define run_vla AMP_NAME(run_vla)
#define run_exact AMP_NAME(run_exact)
#define run_heap AMP_NAME(run_heap)
#define set_up_size AMP_NAME(set_up_size)

static AMP_NOINLINE uint64_t use_constant(size_t n, uint64_t number)
{
    unsigned char b[MOST_B];

    b[0] = (unsigned char) number;
    b[n - 1] = (unsigned char) (number >> 8);
    amp_keep(b);
    return b[0] + ((uint64_t) b[n - 1] << 8);
}

/* The same function again for the other pair, so that the layouts of the pairs are independent. */
static AMP_NOINLINE uint64_t use_vla(size_t n, uint64_t number)
{
    unsigned char b[n];

    b[0] = (unsigned char) number;
    b[n - 1] = (unsigned char) (number >> 8);
    amp_keep(b);
    return b[0] + ((uint64_t) b[n - 1] << 8);
}

static AMP_NOINLINE uint64_t use_exact(size_t n, uint64_t number)
{
    unsigned char b[n];

    b[0] = (unsigned char) number;
    b[n - 1] = (unsigned char) (number >> 8);
    amp_keep(b);
    return b[0] + ((uint64_t) b[n - 1] << 8);
}

static AMP_NOINLINE uint64_t use_heap(size_t n, uint64_t number)
{
    unsigned char *b = amp_alloc(n);
    uint64_t ends;

    b[0] = (unsigned char) number;
    b[n - 1] = (unsigned char) (number >> 8);
    amp_keep(b);
    ends = b[0] + ((uint64_t) b[n - 1] << 8);
    free(b);
    return ends;
}

static uint64_t run_constant(void *fixture, uint64_t ops)
{
    const size_t *n = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += use_constant(*n, i);
    return sum;
}

static uint64_t run_vla(void *fixture, uint64_t ops)
{
    const size_t *n = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += use_vla(*n, i);
    return sum;
}

static uint64_t run_exact(void *fixture, uint64_t ops)
{
    const size_t *n = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += use_exact(*n, i);
    return sum;
}

static uint64_t run_heap(void *fixture, uint64_t ops)
{
    const size_t *n = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += use_heap(*n, i);
    return sum;
}

static void *set_up_size(size_t size)
{
    size_t *n = amp_alloc(sizeof *n);

    *n = size;
    return n;
}

AMP_PAIR(unknown_size,
         .question = "What does an array cost whose size is known only at run time: in the frame, and on the heap?",
         .value = { run_vla, .calls = "use_vla", .label = "frame", .set_up = set_up_size, .tear_down = free },
         .pointer = { run_heap, .calls = "use_heap malloc free", .label = "heap", .set_up = set_up_size,
                      .tear_down = free,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text = "Use the frame if there is a small upper bound." }),
         .prefer = "Else use the heap, which can report that it is full. unknown_size_constant compares two forms in "
                   "the frame.");

AMP_PAIR(unknown_size_constant,
         .question = "What does an array in the frame cost with the largest possible size, and what with exactly the "
                     "size needed?",
         .value = { run_constant, .calls = "use_constant", .label = "largest size", .set_up = set_up_size,
                    .tear_down = free },
         .pointer = { run_exact, .calls = "use_exact", .label = "exact size", .set_up = set_up_size,
                      .tear_down = free },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Declare the largest possible size: bytes of a frame that nobody touches cost nothing." }),
         .prefer = "A variable-length array only saves stack depth.");

#endif
