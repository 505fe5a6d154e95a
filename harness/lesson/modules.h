/* SPDX-License-Identifier: MIT
 *
 * Several layouts of one lesson, loaded to be measured against each other, and which of a pair's fixtures each side
 * works on. Functions return 0 or a negative errno with *why (static storage). */
#ifndef AMP_MODULES_H
#define AMP_MODULES_H

#include "harness/lesson/layout.h"

struct amp_modules {
    struct amp_module *list;
    unsigned n;
};

/* Load n layouts of a row's lesson, and hold each against the lesson's table; layouts NULL: all of them, in their
 * order. amp_modules_unload() frees them, also after a failure.
 * errors   those of amp_layout_load() and amp_layouts_hold(); -EPROTO if a module does not hold the row */
int amp_modules_load(const struct amp_row *row, const unsigned *layouts, unsigned n, struct amp_modules *out,
                     const char **why);
void amp_modules_unload(struct amp_modules *modules);

/* The kernels of the row in list[k], for one block of rounds. `fixtures` are [value, pointer] as amp_pair_set_up()
 * made them. If one function made both, the sides exchange them in every second block, so that neither side has the
 * better place in memory for a whole launch. */
void amp_modules_kernels(const struct amp_modules *modules, const struct amp_row *row, unsigned k, size_t block,
                         void *const fixtures[2], struct amp_kernel out[2]);

#endif
