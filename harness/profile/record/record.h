/* SPDX-License-Identifier: MIT
 *
 * The file in which a profiled process keeps its counts, while it runs.
 *
 *   segment 0   [head][module][site][site]...0      each segment AMP_PROFILE_SEGMENT_B long
 *   segment 1   [site][module]...0                  a record never crosses into the next; kind 0 ends a segment
 *
 * The process maps the file and counts in it; `ampersand profile` reads it at any moment. So nothing is to be done when
 * the process ends: _exit, a signal, even SIGKILL lose nothing. `kind` is written last, so a record that can be seen is
 * whole; only the counts of a site change afterwards. */
#ifndef AMP_PROFILE_RECORD_H
#define AMP_PROFILE_RECORD_H

#include "harness/profile/unwind/stack.h"

#include <stdint.h>

#define AMP_PROFILE_MAGIC 0x31464f5250504d41u /* "AMPPROF1" */
#define AMP_PROFILE_SEGMENT_B ((uint64_t) 1 << 20)
#define AMP_PROFILE_FOLDER "AMPERSAND_PROFILE" /* the environment's variable: the folder for these files */
#define AMP_PROFILE_OFF "AMPERSAND_PROFILE_OFF" /* if it is there, nothing counts before amp_profile_count(1) */
#define AMP_PROFILE_SAMPLE "AMPERSAND_PROFILE_SAMPLE" /* bytes from one that is sampled to the next; without: all count */

#define AMP_PROFILE_TICK_NS 1000000 /* of CPU time between two samples of a thread */

enum amp_profile_kind { AMP_PROFILE_END, AMP_PROFILE_MODULE, AMP_PROFILE_SITE };

struct amp_profile_record {
    uint32_t kind;
    uint32_t size_b; /* of the record, a multiple of AMP_PROFILE_LINE_B: its counts lie in one line of the cache */
};
#define AMP_PROFILE_LINE_B 64

/* What a library or program occupies with code. */
struct amp_profile_module {
    struct amp_profile_record record;
    uint64_t start, end; /* addresses of its executable segment */
    uint64_t offset;     /* of that segment in the file */
    uint64_t bias;       /* what is added to the addresses of the file */
    char path[];         /* ends with 0 */
};

/* The calls from one stack, of sizes from one power of two to the next: as Go's heap profile is kept. */
struct amp_profile_counts {
    uint64_t allocs, bytes;
    uint64_t frees, freed_b;
    uint64_t died_in_frame, died_in_caller; /* of `frees`: while the function that allocated had not returned; its caller */
};

struct amp_profile_site {
    struct amp_profile_record record;
    struct amp_profile_counts counts;
    uint32_t n;
    uint16_t ending;    /* of enum amp_stack_ending */
    uint16_t frame;     /* which function of the stack allocated: the first outside the C and C++ libraries */
    uint32_t bucket;    /* sizes from 2^(bucket-1) to 2^bucket - 1; 0: of size 0 */
    uint32_t n_modules; /* how many module records stood before it: of two at one address, the later one held */
    uint64_t pcs[];     /* return addresses, innermost first */
};

struct amp_profile_head {
    uint64_t magic;
    int32_t pid, parent;
    uint64_t begin_ns;   /* CLOCK_REALTIME */
    uint64_t unrecorded; /* allocations by a signal handler that interrupted the counting of another */
    uint64_t untracked;  /* allocations whose end will not be seen: no memory to remember them */
    uint64_t failed;     /* calls that returned NULL for lack of memory */
    uint64_t sample_b;   /* bytes from one sampled allocation to the next: counts are scaled; 0: each is counted */
    uint64_t sampled;    /* how many were */
    struct amp_profile_counts lost; /* there was no room for another stack */
} __attribute__((aligned(AMP_PROFILE_LINE_B)));

#endif
