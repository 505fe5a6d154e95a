/* SPDX-License-Identifier: MIT */
#include "harness/profile/preload/sampling.h"

#include "harness/profile/preload/real.h"
#include "harness/profile/record/region.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define CERTAIN 40 /* mean distances: e^-40 is less than a number of 53 bits tells */

static AMP_HOT uint16_t *marks; /* of this process alone; NULL: no memory, then every end is looked up */

/* From 0 on, below 1. */
static double uniform(void)
{
    uint64_t x = amp_thread.random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    amp_thread.random = x;
    return (double) (x * 0x2545f4914f6cdd1du >> 11) / 9007199254740992.0;
}

/* Exponentially distributed, with the mean 1, without a logarithm, which the C library alone lacks: of uniform numbers
 * that begin with x, the first one that is not smaller than the one before is the second, fourth ... with the probability
 * e^-x. Else there is one more in front of the point.
 *
 * source   J. von Neumann, "Various techniques used in connection with random digits", 1951 */
static double exponential(void)
{
    for (double whole = 0;; whole++) {
        double first = uniform(), last = first, next;
        unsigned n = 1;

        for (; (next = uniform()) < last; last = next)
            n++;
        if (n % 2 == 1)
            return whole + first;
    }
}

/* 1 - e^-x: its series where x is small, and from there by (1 - p)^2. */
static double probability(double x)
{
    unsigned doublings = 0;
    double p;

    if (x > CERTAIN)
        return 1;
    for (; x > 1.0 / 64; x /= 2)
        doublings++;
    p = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
    for (; doublings > 0; doublings--)
        p *= 2 - p;
    return p;
}

static void draw(void)
{
    const double distance_b = exponential() * (double) amp_region_sample_b;

    __atomic_store_n(&amp_thread.passing_b, (uint64_t) distance_b + 1, __ATOMIC_RELAXED);
}

static void begin_thread(void)
{
    static struct amp_lock making;
    struct timespec now;

    amp_lock(&making);
    if (!marks)
        marks = amp_region_map(sizeof *marks << AMP_MARK_BITS);
    amp_unlock(&making);
    clock_gettime(CLOCK_MONOTONIC, &now);
    amp_thread.marks = marks;
    amp_thread.random = ((uintptr_t) &amp_thread ^ (uint64_t) now.tv_nsec << 32 ^ (uint64_t) now.tv_sec) | 1;
    for (int i = 0; i < 8; i++) /* the first ones have much of the seed */
        uniform();
    draw();
}

/* A child draws anew: children that do the same would all be recorded, or none. */
static void begin_child(void)
{
    amp_thread.passing_b = 0;
    amp_thread.random = 0;
}

__attribute__((constructor)) static void begin(void)
{
    if (getenv(AMP_PROFILE_SAMPLE))
        pthread_atfork(NULL, NULL, begin_child);
}

uint32_t amp_sampling_weight(size_t size_b)
{
    double p;

    if (amp_region_sample_b == 0)
        return 1;
    if (amp_thread.random == 0)
        begin_thread();
    if (amp_sampling_passes(size_b))
        return 0;
    draw();
    p = probability((double) amp_sampling_charge(size_b) / (double) amp_region_sample_b);
    return (uint32_t) (1 / p + uniform());
}

void amp_sampling_mark(const void *address, int by)
{
    if (marks)
        __atomic_fetch_add(&marks[amp_sampling_mark_of(address)], (uint16_t) by, __ATOMIC_RELAXED);
}
