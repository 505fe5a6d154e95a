/* SPDX-License-Identifier: MIT
 *
 * Two threads count: each in its own frame, added up at the end, or in shared counters, through pointers.
 *
 *   false_sharing           value     thread 1 [ n ] in its frame    thread 2 [ n ] in its frame    added up at the end
 *                           pointer   thread 1 --> [ n | n ] <-- thread 2      8 B apart: one line of the cache
 *                                     thread 1 --> [ n |... | n ] <-- thread 2    128 B apart: a line each
 *
 *   false_sharing_visible   value     thread 1 --> [ n ]     thread 2 --> [ n ]     a line each      atomic additions
 *                           pointer   thread 1 --> [ n ] <-- thread 2               one line         atomic additions
 *
 * Same on both sides:  two threads, as many additions, each to memory; the sum.
 * Different:           whether the threads write into one line, which then goes from core to core at each turn.
 *
 * The second pair calibrates the first: the effect shows most clearly with atomic additions to one line. If even these
 * cost no more than on two lines, both CPUs share their caches, or the machine runs them in turn, and the first pair's
 * rows say nothing. An operation is one addition by each thread. The size is the distance of the counters in bytes.
 */
#include "harness/kernel.h"
#include "harness/threads.h"

#include <signal.h>

#define LINES_B 256

struct counters {
    struct amp_helper helper;
    _Alignas(AMP_LINE_B) unsigned char memory[LINES_B];
    uint64_t ops, sum; /* the helper's orders and answer */
    size_t distance_b;
};

static inline atomic_uint_fast64_t *counter(struct counters *c, size_t thread)
{
    return (atomic_uint_fast64_t *) (void *) (c->memory + thread * c->distance_b);
}

/* Each addition goes to memory; the compiler must not join them into one. */
static inline void count(uint64_t *n, uint64_t ops)
{
    for (uint64_t i = ops; i > 0; i--) {
        *n += 1;
        amp_keep(n);
    }
}

static inline void count_atomic(atomic_uint_fast64_t *n, uint64_t ops)
{
    for (uint64_t i = ops; i > 0; i--)
        atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static AMP_NOINLINE void help_value(void *memory)
{
    struct counters *c = (struct counters *) memory;
    uint64_t n = 0;

    count(&n, c->ops);
    c->sum = n;
}

static AMP_NOINLINE void help_pointer(void *memory)
{
    struct counters *c = (struct counters *) memory;
    uint64_t *n = (uint64_t *) counter(c, 1);

    *n = 0;
    count(n, c->ops);
    c->sum = *n;
}

static AMP_NOINLINE void help_apart(void *memory)
{
    struct counters *c = (struct counters *) memory;

    count_atomic(counter(c, 1), c->ops);
}

static AMP_NOINLINE void help_together(void *memory)
{
    struct counters *c = (struct counters *) memory;

    count_atomic(counter(c, 0), c->ops);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct counters *c = fixture;
    uint64_t n = 0;

    c->ops = ops;
    amp_helper_give(&c->helper, help_value, c);
    count(&n, ops);
    amp_helper_wait(&c->helper);
    return n + c->sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct counters *c = fixture;
    uint64_t *n = (uint64_t *) counter(c, 0);

    c->ops = ops;
    *n = 0;
    amp_helper_give(&c->helper, help_pointer, c);
    count(n, ops);
    amp_helper_wait(&c->helper);
    return *n + c->sum;
}

static uint64_t run_apart(void *fixture, uint64_t ops)
{
    struct counters *c = fixture;

    c->ops = ops;
    atomic_store(counter(c, 0), 0);
    atomic_store(counter(c, 1), 0);
    amp_helper_give(&c->helper, help_apart, c);
    count_atomic(counter(c, 0), ops);
    amp_helper_wait(&c->helper);
    return atomic_load(counter(c, 0)) + atomic_load(counter(c, 1));
}

static uint64_t run_together(void *fixture, uint64_t ops)
{
    struct counters *c = fixture;

    c->ops = ops;
    atomic_store(counter(c, 0), 0);
    amp_helper_give(&c->helper, help_together, c);
    count_atomic(counter(c, 0), ops);
    amp_helper_wait(&c->helper);
    return atomic_load(counter(c, 0));
}

/* The lesson is about cache lines, so check that the counters are in one, or in two. */
static void *set_up(size_t distance_b)
{
    struct counters *c = amp_alloc_lines(sizeof *c);
    uintptr_t line[2];

    memset(c, 0, sizeof *c);
    c->distance_b = distance_b;
    for (size_t k = 0; k < 2; k++)
        line[k] = (uintptr_t) counter(c, k) / AMP_LINE_B;
    if ((line[0] == line[1]) != (distance_b < AMP_LINE_B))
        raise(SIGABRT);
    amp_helper_start(&c->helper);
    return c;
}

static void tear_down(void *fixture)
{
    struct counters *c = fixture;

    amp_helper_end(&c->helper);
    free(c);
}

AMP_PAIR(false_sharing,
         .question = "What does it cost two threads to count in cache lines of their own, and what in counters that "
                     "share a line?",
         .value = { run_value, .label = "apart", .set_up = set_up, .tear_down = tear_down },
         .pointer = { run_pointer, .label = "together", .set_up = set_up, .tear_down = tear_down },
         .sizes = AMP_SIZES(8, 128), .threads = 1, .observed_by = "false_sharing_visible",
         AMP_CLAIMS({ AMP_VALUE, .to = 64, .text =
                      "Let each thread count for itself, and add up at the end: writers that share a cache line wait "
                      "for each other." },
                    { AMP_NEITHER, .from = 128, .text =
                      "Counters with cache lines of their own cost nothing more." }));

AMP_PAIR(false_sharing_visible,
         .question = "Can this machine show what it costs when two threads write to the same cache line?",
         .value = { run_apart, .label = "apart", .set_up = set_up, .tear_down = tear_down },
         .pointer = { run_together, .label = "together", .set_up = set_up, .tear_down = tear_down },
         .sizes = AMP_SIZES(128), .threads = 1);
