/* SPDX-License-Identifier: MIT
 *
 * libbenchmark behind a C API: one side of a row alone ("solo"), with all the flags and reporters that Google
 * Benchmark has. The only C++ of the harness is behind it, and it decides nothing. */
#ifndef AMP_GOOGLE_H
#define AMP_GOOGLE_H

#include "harness/pair.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Register "<pair>/size=<n>/side=value" and ".../side=pointer" for every row; the rows are borrowed. */
void amp_google_register(const struct amp_registry *registry);

/* Run what `argv` asks for (--benchmark_filter=... and so on). Counters with each: allocs/op, B/op (asked), granted
 * B/op and peak B; the memory manager gives the same to the JSON reporter. Returns an exit status: 2 for a flag that
 * libbenchmark does not know or a filter that matches nothing, 1 where a benchmark reported an error. */
int amp_google_main(int argc, char **argv);

/* The version of libbenchmark that was linked, "1.7.1". */
const char *amp_google_version(void);

#ifdef __cplusplus
}
#endif

#endif
