/* SPDX-License-Identifier: MIT
 *
 * Paired rounds: time two kernels against each other.
 *
 * An epoch is one timing of one side: a number of operations that takes tens of microseconds. A round is one epoch of
 * each side, with the same number of operations. Rounds come in couples, ABBA or BAAB drawn at random, so that a drift
 * falls on both sides alike. A block is a few rounds of one layout with one stack shift. The method follows nanobench's
 * compare().
 *
 * Functions return 0 or a negative errno. No allocation and no system call but the clock happens inside a round. */
#ifndef AMP_ROUNDS_H
#define AMP_ROUNDS_H

#include "harness/kernel.h"

struct amp_kernel {
    uint64_t (*run)(void *fixture, uint64_t ops);
    void *fixture;
};

/* A source of time in nanoseconds; amp_clock_monotonic outside tests. */
typedef uint64_t (*amp_clock)(void);
uint64_t amp_clock_monotonic(void);

struct amp_clock_facts {
    /* Mean reading of an empty epoch, without interrupts. Who reads the raw rounds takes it off every epoch. */
    double cost_ns;
    uint64_t resolution_ns; /* the smallest step seen, not zero */
};

/* -ERANGE if the clock goes backwards or its step is above 1 us: such a clock cannot measure epochs. */
int amp_clock_measure(amp_clock now, struct amp_clock_facts *out);

/* For qsort(3), over uint64_t. */
int amp_compare_ns(const void *a, const void *b);

/* Put n things of `size` bytes into random order (Fisher and Yates). */
void amp_random_shuffle(void *list, size_t n, size_t size, uint64_t *state);

/* A state for the random draws of the thing that `text` names: the seed mixed with the text's FNV-1a hash, 64 bits. */
uint64_t amp_random_seed(uint64_t seed, const char *text);

/* Find the number of operations of an epoch, 1 to 2^40: so many that the mean of both sides takes about epoch_ns, and
 * the faster side at least a 50th of that. So the clock sees both sides even if one is a thousand times faster. Runs
 * each kernel for about 20 epochs, which also warms it up; only for 2 operations if these take that long.
 * errors   -EINVAL for epoch_ns 0, -ERANGE if not even 2^40 operations take so long */
int amp_rounds_calibrate(amp_clock now, const struct amp_kernel sides[2], uint64_t epoch_ns, uint64_t *ops);

struct amp_block {
    uint64_t *ns[2];      /* [side][round], raw; 0 if the epoch was not longer than the clock's cost. The caller's */
    size_t rounds;        /* even */
    uint64_t ops;         /* per epoch */
    uint64_t warmup_ops;  /* untimed, before each epoch: brings a small set back into the caches, not a large one */
    size_t stack_shift_b; /* a multiple of 16 below 4096, by which the stack is lowered for the whole block */
    uint64_t zero_rounds; /* filled: rounds with a 0 on either side, to be left out */
    uint64_t checksum[2]; /* filled: sum of what the sides returned */
};

/* Time one block. `random` is advanced once for each couple of rounds. */
void amp_rounds_run(amp_clock now, double cost_ns, const struct amp_kernel sides[2], struct amp_block *block,
                    uint64_t *random);

#endif
