/* SPDX-License-Identifier: MIT
 *
 * Nothing is wrong with this one: whatever happens to its neighbours, it must be measured. */
#include "harness/kernel.h"

static uint64_t run_value(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        sum += i;
        amp_keep(&sum);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    (void) fixture;
    for (uint64_t i = ops; i > 0; i--) {
        uint64_t *p = amp_alloc(sizeof *p);

        *p = i;
        amp_keep(p);
        sum += *p;
        free(p);
    }
    return sum;
}

AMP_PAIR(good,
    .question = "Is a good row measured beside bad ones?",
    .value = { .run = run_value, .allocs_per_op = 0 },
    .pointer = { .run = run_pointer, .allocs_per_op = 1, .bytes_per_op = 8 },
    .sizes = AMP_SIZES(8, 16),
);
