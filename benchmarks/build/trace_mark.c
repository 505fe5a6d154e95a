/* SPDX-License-Identifier: MIT
 *
 * Marks for a time line (harness/marks.h) in front of some arithmetic: none, one that is off, one that is recorded.
 *
 *   value     [ steps of arithmetic ]
 *   pointer   is somebody recording? --no--> [ steps of arithmetic ]             a load, a branch
 *                  `--yes--> time and name into the thread's ring
 *
 * Same on both sides:  the arithmetic, each step of which waits for the one before.
 * Different:           the mark. Recorded, it is written into a ring in memory, as `ampersand trace` has it. */
#include "harness/kernel.h"
#include "harness/timeline/preload/write.h"

#define RING_B ((size_t) 1 << 20)

struct fixture {
    uint64_t steps;
};

static AMP_ALWAYS_INLINE uint64_t work(uint64_t word, uint64_t steps)
{
    for (; steps > 0; steps--)
        word = word * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
    return word;
}

#define OPS(mark)                                                                                                      \
    const struct fixture *f = memory;                                                                                  \
    uint64_t sum = 0;                                                                                                  \
                                                                                                                       \
    for (uint64_t i = ops; i > 0; i--) {                                                                               \
        mark;                                                                                                          \
        sum += work(i, f->steps);                                                                                      \
    }

static uint64_t run_value(void *memory, uint64_t ops)
{
    OPS(amp_keep(f))
    return sum;
}

static uint64_t run_pointer(void *memory, uint64_t ops)
{
    OPS(amp_keep(f); AMP_TRACE("operation"))
    return sum;
}

/* The hook is this module's, so it is set here and not in the fixture. */
static uint64_t run_recorded(void *memory, uint64_t ops)
{
    AMP_MARK_HOOK = amp_ring_write;
    OPS(amp_keep(f); AMP_TRACE("operation"))
    AMP_MARK_HOOK = NULL;
    return sum;
}

static void *set_up(size_t size)
{
    struct fixture *f = amp_alloc(sizeof *f);

    f->steps = size;
    amp_ring_begin_here(RING_B);
    return f;
}

AMP_PAIR(trace_mark,
         .question = "What does a mark for a time line cost while nobody records?",
         .value = { run_value, .calls = "", .label = "no mark", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "(*)*", .label = "mark, off", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(8), .size_unit = "steps",
         AMP_CLAIMS({ AMP_NEITHER, .text = "A mark that is off costs less than half a nanosecond." }));

AMP_PAIR(trace_mark_recorded,
         .question = "What does a mark cost that is recorded, beside a microsecond of work?",
         .value = { run_value, .calls = "", .label = "no mark", .set_up = set_up, .tear_down = free },
         .pointer = { run_recorded, .calls = "(*)*", .label = "mark, on", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(1000), .size_unit = "steps",
         AMP_CLAIMS({ AMP_NEITHER, .text = "A recorded mark costs 10 to 60 ns: mark what takes a microsecond." }));
