/* SPDX-License-Identifier: MIT
 *
 * The list of all pairs, and the check that both sides of a pair return the same checksum.
 * Functions return 0 or a negative errno. A row is one pair at one size. */
#ifndef AMP_PAIR_H
#define AMP_PAIR_H

#include "harness/kernel.h"
#include "harness/measure/rounds.h"

#include <stdbool.h>

struct amp_row {
    const char *lesson; /* "pass": the file that it came from, and so the name of its modules */
    const struct amp_pair *pair;
    size_t size;
    size_t index; /* within its lesson, the same in each of the lesson's modules */
};

struct amp_registry {
    struct amp_row *rows; /* in the order of benchmarks/meson.build, then of the pairs in a file, then of their sizes */
    size_t n;
};

/* Add every row of a lesson. The strings and pairs are borrowed and must outlive the registry.
 * errors   -ENOMEM; -EEXIST for a row that exists already; -EINVAL for a pair without name, question, run or sizes */
int amp_registry_add(struct amp_registry *registry, const char *lesson, const struct amp_pair *const *pairs, size_t n);
/* Whether a claim is about the ABI of this program. */
bool amp_claim_is_ours(const struct amp_claim *claim);

/* Remove the rows of a lesson; `lesson` is the very pointer that it was added with. */
void amp_registry_drop(struct amp_registry *registry, const char *lesson);

void amp_registry_free(struct amp_registry *registry);

/* The row called `name`, as "pair/size=n", or NULL. */
const struct amp_row *amp_registry_find(const struct amp_registry *registry, const char *name);

/* Exit statuses of a process that measures pairs; stderr's last line says which and how. 128+N is not used: a signal is
 * a signal. */
#define AMP_EXIT_DISAGREE 72 /* the sides' checksums differ */
#define AMP_EXIT_DECLARED 73 /* a side allocates, copies or calls otherwise than its pair declares */

/* They, as a list of struct amp_exit (run/process.h). */
#define AMP_PAIR_EXITS                                                                                                 \
    {                                                                                                                  \
        { AMP_EXIT_DISAGREE, "disagreement", "the sides' checksums differ" },                                          \
            { AMP_EXIT_DECLARED, "declaration", "a side does not do what its pair declares" }, { 0 }                   \
    }

/* Write the row's name, "pair/size=n", into `out`, cut to `cap` bytes. */
void amp_row_name(const struct amp_row *row, char *out, size_t cap);

struct amp_agreement {
    uint64_t ops;
    uint64_t value;   /* checksum of the value side */
    uint64_t pointer; /* checksum of the pointer side */
};

/* Make a side's fixture, for amp_side_tear_down() to free; NULL if the side has none. */
void *amp_side_set_up(const struct amp_side *side, size_t size);
void amp_side_tear_down(const struct amp_side *side, void *fixture);

/* Make both fixtures, [value, pointer], at places drawn at random. Without that, the same side would have the better
 * place within its cache lines in every launch, and that would look like a difference between the sides. The lowest bit
 * of `draw` says whose fixture is made first; the next three, how many blocks of each size class are skipped. */
void amp_pair_set_up(const struct amp_pair *pair, size_t size, uint64_t draw, void *fixtures[2]);

/* Run both sides of a row on fresh fixtures, for 1, 2, 3 and 1000 operations (fewer if one takes long), and compare
 * their checksums. -EDOM if they differ; *out holds the last comparison in any case. */
int amp_pair_agree(const struct amp_pair *pair, size_t size, amp_clock now, struct amp_agreement *out);

/* The same on existing fixtures; both must have run the same operations before. */
int amp_pair_agree_on(const struct amp_pair *pair, void *value, void *pointer, amp_clock now,
                      struct amp_agreement *out);

#endif
