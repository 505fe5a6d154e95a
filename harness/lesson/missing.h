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
    struct amp_missing_row *rows;
};

/* Register every lesson of lessons.txt from its module k, and list those for which that fails; with `tables`, also
 * those whose table cannot be read. 0, or -ENOMEM, or the error of reading lessons.txt, with *why. */
int amp_missing_register(struct amp_registry *registry, unsigned k, bool tables, struct amp_missing *out,
                         const char **why);

/* Register the rows that the tables of missing lessons name. A child that is to run one of them cannot load its lesson,
 * and so the row fails with that reason. amp_missing_free() frees them. 0 or -ENOMEM */
int amp_missing_add_rows(struct amp_missing *missing, struct amp_registry *registry);

/* Print one line on stderr for each missing lesson with a row that matches the filter (NULL: every row), and return
 * whether there was one. If the rows of a lesson are not known, it counts as matching. */
bool amp_missing_say(const struct amp_missing *missing, const char *filter);

void amp_missing_free(struct amp_missing *missing);

#endif
