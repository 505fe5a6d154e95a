/* SPDX-License-Identifier: MIT
 *
 * How lessons were compiled, in two lines: compiler and flags from their tables, or that these differ. */
#ifndef AMP_COMPILATION_H
#define AMP_COMPILATION_H

#include "harness/lesson/pair.h"

struct amp_compilation {
    char compiler[128], flags[2048]; /* "unknown" if no table says */
};

/* For the rows with a side that libbenchmark's filter matches; a filter that begins with '-' selects all others. */
void amp_compilation_of(const struct amp_registry *registry, const char *filter, struct amp_compilation *out);

#endif
