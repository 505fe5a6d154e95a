/* SPDX-License-Identifier: MIT
 *
 * Other physical pages under the same addresses. Which physical pages hold code or data decides how it falls into the
 * caches: up to 5 % of the time, and for code of a file it stays the same as long as the file is in the page cache, for
 * the heap as long as the process lives. Functions return 0 or a negative errno. */
#ifndef AMP_AB_PAGES_H
#define AMP_AB_PAGES_H

#include <stdint.h>

/* Copy everything that this process maps of the file to pages of its own. */
int amp_ab_pages_of_file(const char *path);

/* Copy all private memory of no file to other pages: the heap, and what amp_ab_pages_of_file() has copied; not the
 * stack. */
int amp_ab_pages_of_all(void);

/* The private memory of this process that is in use, in bytes; 0 if nobody tells. */
uint64_t amp_ab_pages_private_b(void);

#endif
