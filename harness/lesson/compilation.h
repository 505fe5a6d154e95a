/* SPDX-License-Identifier: MIT
 *
 * How the lessons of rows were compiled, in two lines: as their tables say, or that they differ. */
#ifndef AMP_COMPILATION_H
#define AMP_COMPILATION_H

#include "harness/lesson/pair.h"

struct amp_compilation {
    char compiler[128], flags[2048]; /* "unknown" where no table says */
};

/* Of the rows with a side that libbenchmark's filter matches; a '-' before it stands for the others. */
void amp_compilation_of(const struct amp_registry *registry, const char *filter, struct amp_compilation *out);

#endif
