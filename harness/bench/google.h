/* SPDX-License-Identifier: MIT
 *
 * libbenchmark behind a C API: one side of a row alone ("solo"), with all the flags and reporters that Google
 * Benchmark has. The only C++ of the harness is behind it, and it decides nothing. */
#ifndef AMP_GOOGLE_H
#define AMP_GOOGLE_H

#include "harness/lesson/pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Register "<pair>/size=<n>/side=value" and ".../side=pointer" for every row; the rows are borrowed, and
 * from their lessons' modules of number `layout`. With iterations > 0 each runs exactly so many, and libbenchmark adds
 * "/iterations:<n>" to the names.
 *
 * Before a side is timed, once, its row passes the agreement gate and the side's allocations are counted. Counters
 * with each run: allocs/op, B/op (asked), granted B/op and peak B. libbenchmark's memory pass, after the timing, counts
 * again for the JSON reporter: allocs_per_iter, max_bytes_used and total_allocated_bytes, the latter two in granted
 * bytes. Only the kernel's call is counted, never its fixture. Where malloc is not jemalloc's, one line on stderr says
 * that there are none of these. */
void amp_google_register(const struct amp_registry *registry, unsigned layout, uint64_t iterations);

/* A line of the context that reporters print before the runs. */
void amp_google_context(const char *key, const char *value);

/* Take libbenchmark's flags out of argv; what it does not know or cannot read stays. What it had to say of the latter,
 * without a line's end, or NULL: static storage. For --help, and for a value that is none of the words that it expects,
 * it calls `help`, and then exits with status 0. */
const char *amp_google_parse(int *argc, char **argv, void (*help)(void));

/* --benchmark_filter's value, static storage. */
const char *amp_google_filter(void);

/* libbenchmark's usage text; static storage. */
const char *amp_google_usage(void);

enum amp_google_outcome {
    AMP_GOOGLE_DONE,
    AMP_GOOGLE_FAILED,     /* a row was refused; it is among the results, as an error */
    AMP_GOOGLE_NO_MATCH,   /* the filter matches no benchmark */
    AMP_GOOGLE_BAD_FILTER, /* the filter is no regular expression */
};

/* Run, or list, what the flags ask for. `filter` is --benchmark_filter's value, static storage; with the last two
 * outcomes nothing was printed. */
enum amp_google_outcome amp_google_run(const char **filter);

#ifdef __cplusplus
}
#endif

#endif
