/* SPDX-License-Identifier: MIT
 *
 * Lessons that cannot be used: their module does not load, or their table cannot be read. Each is named with the
 * reason; all others are measured. */
#ifndef AMP_MISSING_H
#define AMP_MISSING_H

#include "harness/lesson/pair.h"

#include <stdbool.h>

struct amp_missing {
    struct {
        char *lesson, *why;
    } * list;
    size_t n;
};

/* Register every lesson of lessons.txt from its module k, and list those for which that fails; with `tables`, also
 * those whose table cannot be read. 0, or -ENOMEM, or the error of reading lessons.txt, with *why. */
int amp_missing_register(struct amp_registry *registry, unsigned k, bool tables, struct amp_missing *out,
                         const char **why);

/* Print one line on stderr for each missing lesson with a row that matches the filter (NULL: every row), and return
 * whether there was one. If the rows of a lesson are not known, it counts as matching. */
bool amp_missing_say(const struct amp_missing *missing, const char *filter);

void amp_missing_free(struct amp_missing *missing);

#endif
