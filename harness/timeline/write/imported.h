/* SPDX-License-Identifier: MIT
 *
 * Makes a recording of what another tool recorded. */
#ifndef AMP_TIMELINE_IMPORTED_H
#define AMP_TIMELINE_IMPORTED_H

#include <stdio.h>

/* Read what `uftrace dump --chrome` prints, an event a line, and put a recording of it into the folder. 0 or a negative
 * errno; -EPROTO: it is none. */
int amp_imported_make(FILE *dump, const char *program, const char *folder);

#endif
