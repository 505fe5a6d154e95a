/* SPDX-License-Identifier: MIT
 *
 * libbenchmark with a C interface: it times one side of a row alone ("solo"), with all flags and reporters of Google
 * Benchmark. This is the only C++ in the harness. */
#ifndef AMP_GOOGLE_H
#define AMP_GOOGLE_H

#include "harness/lesson/pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Register "<pair>/size=<n>/side=value" and ".../side=pointer" for every row. The rows are borrowed; they come from
 * module number `layout` of their lessons. With iterations > 0 each benchmark runs exactly that many, and libbenchmark
 * adds "/iterations:<n>" to the names.
 *
 * Before a side is timed for the first time, the checksums of its row are compared and its allocations are counted.
 * Each run shows them as allocs/op, B/op (as asked for), granted B/op and peak B. libbenchmark's memory pass after the
 * timing counts again for the JSON reporter: allocs_per_iter, max_bytes_used and total_allocated_bytes, the last two in
 * granted bytes. Only the kernel is counted, not its fixture. If malloc is not jemalloc's, there are no counts, and one
 * line on stderr says so. */
void amp_google_register(const struct amp_registry *registry, unsigned layout, uint64_t iterations);

/* A line of the context that reporters print before the runs. */
void amp_google_context(const char *key, const char *value);

/* Remove libbenchmark's flags from argv; those that it does not know or cannot read stay. Returns its complaint about
 * the latter, without a newline, or NULL (static storage). For --help, and for a value that is none of the words it
 * expects, it calls `help` and exits with status 0. */
const char *amp_google_parse(int *argc, char **argv, void (*help)(void));

/* --benchmark_filter's value, static storage. */
const char *amp_google_filter(void);

/* libbenchmark's usage text; static storage. */
const char *amp_google_usage(void);

enum amp_google_outcome {
    AMP_GOOGLE_DONE,
    AMP_GOOGLE_FAILED,     /* a row was refused; it is among the results, as an error */
    AMP_GOOGLE_NO_MATCH,   /* the filter matches no benchmark */
    AMP_GOOGLE_BAD_FILTER, /* the filter is not a regular expression */
};

/* Run or list the benchmarks that the flags select. `filter` is --benchmark_filter's value, static storage. With the
 * last two outcomes nothing was printed. */
enum amp_google_outcome amp_google_run(const char **filter);

#ifdef __cplusplus
}
#endif

#endif
