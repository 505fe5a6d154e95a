/* SPDX-License-Identifier: MIT
 *
 * Get zeroed memory: from calloc(), or from malloc() and memset().
 *
 *   calloc           [ 0 0 0 0 ... 0 ]     the allocator knows whether the memory is zero already, and which way of
 *                                          clearing it is the best
 *   malloc, memset   [ ? ? ? ? ... ? ] --> [ 0 0 0 0 ... 0 ]
 *
 * Same on both sides:  the size, the first and the last word are read, free().
 * Different:           who clears the memory. For a block larger than those that it caches for a thread (32 KiB),
 *                      jemalloc's calloc() has the kernel replace the pages: madvise(), and a page fault for each page
 *                      that is touched, here two.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/lifetime/zeroed.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096 || (n) == 65536)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject *object = calloc(1, sizeof *object);

        if (__builtin_expect(object == NULL, 0))
            _exit(AMP_EXIT_NO_MEMORY);
        amp_keep(object);
        sum += amp_ends(object) + 1;
        free(object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        subject *object = amp_alloc(sizeof *object);

        memset(object, 0, sizeof *object);
        amp_keep(object);
        sum += amp_ends(object) + 1;
        free(object);
    }
    return sum;
}

AMP_PAIR(zeroed,
         .question = "What does zeroed memory cost from calloc(), and what from malloc() and memset()?",
         .value = { run_value, .calls = "calloc free", .label = "calloc", .allocs_per_op = 1,
                    .bytes_per_op = sizeof(subject) },
         .pointer = { run_pointer, .calls = "malloc free", .label = "malloc+memset", .allocs_per_op = 1,
                      .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_POINTER, .to = 64, .text =
                      "The compiler writes the zeros of a small block itself, with malloc() and memset()." },
                    { AMP_NEITHER, .from = 4096, .to = 4096, .text = "A page costs the same." },
                    { AMP_POINTER, .from = 65536, .text =
                      "The calloc() of jemalloc gets large blocks from the kernel again and again: if you free and "
                      "take them often, malloc() and memset() are quicker." }),
         .prefer = "A call of calloc() also checks the product of its arguments.");

#endif
