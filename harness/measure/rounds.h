/* SPDX-License-Identifier: MIT
 *
 * Paired rounds: the clockwork that times two kernels against each other.
 *
 * A round is one epoch of each side, tens of microseconds, the same number of operations on both. Rounds come in
 * couples, ABBA or BAAB drawn at random, so that drift falls on both sides alike. A block is some rounds of one
 * layout at one stack shift. The source of the method and its figures: nanobench's compare() for paired rounds.
 *
 * Functions return 0 or a negative errno. No allocation and no system call but the clock happens inside a round. */
#ifndef AMP_ROUNDS_H
#define AMP_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

struct amp_kernel {
    uint64_t (*run)(void *fixture, uint64_t ops);
    void *fixture;
};

/* A source of time in nanoseconds; amp_clock_monotonic outside tests. */
typedef uint64_t (*amp_clock)(void);
uint64_t amp_clock_monotonic(void);

struct amp_clock_facts {
    /* What an empty epoch reads, mean without interrupts: taken off every epoch by whoever reads the raw rounds. */
    double cost_ns;
    uint64_t resolution_ns; /* the least step seen that is not zero */
};

/* -ERANGE if the clock goes backwards or its step is above 1 us: not a clock to measure epochs with. */
int amp_clock_measure(amp_clock now, struct amp_clock_facts *out);

/* For qsort(3), over uint64_t. */
int amp_compare_ns(const void *a, const void *b);

/* SplitMix64 (Steele, Lea, Flood 2014): the state is the seed. */
uint64_t amp_random_next(uint64_t *state);

/* A state for what is drawn for the thing that `text` names: FNV-1a, 64 bits (Fowler, Noll, Vo), beside the seed. */
uint64_t amp_random_seed(uint64_t seed, const char *text);

/* Find the number of operations for which the mean of both sides' epochs takes about epoch_ns, and the shorter of them
 * no less than a 50th of that: of a thousandfold ratio, too, the clock must see both sides.
 * At least 1, at most 2^40. Runs each kernel for about 20 epochs, which is also their warm-up; for 2 operations,
 * one to warm up and one timed, where these take 20 epochs by themselves.
 * errors   -EINVAL for epoch_ns 0, -ERANGE if not even 2^40 operations take so long */
int amp_rounds_calibrate(amp_clock now, const struct amp_kernel sides[2], uint64_t epoch_ns, uint64_t *ops);

struct amp_block {
    uint64_t *ns[2];      /* [side][round], raw; 0 where the epoch did not exceed the clock's cost. The caller's */
    size_t rounds;        /* even */
    uint64_t ops;         /* per epoch */
    uint64_t warmup_ops;  /* before each epoch, not timed: the epoch then meets caches as a loop of its own would */
    size_t stack_shift_b; /* a multiple of 16 below 4096, by which the stack is lowered for the whole block */
    uint64_t zero_rounds; /* filled: rounds with a 0 on either side, to be left out */
    uint64_t checksum[2]; /* filled: sum over the block of what the sides returned */
};

/* Time one block. `random` is advanced once for each couple of rounds. */
void amp_rounds_run(amp_clock now, double cost_ns, const struct amp_kernel sides[2], struct amp_block *block,
                    uint64_t *random);

#endif
