/* SPDX-License-Identifier: MIT
 *
 * An object of 1 KiB to 4 MiB that lives for one call: in the frame, or on the heap.
 *
 *   too_large              value     frame [ page ][ page ] ... [ page ]      pages that earlier calls have touched
 *                          pointer   heap  [ page ][ page ] ... [ page ]      malloc(), free(): the same block again
 *
 *   too_large_first_touch  value     frame [ new  ][ new  ] ... [ new  ]      the stack's pages were given back before,
 *                          pointer   frame [ page ][ page ] ... [ page ]      or kept; there is nothing to give back
 *
 * Same on both sides:  one byte written in each page of 4 KiB and at the end, each of them read.
 * Different:           too_large: where the object lives. The stack has a limit, usually 8 MiB, and a frame beyond it
 *                      crashes, while malloc() reports that there is no memory. too_large_first_touch: whether the
 *                      kernel has to supply a page at each first write, which a deep frame costs once in the life of a
 *                      thread. Both sides call madvise(), a few hundred nanoseconds; the value side's gives the pages
 *                      back, which is part of its time, the pointer side's finds none.
 */
#ifndef OBJECT_B

#include "harness/kernel.h"

#include <sys/mman.h>

#define PAGE_B ((size_t) 4096)
#define NEW_B ((OBJECT_B + PAGE_B - 1) / PAGE_B * PAGE_B + 4 * PAGE_B) /* around the object, whole pages */
#define KIB ((size_t) 1024)
#define MIB (1024 * KIB)

static inline uint64_t touch(unsigned char *bytes, size_t size, uint64_t number)
{
    uint64_t sum = 0;

    for (size_t at = 0; at < size; at += PAGE_B)
        bytes[at] = (unsigned char) (number + at / PAGE_B);
    bytes[size - 1] = (unsigned char) (number >> 8);
    amp_keep(bytes);
    for (size_t at = 0; at < size; at += PAGE_B)
        sum += bytes[at];
    return sum + bytes[size - 1];
}

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, OBJECT_B)
#define use_value AMP_NAME(use_value)
#define use_pointer AMP_NAME(use_pointer)
#define use_new AMP_NAME(use_new)
#define give_back AMP_NAME(give_back)
#define give_nothing AMP_NAME(give_nothing)
#define set_up_untouched AMP_NAME(set_up_untouched)
#define tear_down_untouched AMP_NAME(tear_down_untouched)
#define touch_through AMP_NAME(touch_through)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)
#define run_new AMP_NAME(run_new)
#define run_kept AMP_NAME(run_kept)

#define OBJECT_B 1024
#include "benchmarks/sizes/too_large.c"
#define OBJECT_B 65536
#include "benchmarks/sizes/too_large.c"
#define OBJECT_B 4194304
#include "benchmarks/sizes/too_large.c"

#else /* the lesson, for one size */

static AMP_NOINLINE uint64_t use_value(uint64_t number)
{
    unsigned char bytes[OBJECT_B];

    return touch(bytes, sizeof bytes, number);
}

static AMP_NOINLINE uint64_t use_pointer(uint64_t number)
{
    unsigned char *bytes = amp_alloc(OBJECT_B);
    uint64_t sum = touch(bytes, OBJECT_B, number);

    free(bytes);
    return sum;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += use_value(i);
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--)
        sum += use_pointer(i);
    return sum;
}

AMP_PAIR(too_large,
         .question = "What does a large object cost that lives for one call: in the frame, and on the heap?",
         .value = { .run = run_value, .calls = "use_value", .label = "frame" },
         .pointer = { .run = run_pointer, .calls = "use_pointer malloc free", .label = "heap", .allocs_per_op = 1,
                      .bytes_per_op = OBJECT_B },
         .sizes = AMP_SIZES(OBJECT_B),
         AMP_CLAIMS({ AMP_VALUE, .to = 65536, .text = "Use the frame up to about 64 KiB." },
                    { AMP_NEITHER, .from = 4194304, .text =
                      "Beyond, the work on so many bytes takes much longer than an allocation." }),
         .prefer = "The heap is the safer place for large objects: it has no limit of 8 MiB and can report that it "
                   "is full.");

#if OBJECT_B <= 65536 /* beyond, a call takes milliseconds */

/* Give back the pages in which the caller's next frame will be: only free pages of the stack, more than two pages below
 * this function's frame. */
static AMP_NOINLINE void give_back(void)
{
    uintptr_t end = ((uintptr_t) __builtin_frame_address(0) & ~(PAGE_B - 1)) - 2 * PAGE_B;

    /* Fails if the stack was never so deep: then there is nothing to give back. */
    (void) madvise((void *) (end - NEW_B), NEW_B, MADV_DONTNEED);
}

static AMP_NOINLINE uint64_t use_new(uint64_t number)
{
    unsigned char bytes[OBJECT_B + 4 * PAGE_B];

    return touch(bytes, OBJECT_B, number);
}

static AMP_NOINLINE uint64_t touch_through(unsigned char *bytes, uint64_t number)
{
    return touch(bytes, OBJECT_B, number);
}

static uint64_t run_new(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        give_back();
        sum += use_new(i);
    }
    return sum;
}

/* The same call for memory that nobody has touched. */
static AMP_NOINLINE void give_nothing(void *untouched)
{
    (void) madvise(untouched, NEW_B, MADV_DONTNEED);
}

static uint64_t run_kept(void *fixture, uint64_t ops)
{
    unsigned char bytes[OBJECT_B];
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        give_nothing(fixture);
        sum += touch_through(bytes, i);
    }
    return sum;
}

static void *set_up_untouched(size_t size)
{
    void *untouched = mmap(NULL, NEW_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void) size;
    if (untouched == MAP_FAILED)
        _exit(AMP_EXIT_NO_MEMORY);
    return untouched;
}

static void tear_down_untouched(void *untouched)
{
    munmap(untouched, NEW_B);
}

AMP_PAIR(too_large_first_touch,
         .question = "What does a large frame cost on pages that are touched for the first time, and what on pages "
                     "that were kept?",
         .value = { .run = run_new, .calls = "give_back madvise use_new", .label = "new pages" },
         .pointer = { run_kept, .calls = "give_nothing madvise touch_through", .label = "touched pages",
                      .set_up = set_up_untouched,
                      .tear_down = tear_down_untouched },
         .sizes = AMP_SIZES(OBJECT_B),
         AMP_CLAIMS({ AMP_POINTER, .text =
                      "If a thread lives briefly and goes deep once, give it memory that was touched before." }),
         .prefer = "Elsewhere the first touch is paid only once.");

#endif
#undef OBJECT_B
#endif
