/* SPDX-License-Identifier: MIT
 *
 * The report on a program's copies. */
#ifndef AMP_COPIES_REPORT_H
#define AMP_COPIES_REPORT_H

#include "harness/profile/copies/places.h"

#include <stdbool.h>
#include <stdio.h>

/* What is known of the program besides. */
struct amp_copies_shown {
    const char *program;
    const char *file;  /* the written profile; NULL: none */
    const char *ended; /* how the program ended; NULL: as it should */
    bool lacks_lines;  /* the program's own debug information was removed */
};

/* Its first line says what matters, then come at most 20 places. */
void amp_copies_table(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out);

/* Everything, as a JSON object of schema ampersand/copies/1. 0, or a negative errno. */
int amp_copies_json(const struct amp_copy_places *places, const struct amp_copies_shown *shown, FILE *out);

#endif
