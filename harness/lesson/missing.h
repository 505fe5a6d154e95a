/* SPDX-License-Identifier: MIT
 *
 * Lessons of the build that cannot be had: their module does not load, or their table cannot be read. Each is named with
 * its reason, and all others go on. */
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

/* Register every lesson of lessons.txt through its module k, and note those for which that fails; with `tables`, also
 * those whose table cannot be read. 0; or -ENOMEM, or what keeps lessons.txt from being read, with *why. */
int amp_missing_register(struct amp_registry *registry, unsigned k, bool tables, struct amp_missing *out,
                         const char **why);

/* Whether a row of a missing lesson matches the filter, NULL: every row. Where nobody knows its rows, one does. Says so on
 * stderr, a line a lesson. */
bool amp_missing_say(const struct amp_missing *missing, const char *filter);

void amp_missing_free(struct amp_missing *missing);

#endif
