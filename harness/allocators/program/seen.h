/* SPDX-License-Identifier: MIT
 *
 * Which allocator a process has, as seen from outside. */
#ifndef AMP_SEEN_H
#define AMP_SEEN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The file of the library that it has mapped: `preload`, with links resolved, or else the C library; "" if it has
 * neither, as a statically linked program. */
void amp_seen_library(pid_t pid, const char *preload, char out[PATH_MAX]);

/* A CRC-32 of what the environment that it was executed with says to allocators, in any order; UINT64_MAX: it cannot be
 * read. LD_PRELOAD is not among that. */
uint64_t amp_seen_settings(pid_t pid);

/* Whether one of these processes has a socket that listens, TCP or of the file system. */
bool amp_seen_listening(const pid_t *pids, size_t n);

#endif
