/* SPDX-License-Identifier: MIT */
#include "harness/profile/record/index.h"

#include "harness/profile/record/region.h"

#define FIRST_SLOTS 256 /* a power of two */

struct slot {
    uint64_t hash; /* 0: free; written last */
    void *value;
};

struct amp_index_slots {
    size_t n_slots, n;
    struct slot slots[];
};

static struct slot *find(struct amp_index_slots *in, uint64_t hash)
{
    for (size_t i = hash >> 32 & (in->n_slots - 1);; i = (i + 1) & (in->n_slots - 1)) {
        uint64_t at = __atomic_load_n(&in->slots[i].hash, __ATOMIC_ACQUIRE);

        if (at == hash || at == 0)
            return &in->slots[i];
    }
}

void *amp_index_find(const struct amp_index *index, uint64_t hash)
{
    struct amp_index_slots *in = __atomic_load_n(&index->slots, __ATOMIC_ACQUIRE);
    struct slot *slot = in ? find(in, hash ? hash : 1) : NULL;

    return slot && slot->hash ? slot->value : NULL;
}

/* Another thread may still be reading the smaller one, so it stays mapped: all of them take as much as this one. */
static struct amp_index_slots *grow(const struct amp_index_slots *old)
{
    size_t n_slots = old ? 2 * old->n_slots : FIRST_SLOTS;
    struct amp_index_slots *larger = amp_region_map(sizeof *larger + n_slots * sizeof *larger->slots);

    if (!larger)
        return NULL;
    larger->n_slots = n_slots;
    for (size_t i = 0; old && i < old->n_slots; i++)
        if (old->slots[i].hash)
            *find(larger, old->slots[i].hash) = old->slots[i];
    larger->n = old ? old->n : 0;
    return larger;
}

bool amp_index_add(struct amp_index *index, uint64_t hash, void *value)
{
    struct amp_index_slots *in = index->slots;
    struct slot *slot;

    if (!in || 4 * in->n >= 3 * in->n_slots) {
        in = grow(in);
        if (!in)
            return false;
        __atomic_store_n(&index->slots, in, __ATOMIC_RELEASE);
    }
    hash = hash ? hash : 1;
    slot = find(in, hash);
    slot->value = value;
    in->n++;
    __atomic_store_n(&slot->hash, hash, __ATOMIC_RELEASE);
    return true;
}
