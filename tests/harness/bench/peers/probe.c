/* SPDX-License-Identifier: MIT
 *
 * A lesson that tells on stderr what is done with it. Its fixture is a hundred blocks of 1000 B that must not be
 * billed; an operation of its pointer side holds three blocks at once, and frees them. */
#include "harness/kernel.h"

#include <stdio.h>

#define BLOCKS 100
#define BLOCK_B 1000

static void tell(const char *what, unsigned long long n)
{
    char line[64];
    int length = snprintf(line, sizeof line, "probe %s %llu\n", what, n);

    if (write(STDERR_FILENO, line, (size_t) length) != length)
        _exit(1);
}

static void *set_up(size_t size)
{
    void **blocks = amp_alloc(BLOCKS * sizeof *blocks);

    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = amp_alloc(BLOCK_B);
    tell("set_up", size);
    return blocks;
}

static void tear_down(void *fixture)
{
    void **blocks = fixture;

    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    free(blocks);
    tell("tear_down", 0);
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    amp_keep(fixture);
    tell("value", ops);
    return ops;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    amp_keep(fixture);
    tell("pointer", ops);
    for (uint64_t i = ops; i > 0; i--) {
        void *blocks[3] = { amp_alloc(BLOCK_B), amp_alloc(BLOCK_B), amp_alloc(BLOCK_B) };

        amp_keep(blocks);
        for (int k = 0; k < 3; k++)
            free(blocks[k]);
    }
    return ops;
}

AMP_PAIR(probe, .question = "What does libbenchmark do with a side?",
         .value = { run_value, .set_up = set_up, .tear_down = tear_down },
         .pointer = { run_pointer, .allocs_per_op = 3, .bytes_per_op = 3000, .set_up = set_up, .tear_down = tear_down },
         .sizes = AMP_SIZES(7));
