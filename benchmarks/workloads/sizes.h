/* SPDX-License-Identifier: MIT
 *
 * Block sizes as real programs ask for them.
 *
 * source   Zhou, Xia, Ranganathan, Kennelly and others: "Characterizing a Memory Allocator at Warehouse Scale", ASPLOS
 *          2024: of the objects that a large fleet allocates 98 % have up to 1 KiB, and these hold about 28 % of the
 *          bytes; half of the bytes lie in objects above 8 KiB, 22 % in those above 256 KiB. The table below comes
 *          within 3 points of each of these four figures (tests/harness/allocators/workloads_test.py); within a row, ln
 *          size is uniform. */
#ifndef AMP_SIZES_H
#define AMP_SIZES_H

#include "harness/workload.h"

/* From `low` to below 2 low, ln size about uniform: an octave has sixteen steps. */
static inline size_t size_in_octave(uint64_t *random, size_t low)
{
    static const unsigned char sixteenths[16] = { 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15 };
    size_t step = low / 16;

    if (step == 0)
        return low + amp_random_below(random, low);
    return low + step * sixteenths[amp_random_below(random, 16)] + amp_random_below(random, step);
}

static inline size_t size_between(uint64_t *random, unsigned lowest_octave, unsigned octaves)
{
    return size_in_octave(random, (size_t) 1 << (lowest_octave + amp_random_below(random, octaves)));
}

/* As the source has it. */
static inline size_t size_of_fleet(uint64_t *random)
{
    static const struct {
        uint32_t of_100000; /* objects, from the first row to this one */
        unsigned lowest_octave, octaves;
    } rows[] = {
        { 83000, 3, 3 },  /* 8 to 64 B */
        { 98000, 6, 4 },  /* to 1 KiB */
        { 99880, 10, 3 }, /* to 8 KiB */
        { 99990, 13, 5 }, /* to 256 KiB */
        { 100000, 18, 2 } /* to 1 MiB */
    };
    uint64_t draw = amp_random_below(random, 100000);
    size_t row = 0;

    while (draw >= rows[row].of_100000)
        row++;
    return size_between(random, rows[row].lowest_octave, rows[row].octaves);
}

#endif
