/* SPDX-License-Identifier: MIT
 *
 * Known differences in work that something disturbs: does the harness read them as well as those of `known`?
 *
 *   value     [step][step] ... [step]                 100 steps an operation
 *   pointer   [step][step] ... [step][step][step]     102
 *
 *   known_loads      a step reads eight words of a buffer of 16 KiB: the load ports are busy
 *   known_stores     a step writes four words of such a buffer: the store port is busy
 *   known_branches   a step takes a branch or not, at random: every other one is mispredicted
 *   known_misses     a step reads a line out of 64 MiB, at an address that the line before gave: memory is waited for
 *   known_malloc     a step is malloc() and free() of 64 B
 *
 * Same on both sides:  the function, at one address: the fixture says how many steps an operation has.
 * Different:           that number; and each side has a buffer of its own, at another address.
 *
 * The true ratio is 1.02, that of the steps, as all steps of all operations are one loop. Where a side's buffer lies
 * may matter to a load, a store or a miss: that is an error which every pair with a fixture of its own has, and which
 * these rows show.
 */
#include "harness/kernel.h"

#include <sys/mman.h>

#define BUFFER_B ((size_t) 16 << 10)
#define SET_B ((size_t) 64 << 20)
#define LINE_B 64
#define HUGE_PAGE_B ((size_t) 2 << 20)
#define MALLOC_B 64
#define STEPS 100
#define MORE 102

struct work {
    uint64_t steps;  /* an operation's */
    uint64_t state;  /* of the random branches, or the line that is next */
    uint64_t *words; /* all 0 */
};

static uint64_t run_loads(void *fixture, uint64_t ops)
{
    const struct work *work = fixture;
    uint64_t sum = 0, at = 0;

    for (uint64_t i = ops * work->steps; i > 0; i--) {
        const volatile uint64_t *words = work->words + at;

        sum += (words[0] | words[1] | words[2] | words[3]) + (words[4] | words[5] | words[6] | words[7]);
        at = (at + 8) % (BUFFER_B / sizeof *words);
    }
    return sum + ops;
}

static uint64_t run_stores(void *fixture, uint64_t ops)
{
    const struct work *work = fixture;
    uint64_t at = 0;

    for (uint64_t i = ops * work->steps; i > 0; i--) {
        volatile uint64_t *words = work->words + at;

        words[0] = words[1] = words[2] = words[3] = 0;
        at = (at + 4) % (BUFFER_B / sizeof *words);
    }
    return ops;
}

/* The asm statements keep the branch a branch: neither side of it can be done without. */
static uint64_t run_branches(void *fixture, uint64_t ops)
{
    struct work *work = fixture;
    uint64_t state = work->state;

    for (uint64_t i = ops * work->steps; i > 0; i--)
        if (amp_random_next(&state) >> 63)
            __asm__ volatile("");
        else
            __asm__ volatile("nop");
    work->state = state;
    return ops;
}

/* A walk over all lines, a power of two of them: full period, since the addend is odd. */
static uint64_t run_misses(void *fixture, uint64_t ops)
{
    struct work *work = fixture;
    uint64_t line = work->state % (SET_B / LINE_B);

    for (uint64_t i = ops * work->steps; i > 0; i--) {
        const volatile uint64_t *read = work->words + line * (LINE_B / sizeof *read);

        line = (line * 6364136223846793005u + *read + 1) % (SET_B / LINE_B);
    }
    work->state = line;
    return ops;
}

static uint64_t run_malloc(void *fixture, uint64_t ops)
{
    const struct work *work = fixture;

    for (uint64_t i = ops * work->steps; i > 0; i--) {
        void *p = amp_alloc(MALLOC_B);

        amp_keep(p);
        free(p);
    }
    return ops;
}

static void *set_up(uint64_t steps, size_t words_b)
{
    struct work *work = amp_alloc(sizeof *work);

    /* The branches are others in each fixture, or the processor would learn them; the walk begins elsewhere. */
    *work = (struct work){ .steps = steps, .state = (uintptr_t) work % SET_B / sizeof *work,
                           .words = aligned_alloc(HUGE_PAGE_B, words_b) };
    if (!work->words)
        _exit(AMP_EXIT_NO_MEMORY);
    (void) madvise(work->words, words_b, MADV_HUGEPAGE); /* a wish */
    memset(work->words, 0, words_b);
    return work;
}

static void *set_up_buffer(size_t steps)
{
    return set_up(steps, HUGE_PAGE_B);
}

static void *set_up_buffer_more(size_t steps)
{
    return set_up(steps * MORE / STEPS, HUGE_PAGE_B);
}

static void *set_up_set(size_t steps)
{
    return set_up(steps, SET_B);
}

static void *set_up_set_more(size_t steps)
{
    return set_up(steps * MORE / STEPS, SET_B);
}

static void tear_down(void *fixture)
{
    struct work *work = fixture;

    free(work->words);
    free(work);
}

#define KNOWN(name, of, kernel, set)                                                                                   \
    AMP_PAIR(known_##name,                                                                                             \
             .question = "Is a difference of 2 % in " of " read as 2 %?",                                              \
             .value = { kernel, .calls = "", .set_up = set_up_##set, .tear_down = tear_down, .label = "100 steps" },   \
             .pointer = { kernel, .calls = "", .set_up = set_up_##set##_more, .tear_down = tear_down,                  \
                          .label = "102 steps" },                                                                      \
             .sizes = AMP_SIZES(STEPS), .size_unit = "steps", .truth = "1.02")

KNOWN(loads, "loads", run_loads, buffer);
KNOWN(stores, "stores", run_stores, buffer);
KNOWN(branches, "mispredicted branches", run_branches, buffer);
KNOWN(misses, "cache misses", run_misses, set);

AMP_PAIR(known_malloc,
         .question = "Is a difference of 2 % in calls of malloc() and free() read as 2 %?",
         .value = { run_malloc, .calls = "malloc free", .set_up = set_up_buffer, .tear_down = tear_down,
                    .label = "100 steps",
                    .allocs_per_op = STEPS, .bytes_per_op = STEPS * MALLOC_B },
         .pointer = { run_malloc, .calls = "malloc free", .set_up = set_up_buffer_more, .tear_down = tear_down,
                      .label = "102 steps",
                      .allocs_per_op = MORE, .bytes_per_op = MORE * MALLOC_B },
         .sizes = AMP_SIZES(STEPS), .size_unit = "steps", .truth = "1.02");
