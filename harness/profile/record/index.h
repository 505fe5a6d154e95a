/* SPDX-License-Identifier: MIT
 *
 * From a hash of 64 bits to what is known by it: of a million, two are mistaken for each other with a probability of 3
 * in 100 million. */
#ifndef AMP_PROFILE_INDEX_H
#define AMP_PROFILE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amp_index {
    struct amp_index_slots *slots; /* NULL: empty */
};

/* NULL: unknown. Takes no lock. */
void *amp_index_find(const struct amp_index *index, uint64_t hash);

/* Add what is not known yet, under a lock of the caller. False: no memory. */
bool amp_index_add(struct amp_index *index, uint64_t hash, void *value);

#endif
