/* SPDX-License-Identifier: MIT
 *
 * What the sides of rows have started and left behind: no process of a lesson may outlive its profile. */
#ifndef AMP_PROFILE_ORPHANS_H
#define AMP_PROFILE_ORPHANS_H

/* From now on, a process below this one whose parent ends becomes its child. */
void amp_orphans_adopt(void);

/* End all children by SIGKILL, then theirs, and wait for them. */
void amp_orphans_end(void);

#endif
