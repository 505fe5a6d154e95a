/* SPDX-License-Identifier: MIT
 *
 * The memory of a process, as the kernel counts it. */
#ifndef AMP_MACHINE_MEMORY_H
#define AMP_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct amp_memory {
    uint64_t rss_b, peak_rss_b, mapped_b, peak_mapped_b;
};

/* Read it from /proc/<pid>/status; 0: of this process. Allocates nothing. False: the kernel does not tell it, because
 * the process has ended, for example. */
bool amp_memory_of(pid_t pid, struct amp_memory *out);

#endif
