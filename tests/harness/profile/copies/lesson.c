/* SPDX-License-Identifier: MIT
 *
 * Runs one side of a lesson that is linked to this: PAIR SIZE SIDE OPERATIONS. Without arguments it prints a line for
 * each row: pair, size, and what each side declares that an operation copies. */
#include "harness/kernel.h"

#include <stdio.h>

extern const struct amp_pair *const __start_amp_pairs[], *const __stop_amp_pairs[];

static int run(const struct amp_side *side, size_t size, uint64_t ops)
{
    void *fixture = side->set_up ? side->set_up(size) : NULL;
    volatile uint64_t sum = side->run(fixture, ops);

    (void) sum;
    if (side->tear_down)
        side->tear_down(fixture);
    return 0;
}

int main(int argc, char **argv)
{
    for (const struct amp_pair *const *pair = __start_amp_pairs; pair < __stop_amp_pairs; pair++)
        for (const size_t *size = (*pair)->sizes; *size; size++) {
            if (argc == 1)
                printf("%s %zu %llu %llu\n", (*pair)->name, *size, (unsigned long long) (*pair)->value.copied_b_per_op,
                       (unsigned long long) (*pair)->pointer.copied_b_per_op);
            else if (argc == 5 && strcmp((*pair)->name, argv[1]) == 0 && *size == strtoul(argv[2], NULL, 10))
                return run(strcmp(argv[3], "value") == 0 ? &(*pair)->value : &(*pair)->pointer, *size,
                           strtoull(argv[4], NULL, 10));
        }
    return argc == 1 ? 0 : 2;
}
