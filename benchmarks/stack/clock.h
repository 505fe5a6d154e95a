/* SPDX-License-Identifier: MIT
 *
 * Time several pieces of code side by side. */
#ifndef BENCHMARKS_STACK_CLOCK_H
#define BENCHMARKS_STACK_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define ARM_ROUNDS_MAX 1024

struct arm {
    uint64_t (*run)(void *context, uint64_t ops); /* ops operations; their checksum */
    void *context;
    uint64_t ops;                                 /* filled in: what takes about 50 us */
    double ns[ARM_ROUNDS_MAX];                    /* filled in: an operation's time in each round */
};

uint64_t clock_ns(void);

/* Run each arm once a round, in an order that turns by one from round to round, so that drift falls on all alike. Arms
 * of one `group` do the same count of operations: the least that any of them needs. */
void clock_rounds(struct arm *arms, size_t n, size_t group, unsigned rounds);

/* Sorts `ns`. */
double clock_median(double *ns, unsigned n);

#endif
