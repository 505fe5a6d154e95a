/* SPDX-License-Identifier: MIT
 *
 * Which program would run, and whether its allocations can be seen. */
#ifndef AMP_PROFILE_PROGRAM_H
#define AMP_PROFILE_PROGRAM_H

#include <stddef.h>

/* Find what the shell would start. Returns an exit status: 0, or 2 after it has said why this program cannot be
 * profiled: not there, not executable, statically linked, run with another user's rights, or with an allocator of its
 * own built in. Of a script its interpreter counts, and that is said. `path` gets the file. */
int amp_program_check(const char *program, char *path, size_t cap);

#endif
