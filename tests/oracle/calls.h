/* SPDX-License-Identifier: MIT
 *
 * Every way to ask for memory, one row each, with what it must count. The rows are run by
 * tests/harness/measure/heap_test.c against the numbers here, and by count_calls under the oracles. */
#ifndef AMP_TEST_CALLS_H
#define AMP_TEST_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call {
    const char *name;
    void (*run)(void);
    struct {
        uint64_t allocs, frees, asked_b, granted_b, peak_b;
    } counts;                     /* of one run after a first one */
    bool libc;                    /* how much libc asks for is its own affair: only the oracles know */
    unsigned threads;             /* that allocate or free, and end within the run */
    const char *valgrind_differs; /* why valgrind counts otherwise; NULL where it must agree */
};

extern const struct call calls[];
extern const size_t n_calls;

const struct call *call_by_name(const char *name); /* NULL if there is none */

#endif
