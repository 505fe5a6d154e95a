/* SPDX-License-Identifier: MIT */
#ifndef AMP_ESCAPE_SOLVE_H
#define AMP_ESCAPE_SOLVE_H

#include "harness/escape/graph/graph.h"

/* The words that `size` bytes at `offset` touch, from *first to *last; both AMP_ANY if that is not known. */
void amp_words_touched(int32_t offset, int64_t size, int32_t *first, int32_t *last);

/* Apply all constraints until nothing changes. False if that takes more steps than AMP_SOLVE_MOST. */
bool amp_graph_solve(struct amp_graph *graph);
#define AMP_SOLVE_MOST 10000000

#endif
