/* SPDX-License-Identifier: MIT
 *
 * Whether an object of a loop may meet an older one of its own line. In the frame both would be the same memory.
 *
 *   for (...) {
 *       struct node *p = malloc(sizeof *p);      made: is an older p still in a value or a memory that is used behind?
 *       p->next = all;
 *       all = p;                                 yes, in `all`
 *   } */
#ifndef AMP_ESCAPE_OLDER_H
#define AMP_ESCAPE_OLDER_H

#include "harness/escape/bodies/program.h"

struct amp_older;

/* The function must stay; free it with amp_older_end(). */
struct amp_older *amp_older_start(const struct amp_function *function);
void amp_older_end(struct amp_older *older);

/* Whether a pointer to an object of the site may still be used when the same line has made the next one. The site's
 * memory must not outlive the function. */
bool amp_older_lives(struct amp_older *older, const struct amp_site *site);

#endif
