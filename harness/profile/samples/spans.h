/* SPDX-License-Identifier: MIT
 *
 * Pieces of a program's addresses, each with a number: found by an address in a time that hardly grows with them. */
#ifndef AMP_PROFILE_SPANS_H
#define AMP_PROFILE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amp_span {
    uint64_t low, high; /* from low on, below high */
    uint32_t of, rank;  /* rank: of those that begin at one address, the one with the highest is found */
};

struct amp_spans {
    struct amp_span *all;
    size_t n;
};

/* 0 or -ENOMEM. */
int amp_spans_add(struct amp_spans *spans, const struct amp_span *span);

/* When all are added: now they can be found. */
void amp_spans_sort(struct amp_spans *spans);

/* The span that holds an address; of several, that which begins last. NULL: none does. */
const struct amp_span *amp_spans_find(const struct amp_spans *spans, uint64_t address);

/* The span that begins last, at an address or before it, however far it goes. NULL: none does. */
const struct amp_span *amp_spans_before(const struct amp_spans *spans, uint64_t address);

void amp_spans_free(struct amp_spans *spans);

#endif
