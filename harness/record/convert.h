/* SPDX-License-Identifier: MIT
 *
 * From what recorded processes left to a trace. */
#ifndef AMP_RECORD_CONVERT_H
#define AMP_RECORD_CONVERT_H

#include "harness/trace/trace.h"

struct amp_converted {
    struct amp_trace_head head; /* its strings are the caller's */
    size_t n_processes, n_threads; /* n_threads: of the program, which may be more than the trace has */
    uint64_t unseen;               /* ends of objects that nobody saw begin: left out */
};

/* Write the trace of the process that made most calls, of those in the folder. `head` has the program and the library.
 * 0 or a negative errno; -ENODATA: no process has made a call. */
int amp_convert(const char *folder, const char *path, struct amp_converted *out);

#endif
