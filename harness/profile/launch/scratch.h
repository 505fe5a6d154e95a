/* SPDX-License-Identifier: MIT
 *
 * The folder in which the processes of a profiled program count. */
#ifndef AMP_PROFILE_SCRATCH_H
#define AMP_PROFILE_SCRATCH_H

/* Make one, in memory where there is room, and write its path to `out` (PATH_MAX bytes). It is this process's until it
 * ends; what others left behind when they were killed is removed. 0, or 2 after it has said why not. */
int amp_scratch_make(char *out);

/* Remove it with all that is in it. A file that appears meanwhile, of a process that the program left behind, keeps
 * it. */
void amp_scratch_remove(const char *folder);

#endif
