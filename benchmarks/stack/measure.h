/* SPDX-License-Identifier: MIT
 *
 * What the program measures: JSON on stdout, 0 or an exit status. plots/stack/stack.py runs it many times and
 * judges. */
#ifndef BENCHMARKS_STACK_MEASURE_H
#define BENCHMARKS_STACK_MEASURE_H

#include "benchmarks/stack/walk.h"

/* The walk on each kind of stack that the program has, at each size and at several depths; growths; the check. */
int measure_all(unsigned rounds);

/* n coroutines at once, on stacks that grow or on fixed ones of 64 KiB: memory and time. Every 16th goes deep if
 * `mixed`. Measured in a process of its own, whose memory nothing else has touched. */
int measure_crowd(const char *kind, size_t n, int mixed);

/* Ends the process where a stack fails: what follows would not be what it says. */
void measure_must(int error, const char *what);

/* The walk's part, for the kind of stack whose walkers these are, run by `run` on what it prepares. */
struct kind {
    const char *name;
    const struct walker *walkers;
    uint64_t (*run)(uint64_t (*ops)(void *), struct walk *walk, uint64_t n); /* n operations */
    void (*prepare)(void); /* before another size or depth; NULL: nothing */
};

void measure_walks(const struct kind *kinds, size_t n_kinds, unsigned rounds);
void measure_trails(const struct kind *kinds, size_t n_kinds);

#endif
