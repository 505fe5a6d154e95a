/* SPDX-License-Identifier: MIT
 *
 * The table of counted places that goes into the program: sections.h says how it lies there. */
#ifndef AMP_COPIES_TABLE_H
#define AMP_COPIES_TABLE_H

#include "harness/profile/copies/plugin/debug.h"
#include "harness/profile/copies/preload/sections.h"

struct amp_table_text;

/* All 0 at first. */
struct amp_table {
    struct amp_copies_site *sites;
    LLVMMetadataRef *places; /* of each, with the copy's name as its scope */
    size_t n;
    char *texts; /* each ends with 0 */
    size_t texts_b;
    struct amp_table_text *known;
};

/* Add what is copied at a place; to what is there from `first` on, if that is of the same place and counter. */
void amp_table_add(struct amp_table *table, const struct amp_module *m, size_t first, LLVMMetadataRef place,
                   const struct amp_copies_site *site);

/* The table as it is to lie in memory; the caller frees it. */
char *amp_table_bytes(const struct amp_table *table, size_t *size_b);
void amp_table_free(struct amp_table *table);

#endif
