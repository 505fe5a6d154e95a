/* SPDX-License-Identifier: MIT */
#include "harness/measure/rounds.h"

#include <alloca.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <time.h>

enum { VALUE, POINTER };

#define CLOCK_READS 4096      /* empty epochs to learn the clock's cost from: about a millisecond */
#define MAX_READS 10000000ull /* for a clock so coarse that it rarely steps */
#define MAX_OPS (1ull << 40)
#define LONG 20     /* an operation that takes this many epochs is really slow, not only cold */
#define SHORTEST 50 /* an epoch may be this many times shorter than its target, if the other side is slow */

uint64_t amp_clock_monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

void amp_random_shuffle(void *list, size_t n, size_t size, uint64_t *state)
{
    char *bytes = list;

    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t) (amp_random_next(state) % i);

        for (size_t k = 0; k < size; k++) {
            char byte = bytes[(i - 1) * size + k];

            bytes[(i - 1) * size + k] = bytes[j * size + k];
            bytes[j * size + k] = byte;
        }
    }
}

uint64_t amp_random_seed(uint64_t seed, const char *text)
{
    uint64_t sum = 0xcbf29ce484222325u;

    for (; *text; text++)
        sum = (sum ^ (unsigned char) *text) * 0x100000001b3u;
    return seed ^ sum;
}

static AMP_NOINLINE uint64_t run_nothing(void *fixture, uint64_t ops)
{
    amp_keep(fixture);
    return ops;
}

static inline uint64_t epoch_ns(amp_clock now, const struct amp_kernel *side, uint64_t ops, uint64_t *checksum)
{
    uint64_t begin = now();

    *checksum += side->run(side->fixture, ops);
    return now() - begin;
}

int amp_compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}

/* The smallest step of the clock that is not zero, of a few hundred steps. */
static int measure_resolution(amp_clock now, uint64_t *out)
{
    uint64_t least = UINT64_MAX, last = now();
    unsigned steps = 0;

    for (uint64_t i = 0; i < MAX_READS && steps < 256; i++) {
        uint64_t t = now();

        if (t < last)
            return -ERANGE;
        if (t > last) {
            least = t - last < least ? t - last : least;
            steps++;
        }
        last = t;
    }
    if (least > 1000)
        return -ERANGE;
    *out = least;
    return 0;
}

int amp_clock_measure(amp_clock now, struct amp_clock_facts *out)
{
    static uint64_t reads[CLOCK_READS];
    volatile const struct amp_kernel nothing = { run_nothing, NULL };
    uint64_t resolution_ns, checksum = 0, sum = 0;
    size_t kept = 0;
    int err = measure_resolution(now, &resolution_ns);

    if (err)
        return err;
    for (size_t i = 0; i < CLOCK_READS; i++) {
        struct amp_kernel side = nothing; /* from memory, so that the call is indirect as in a real epoch */

        reads[i] = epoch_ns(now, &side, 1, &checksum);
    }
    qsort(reads, CLOCK_READS, sizeof reads[0], amp_compare_ns);
    /* The mean, because the median of a clock with steps of 10 ns is always one of its steps; without the readings that
     * an interrupt made longer. */
    while (kept < CLOCK_READS && reads[kept] <= 2 * reads[CLOCK_READS / 2] + resolution_ns)
        sum += reads[kept++];
    out->cost_ns = (double) sum / (double) kept;
    out->resolution_ns = resolution_ns;
    return 0;
}

/* The time of each side's epoch of `ops` operations: the least of several, since an interrupt only adds time. */
static void least_epochs_ns(amp_clock now, const struct amp_kernel sides[2], uint64_t ops, int tries, uint64_t out[2])
{
    uint64_t checksum = 0;

    out[VALUE] = out[POINTER] = UINT64_MAX;
    for (int i = 0; i < tries; i++) {
        for (int side = VALUE; side <= POINTER; side++) {
            uint64_t ns;

            checksum += sides[side].run(sides[side].fixture, ops / 8 + 1); /* as before each epoch of a round */
            ns = epoch_ns(now, &sides[side], ops, &checksum);
            out[side] = ns < out[side] ? ns : out[side];
        }
    }
    amp_keep(&checksum);
}

/* By which factor an epoch of `ops` operations is too short: the mean of both sides should be target_ns, the shorter
 * one at least target_ns / SHORTEST. */
static double shortfall(amp_clock now, const struct amp_kernel sides[2], uint64_t ops, int tries, uint64_t target_ns)
{
    uint64_t ns[2], shorter;
    double mean;

    least_epochs_ns(now, sides, ops, tries, ns);
    mean = ((double) ns[VALUE] + (double) ns[POINTER]) / 2 + 1;
    shorter = ns[VALUE] < ns[POINTER] ? ns[VALUE] : ns[POINTER];
    return fmax((double) target_ns / mean, (double) target_ns / SHORTEST / ((double) shorter + 1));
}

int amp_rounds_calibrate(amp_clock now, const struct amp_kernel sides[2], uint64_t target_ns, uint64_t *out)
{
    uint64_t ops = 1;
    double factor;

    if (target_ns == 0)
        return -EINVAL;
    /* Grow until an epoch is much longer than the clock's steps, at most tenfold at once: the first operations are
     * cold, so their times are too long to extrapolate from. */
    while ((factor = shortfall(now, sides, ops, 1, target_ns)) > 2) {
        if (ops >= MAX_OPS)
            return -ERANGE;
        ops *= (uint64_t) fmin(factor, 10);
    }
    if (ops == 1 && factor < 1.0 / LONG) { /* a single operation is too long even when warm */
        *out = 1;
        return 0;
    }
    for (int i = 0; i < 2; i++)
        ops = (uint64_t) fmin(fmax((double) ops * shortfall(now, sides, ops, 5, target_ns) + 0.5, 1), (double) MAX_OPS);
    *out = ops;
    return 0;
}

/* For the time line; before and behind what is timed. */
static void mark(int side, bool is_begin)
{
    if (side == VALUE && is_begin)
        AMP_TRACE_BEGIN("value");
    else if (side == VALUE)
        AMP_TRACE_END("value");
    else if (is_begin)
        AMP_TRACE_BEGIN("pointer");
    else
        AMP_TRACE_END("pointer");
}

static void run_round(amp_clock now, double cost_ns, const struct amp_kernel sides[2], struct amp_block *block,
                      size_t round, int first)
{
    for (int i = 0; i < 2; i++) {
        int side = i == 0 ? first : !first;
        uint64_t ns;

        mark(side, true);
        block->checksum[side] += sides[side].run(sides[side].fixture, block->warmup_ops);
        ns = epoch_ns(now, &sides[side], block->ops, &block->checksum[side]);
        mark(side, false);
        block->ns[side][round] = (double) ns > cost_ns ? ns : 0;
    }
    if (block->ns[VALUE][round] == 0 || block->ns[POINTER][round] == 0)
        block->zero_rounds++;
}

void amp_rounds_run(amp_clock now, double cost_ns, const struct amp_kernel sides[2], struct amp_block *block,
                    uint64_t *random)
{
    void *shift = alloca(block->stack_shift_b + 16);

    amp_keep(shift); /* or the compiler would leave the stack where it is */
    block->zero_rounds = 0;
    block->checksum[VALUE] = block->checksum[POINTER] = 0;
    for (size_t round = 0; round + 1 < block->rounds; round += 2) {
        int first = (int) (amp_random_next(random) & 1);

        run_round(now, cost_ns, sides, block, round, first);
        run_round(now, cost_ns, sides, block, round + 1, !first);
    }
}
