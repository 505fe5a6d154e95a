/* SPDX-License-Identifier: MIT
 *
 * The rows that a run measures. */
#ifndef AMP_ROWS_H
#define AMP_ROWS_H

#include "harness/lesson/pair.h"

/* The rows of a run, borrowed from the registry. */
struct amp_rows {
    const struct amp_row **row;
    size_t n;
};

/* Find the rows whose names match a POSIX extended regular expression (NULL: all). -EINVAL with *why (static storage)
 * if it is not one; -ENOENT if no row matches. */
int amp_rows_match(const struct amp_registry *registry, const char *filter, struct amp_rows *out, const char **why);

/* Read "K/N", 1 <= K <= N; false if it is none. */
bool amp_rows_read_shard(const char *text, unsigned *k, unsigned *n);

/* Keep every nth pair with all of its sizes, from the kth, in their order; and the pairs that measure the noise floor,
 * which each run needs. Returns how many of the others are left. */
size_t amp_rows_keep_shard(struct amp_rows *rows, unsigned k, unsigned n);

/* Remove the rows of pairs with threads: on one CPU these would take turns. Returns how many; *first is one of them. */
size_t amp_rows_leave_out_threads(struct amp_rows *rows, const struct amp_row **first);
void amp_rows_free(struct amp_rows *rows);

#endif
