/* SPDX-License-Identifier: MIT
 *
 * The plan of a run: which child does what, in which order, with which random draws. All of it follows from the
 * rows, the settings and the seed; what is drawn for an item depends on the seed and on what the item is, not on its
 * place in the plan. So a run that is resumed, or gets more launches, draws the same again.
 * Functions return 0 or a negative errno. */
#ifndef AMP_PLAN_H
#define AMP_PLAN_H

#include "harness/bench/launch.h"

#include <jansson.h>

enum amp_kind { AMP_KIND_PAIRED, AMP_KIND_COUNTS, AMP_KIND_SOLO, AMP_KINDS };

/* As in the journal and in a child's task: "paired", "counts", "solo". */
const char *amp_kind_name(enum amp_kind kind);

#define AMP_CONFIGURATION "default" /* the allocator as the environment configures it */

/* The rows of a run, borrowed from the registry. */
struct amp_rows {
    const struct amp_row **row;
    size_t n;
};

/* The registry's rows whose names match a POSIX extended regular expression (NULL: all). -EINVAL if it is none,
 * with *why (static storage); -ENOENT if no row matches. */
int amp_rows_match(const struct amp_registry *registry, const char *filter, struct amp_rows *out, const char **why);
/* Take out the rows of pairs with threads, whose threads would take turns on one CPU. Returns how many; *first is one of
 * them. */
size_t amp_rows_leave_out_threads(struct amp_rows *rows, const struct amp_row **first);
void amp_rows_free(struct amp_rows *rows);

/* One child. */
struct amp_item {
    enum amp_kind kind;
    size_t row; /* index into the run's rows */
    unsigned launch;
    uint64_t seed;                  /* below 2^53: exact in every reader of JSON */
    unsigned stack_offset_b;        /* a multiple of 16 below 64 KiB */
    unsigned environment_padding_b; /* below 4 KiB: a page, beyond which addresses look the same to caches */
    int layout;                     /* -1: the whole design; a solo item has always one */
};

struct amp_plan {
    struct amp_item *items; /* in the order in which they run */
    size_t n;
};

/* layouts[i] is how many modules row i's lesson was linked into. */
int amp_plan_make(const struct amp_rows *rows, const unsigned *layouts, const struct amp_launch_options *options,
                  struct amp_plan *out);

/* Append, in random order, the paired launches of the chosen rows from number launches[row] to below `to`. */
int amp_plan_extend(struct amp_plan *plan, const struct amp_rows *rows, const unsigned *layouts,
                    const struct amp_launch_options *options, const bool *chosen, const unsigned *launches,
                    unsigned to);
void amp_plan_free(struct amp_plan *plan);

/* Where in a run folder the item's result is, "launches/default/pass/size=64/003.json". -ENAMETOOLONG */
int amp_plan_path(const struct amp_row *row, const struct amp_item *item, char *out, size_t cap);

/* What the disk must have free for the results, in bytes; rather too much than too little. */
uint64_t amp_plan_need_b(const struct amp_rows *rows, const unsigned *layouts,
                         const struct amp_launch_options *options);

#endif
