/* SPDX-License-Identifier: MIT
 *
 * gcc's list of copies (gcc/list.cc), which names no instructions: they are found by the file, line and column that
 * their debug information gives. */
#ifndef AMP_COPIES_LISTED_H
#define AMP_COPIES_LISTED_H

#include "harness/profile/copies/places.h"

struct amp_copies_listed; /* the lists of all programs and libraries that were read */

/* Add the list in a program or library, if it has one; each copy becomes one of the places, too. 0, or a negative
 * errno. *listed begins as NULL, and amp_copies_forget_listed() ends it. */
int amp_copies_read_listed(const char *path, struct amp_copies_listed **listed, struct amp_copy_places *places);

/* The place of the instructions that stand there in the source; until the next one is made. NULL: none is listed. */
struct amp_copy_place *amp_copies_find_listed(struct amp_copies_listed *listed, struct amp_copy_places *places,
                                              const char *file, unsigned line, unsigned column);

void amp_copies_forget_listed(struct amp_copies_listed *listed);

#endif
