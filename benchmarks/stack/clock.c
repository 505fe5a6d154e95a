/* SPDX-License-Identifier: MIT */
#include "benchmarks/stack/clock.h"

#include <stdlib.h>
#include <time.h>

#define EPOCH_NS 50000

uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static double time_once(const struct arm *arm, uint64_t ops)
{
    uint64_t begin = clock_ns();

    arm->run(arm->context, ops);
    return (double) (clock_ns() - begin);
}

/* Twice what was needed last, until an epoch is long enough. The first operation is not representative. */
static uint64_t calibrate(const struct arm *arm)
{
    uint64_t ops = 1;

    arm->run(arm->context, 1);
    while (ops < (uint64_t) 1 << 30 && time_once(arm, ops) < EPOCH_NS)
        ops *= 2;
    return ops;
}

void clock_rounds(struct arm *arms, size_t n, size_t group, unsigned rounds)
{
    for (size_t i = 0; i < n; i++)
        arms[i].ops = calibrate(&arms[i]);
    for (size_t i = 0; i < n; i++) {
        const size_t first = i / group * group;
        uint64_t least = arms[first].ops;

        for (size_t j = first; j < first + group && j < n; j++)
            least = arms[j].ops < least ? arms[j].ops : least;
        if (i == first)
            for (size_t j = first; j < first + group && j < n; j++)
                arms[j].ops = least;
    }
    for (unsigned r = 0; r < rounds; r++)
        for (size_t k = 0; k < n; k++) {
            struct arm *arm = &arms[(k + r) % n];

            arm->ns[r] = time_once(arm, arm->ops) / (double) arm->ops;
        }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

double clock_median(double *ns, unsigned n)
{
    qsort(ns, n, sizeof *ns, compare);
    return n % 2 ? ns[n / 2] : (ns[n / 2 - 1] + ns[n / 2]) / 2;
}
