/* SPDX-License-Identifier: MIT
 *
 * The registry of pairs, and the gate that refuses to time sides that disagree.
 * Functions return 0 or a negative errno. A row is one pair at one size. */
#ifndef AMP_PAIR_H
#define AMP_PAIR_H

#include "harness/kernel.h"
#include "harness/measure/rounds.h"

struct amp_row {
    const char *lesson; /* "pass": the file, and so the family of modules, that it came from */
    const struct amp_pair *pair;
    size_t size;
    size_t index; /* within its lesson, the same in each of the lesson's modules */
};

struct amp_registry {
    struct amp_row *rows; /* in the order of benchmarks/meson.build, then of the pairs in a file, then of their sizes */
    size_t n;
};

/* Add every row of a lesson. The strings and pairs are borrowed and must outlive the registry.
 * errors   -ENOMEM; -EEXIST for a row that is there already; -EINVAL for a pair without name, question, run or sizes */
int amp_registry_add(struct amp_registry *registry, const char *lesson, const struct amp_pair *const *pairs, size_t n);
/* Take the rows of a lesson out again: of the very string that it was added under. */
void amp_registry_drop(struct amp_registry *registry, const char *lesson);

void amp_registry_free(struct amp_registry *registry);

/* The row whose "pair/size=n" is spelled by `name`, or NULL. */
const struct amp_row *amp_registry_find(const struct amp_registry *registry, const char *name);

/* Write "pair/size=n" into `out`, cut to `cap`. */
void amp_row_name(const struct amp_row *row, char *out, size_t cap);

struct amp_agreement {
    uint64_t ops;
    uint64_t value;   /* checksum of the value side */
    uint64_t pointer; /* checksum of the pointer side */
};

/* A side's fixture: made, to be given back to amp_side_tear_down; NULL where the side wants none. */
void *amp_side_set_up(const struct amp_side *side, size_t size);
void amp_side_tear_down(const struct amp_side *side, void *fixture);

/* Both sides' fixtures, [value, pointer]. The lowest bit of `draw` says whose is made first, the next three how many
 * blocks of each size class further on: otherwise the same side would have the better place in its cache lines in every
 * launch, and that would pass for a difference between the sides. */
void amp_pair_set_up(const struct amp_pair *pair, size_t size, uint64_t draw, void *fixtures[2]);

/* Run both sides of a row on fresh fixtures, for 1, 2, 3 and 1000 operations (fewer where one takes long by `now`), and
 * compare. -EDOM where they disagree; *out holds the last comparison either way. */
int amp_pair_agree(const struct amp_pair *pair, size_t size, amp_clock now, struct amp_agreement *out);

/* The same on fixtures that are there; both must have run the same operations before. */
int amp_pair_agree_on(const struct amp_pair *pair, void *value, void *pointer, amp_clock now,
                      struct amp_agreement *out);

#endif
