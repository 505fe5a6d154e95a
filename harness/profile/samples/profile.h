/* SPDX-License-Identifier: MIT
 *
 * The profile of a program and of the processes that it started: what all of them allocated, by stack. Processes that
 * run the same code at other addresses are put together. */
#ifndef AMP_PROFILE_PROFILE_H
#define AMP_PROFILE_PROFILE_H

#include "harness/profile/record/record.h"

#include <stdbool.h>
#include <stddef.h>

/* The code of a library or program. Addresses are those of the process that was read first, moved where two overlap. */
struct amp_mapping {
    const char *path;
    uint64_t start, end, offset, bias;
    char build_id[128];            /* hexadecimal; empty: none */
    bool has_functions, has_lines; /* symbols.h: it has a table of symbols; it was compiled with -g */
    bool is_library_of_c;          /* the C or C++ library, or the loader */
};

/* A place in the source; several where functions are inlined into each other, the innermost first. */
struct amp_line {
    const char *function, *file; /* NULL: unknown */
    unsigned line;               /* 0: unknown */
};

struct amp_location {
    uint64_t address;           /* a return address, less 1 */
    struct amp_mapping *mapping; /* NULL: code that no file holds */
    struct amp_line *lines;
    size_t n_lines, id; /* id: from 1 on */
    unsigned column;    /* of the address, in the innermost line; 0: unknown */
};

/* What samples count, as pprof names it. */
struct amp_value {
    const char *type, *unit;
};

#define AMP_VALUES 4 /* at most, of a profile */

struct amp_sample {
    int64_t values[AMP_VALUES];
    bool is_base;                     /* of the other side of a difference, whose values are below 0 */
    struct amp_profile_counts counts; /* of allocations */
    enum amp_stack_ending ending;
    uint32_t bucket;
    size_t n;
    struct amp_location **stack; /* innermost first */
};

struct amp_profile {
    const struct amp_value *types; /* of the samples' values: n_types of them */
    size_t n_types;
    const char *default_type;
    struct amp_value period_type; /* a sample stands for `period` of these */
    uint64_t period;
    struct amp_sample *samples;
    size_t n_samples;
    struct amp_location **locations;
    size_t n_locations;
    struct amp_mapping **mappings;
    size_t n_mappings;
    struct amp_profile_counts total; /* what found no place included */
    uint64_t lost;                   /* allocations of `total` whose stack found no room */
    uint64_t unrecorded, untracked, failed, begin_ns;
    uint64_t sample_b, sampled; /* bytes from one sampled allocation to the next, and how many were; 0: all counts are exact */
    size_t n_processes;
    struct amp_profile_store *store; /* what holds all of it */
};

void amp_profile_free(struct amp_profile *profile);

/* Memory that ends with the profile; NULL if there is none. */
void *amp_profile_alloc(struct amp_profile *profile, size_t size_b);
const char *amp_profile_text(struct amp_profile *profile, const char *text);

#endif
