/* SPDX-License-Identifier: MIT
 *
 * What the kernels of one side allocate for an operation; under valgrind, what they execute. Each kernel has a process
 * of its own, so its counts depend on no other kernel. Both sides get the same number of operations, and so have the
 * same counts if their code is the same. */
#ifndef AMP_AB_COUNT_H
#define AMP_AB_COUNT_H

#include "harness/ab/launch/kernels.h"

/* Where kernels come from: `load` returns NULL after writing into `why`. */
struct amp_ab_counting {
    const struct amp_ab_kernel *(*load)(const char *module, const char *kernel, char *why, size_t size);
    const char *module;
};

/* Print a line of JSON for each kernel of `list`, a file with "<kernel> <operations>" in each line; 0 operations: as
 * many as make about 200,000 instructions, which the line then says. An exit status. */
int amp_ab_count(const struct amp_ab_counting *of, const char *list);

#endif
