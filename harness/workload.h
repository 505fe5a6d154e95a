/* SPDX-License-Identifier: MIT
 *
 * The header of workloads (benchmarks/workloads/<name>.c). A workload uses malloc in one way that real programs do, to
 * compare allocators: a lesson compares two sides in one process; a workload is the same code in many processes, each
 * under another allocator.
 *
 *     set_up ---> run(thread 0, n), run(thread 1, n) ... ---> drain ---> tear_down
 *     tables      chunk after chunk, timed                    frees
 *     by mmap     the only calls of malloc and its kin        all that lives
 *
 * The seed alone decides what it allocates, in which order, and what it writes there. So its checksum is the same under
 * every allocator, and an allocator that hands out memory twice is caught. Its own tables come from amp_map(), not from
 * malloc(), so that they are not counted as the allocator's memory. */
#ifndef AMP_WORKLOAD_H
#define AMP_WORKLOAD_H

#include "harness/kernel.h"

#include <sys/mman.h>

#define AMP_WORKLOAD_THREADS 4 /* at most */
#define AMP_LATENCY_OPS 65536
#define AMP_WORKLOAD_PAIR "pair_" /* before a pair's name: the workload that runs this pair at all of its sizes */

struct amp_workload {
    const char *name;      /* a folder's name: [a-z0-9_]+ */
    const char *purpose;   /* what it shows, one sentence */
    const char *operation; /* what one operation is, "a free and a malloc of 16 to 128 B" */
    unsigned threads;      /* how many run at once; 1: the process is pinned to one CPU */
    uint64_t chunk_ops;    /* operations of each thread in a timed chunk: a few milliseconds, and whole cycles */
    uint64_t latency_ops;  /* how many operations are timed one by one, at most AMP_LATENCY_OPS */

    void *(*set_up)(uint64_t amp_seed); /* ends the process if there is no memory */
    /* Do `ops` operations of this thread (0 to threads - 1) and return their checksum. Called many times. */
    uint64_t (*run)(void *amp_fixture, unsigned amp_thread, uint64_t amp_ops);
    void (*drain)(void *amp_fixture);                  /* free everything; afterwards run() may be called again */
    uint64_t (*asked_peak_b)(const void *amp_fixture); /* the most bytes so far that were asked for and live at once */
    void (*tear_down)(void *amp_fixture);
};

/* Declare a workload: AMP_WORKLOAD(small_churn, .purpose = "...", ...). They come in the order of
 * benchmarks/workloads/meson.build, then in the order within the file. */
#define AMP_WORKLOAD(workload, ...)                                                                                    \
    static const struct amp_workload amp_workload_##workload = { .name = #workload, __VA_ARGS__ };                     \
    __attribute__((AMP_IN_ORDER __used__, __section__("amp_workloads")))                                               \
    static const struct amp_workload *const amp_workload_entry_##workload = &amp_workload_##workload

/* Zeroed pages from the kernel, touched, past the allocator; ends the process if there are none. */
static inline void *amp_map(size_t amp_size)
{
    void *amp_pages = mmap(NULL, amp_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (amp_pages == MAP_FAILED)
        _exit(AMP_EXIT_NO_MEMORY);
    return amp_pages;
}

static inline void amp_unmap(void *amp_pages, size_t amp_size)
{
    munmap(amp_pages, amp_size);
}

/* A number from 0 to n - 1, n below 2^32; from the upper half of the bits, without a division. */
static inline uint64_t amp_random_below(uint64_t *amp_state, uint64_t amp_n)
{
    return ((amp_random_next(amp_state) >> 32) * amp_n) >> 32;
}

#endif
