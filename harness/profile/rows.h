/* SPDX-License-Identifier: MIT
 *
 * Which lines of each row of a run allocate: what the report of the run shows. */
#ifndef AMP_PROFILE_ROWS_H
#define AMP_PROFILE_ROWS_H

/* Write RUN/allocations.json for the rows of RUN/manifest.json that say that they allocate; leaves what was recorded
 * before as it is. If nothing can be recorded, one line says why, and the file too. The exit status: 0, or 2 after it
 * has said why; 130, and no file, if a signal interrupted it. */
int amp_rows_profile(const char *run);

#endif
