/* SPDX-License-Identifier: MIT
 *
 * Of a frame that fills a stack, every byte is written, as Go does with its arrays; that is no part of a growth, and
 * taken off by measuring the same without one. benchmarks/go/stack/grow.go has the same functions. */
#include "benchmarks/stack/grow.h"

#include "harness/kernel.h"

/* 128 B a call. */
AMP_GROWS(uint64_t, chain, 128, unsigned n)
{
    char room[96];
    uint64_t sum = n;

    amp_keep(room);
    if (n > 1)
        sum += chain(n - 1);
    amp_keep(room);
    return sum;
}

#define GROWER(half_b)                                                                                                 \
    AMP_GROWS(uint64_t, fill_##half_b, half_b - 1200, void *arg)                                                       \
    {                                                                                                                  \
        char room[half_b - 1400];                                                                                      \
        const int deep = *(int *) arg;                                                                                 \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        memset(room, 1, sizeof room);                                                                                  \
        amp_keep(room);                                                                                                \
        for (unsigned n = deep ? 1 : GROW_CALLS; n > 0; n--)                                                           \
            sum += chain(deep ? GROW_CALLS : 1);                                                                       \
        amp_keep(room);                                                                                                \
        return sum + (uint64_t) room[0];                                                                               \
    }

GROWER(2048)
GROWER(4096)
GROWER(8192)
GROWER(16384)
GROWER(32768)
GROWER(65536)
GROWER(131072)

const struct grower growers[GROW_SIZES] = {
    { 4096, fill_2048 },   { 8192, fill_4096 },    { 16384, fill_8192 },    { 32768, fill_16384 },
    { 65536, fill_32768 }, { 131072, fill_65536 }, { 262144, fill_131072 },
};
