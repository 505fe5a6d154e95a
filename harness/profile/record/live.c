/* SPDX-License-Identifier: MIT */
#include "harness/profile/record/live.h"

#include "harness/profile/unwind/thread.h"

#include <errno.h>

#define FIRST_SLOTS 512

AMP_HOT struct amp_live_table *amp_live_tables;

struct amp_live_table *amp_live_begin(void)
{
    static struct amp_lock making;
    int error = errno;

    amp_lock(&making);
    if (!amp_live_tables)
        __atomic_store_n(&amp_live_tables, amp_region_map(AMP_LIVE_TABLES * sizeof *amp_live_tables), __ATOMIC_RELEASE);
    amp_unlock(&making);
    errno = error;
    return amp_live_tables;
}

/* By half: then between half and three quarters are in use. */
static bool enlarge(struct amp_live_table *table)
{
    struct amp_live_table larger = { .n_slots = table->n_slots ? table->n_slots / 2 * 3 : FIRST_SLOTS };
    int error = errno;

    larger.slots = amp_region_map(larger.n_slots * sizeof *larger.slots);
    errno = error;
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i])
            larger.slots[amp_live_find(&larger, table->slots[i])] = table->slots[i];
    if (table->slots)
        amp_region_unmap(table->slots, table->n_slots * sizeof *table->slots);
    table->n_slots = larger.n_slots;
    table->most = larger.n_slots / 4 * 3;
    table->slots = larger.slots;
    return true;
}

bool amp_live_grow(struct amp_live_table *table)
{
    return enlarge(table) || table->n + 1 < table->n_slots; /* one free slot is where a search ends */
}

void amp_live_close_gap(struct amp_live_table *table, size_t gap)
{
    for (size_t i = amp_live_next(table, gap); table->slots[i]; i = amp_live_next(table, i)) {
        size_t home = amp_live_home(table, table->slots[i]);
        bool stays = gap < i ? gap < home && home <= i : gap < home || home <= i;

        if (stays)
            continue;
        table->slots[gap] = table->slots[i];
        table->slots[i] = 0;
        gap = i;
    }
}
