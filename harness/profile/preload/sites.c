/* SPDX-License-Identifier: MIT
 *
 * Looking a stack up takes no lock. A stack is known by 64 bits: of a million stacks, two are mistaken for each other
 * with a probability of 3 in 100 million.
 */
#include "harness/profile/preload/sites.h"

#include "harness/profile/preload/modules.h"

#include <string.h>

#define FIRST_SLOTS 1024 /* a power of two */

struct slot {
    uint64_t hash; /* 0: free; written last */
    struct amp_site site;
};

struct index {
    size_t n_slots, n;
    struct slot slots[];
};

/* Of this process alone. */
struct sites {
    struct amp_lock lock;
    struct index *index;
    struct amp_modules modules;
};

static struct sites *sites;
static uint64_t epoch;

void amp_sites_forget(void)
{
    __atomic_fetch_add(&epoch, 1, __ATOMIC_RELAXED);
    if (!sites)
        return;
    amp_lock(&sites->lock);
    sites->modules.n = 0;
    amp_unlock(&sites->lock);
}

static unsigned bucket_of(size_t size_b)
{
    return size_b ? 64 - (unsigned) __builtin_clzll(size_b) : 0;
}

static uint64_t hash_of(const struct amp_stack *stack, unsigned bucket)
{
    uint64_t hash = stack->hash + (bucket + 1) * 0x9e3779b97f4a7c15u + __atomic_load_n(&epoch, __ATOMIC_RELAXED);

    hash = (hash ^ hash >> 32) * 0xff51afd7ed558ccdu;
    return hash ? hash : 1;
}

static struct slot *find(struct index *index, uint64_t hash)
{
    for (size_t i = hash >> 32 & (index->n_slots - 1);; i = (i + 1) & (index->n_slots - 1)) {
        uint64_t at = __atomic_load_n(&index->slots[i].hash, __ATOMIC_ACQUIRE);

        if (at == hash || at == 0)
            return &index->slots[i];
    }
}

/* Another thread may still be reading the smaller index, so it stays mapped: all of them take as much as this one. */
static struct index *grow(struct index *old)
{
    size_t n_slots = old ? 2 * old->n_slots : FIRST_SLOTS;
    struct index *index = amp_region_map(sizeof *index + n_slots * sizeof *index->slots);

    if (!index)
        return NULL;
    index->n_slots = n_slots;
    for (size_t i = 0; old && i < old->n_slots; i++)
        if (old->slots[i].hash)
            *find(index, old->slots[i].hash) = old->slots[i];
    index->n = old ? old->n : 0;
    return index;
}

/* The first function outside the C and C++ libraries. */
static uint32_t frame_of(const struct amp_stack *stack)
{
    for (unsigned i = 0; i < stack->n; i++) {
        const struct amp_module *module = amp_modules_find(&sites->modules, stack->pcs[i] - 1);

        if (!module || !module->is_allocating)
            return i;
    }
    return 0;
}

static struct amp_profile_counts *write(const struct amp_stack *stack, unsigned bucket)
{
    size_t size_b = sizeof(struct amp_profile_site) + stack->n * sizeof(uint64_t);
    struct amp_profile_site *site = amp_region_add(size_b);

    if (!site)
        return NULL;
    site->record.size_b = (uint32_t) size_b;
    site->n = stack->n;
    site->ending = stack->ending;
    site->bucket = bucket;
    site->n_modules = sites->modules.n_written;
    for (unsigned i = 0; i < stack->n; i++)
        site->pcs[i] = stack->pcs[i];
    __atomic_store_n(&site->record.kind, AMP_PROFILE_SITE, __ATOMIC_RELEASE);
    return &site->counts;
}

/* Under the lock. */
static struct amp_site add(const struct amp_stack *stack, unsigned bucket, uint64_t hash)
{
    struct amp_site lost = { &amp_region_head()->lost, 0 };
    struct slot *slot;

    if (!sites->index || 4 * sites->index->n >= 3 * sites->index->n_slots) {
        struct index *larger = grow(sites->index);

        if (!larger)
            return lost;
        __atomic_store_n(&sites->index, larger, __ATOMIC_RELEASE);
    }
    slot = find(sites->index, hash);
    if (slot->hash)
        return slot->site;
    slot->site.counts = write(stack, bucket);
    if (!slot->site.counts)
        return lost;
    slot->site.frame = frame_of(stack);
    sites->index->n++;
    __atomic_store_n(&slot->hash, hash, __ATOMIC_RELEASE);
    return slot->site;
}

/* The loader's list is read without our lock, which another thread may want while it holds the loader's. */
static void learn_modules(const struct amp_stack *stack)
{
    struct amp_found found;

    for (unsigned i = 0; i < stack->n; i++) {
        bool is_known;

        amp_lock(&sites->lock);
        is_known = amp_modules_find(&sites->modules, stack->pcs[i] - 1) != NULL;
        amp_unlock(&sites->lock);
        if (is_known)
            continue;
        amp_modules_look(stack->pcs[i] - 1, &found);
        amp_lock(&sites->lock);
        amp_modules_add(&sites->modules, &found);
        amp_unlock(&sites->lock);
    }
}

static struct amp_site add_new(const struct amp_stack *stack, unsigned bucket, uint64_t hash)
{
    struct amp_site site;

    learn_modules(stack);
    amp_lock(&sites->lock);
    site = add(stack, bucket, hash);
    amp_unlock(&sites->lock);
    return site;
}

static bool begin(void)
{
    static struct amp_lock making;
    struct sites *made;

    amp_lock(&making);
    if (!sites && (made = amp_region_map(sizeof *made)) != NULL)
        __atomic_store_n(&sites, made, __ATOMIC_RELEASE);
    amp_unlock(&making);
    return sites != NULL;
}

static struct amp_site look_up(const struct amp_stack *stack, unsigned bucket)
{
    uint64_t hash = hash_of(stack, bucket);
    struct index *index;

    if (!sites && !begin())
        return (struct amp_site){ &amp_region_head()->lost, 0 };
    index = __atomic_load_n(&sites->index, __ATOMIC_ACQUIRE);
    if (index) {
        struct slot *slot = find(index, hash);

        if (slot->hash == hash)
            return slot->site;
    }
    return add_new(stack, bucket, hash);
}

struct amp_site amp_site_of(struct amp_stack *stack, size_t size_b)
{
    unsigned bucket = bucket_of(size_b);
    struct amp_note *note = &stack->notes[bucket % AMP_NOTES];
    uint64_t key = __atomic_load_n(&epoch, __ATOMIC_RELAXED) << 8 | (bucket + 1);
    struct amp_site site;

    if (__builtin_expect(note->key == key, 1))
        return (struct amp_site){ note->value, note->number };
    site = look_up(stack, bucket);
    *note = (struct amp_note){ key, site.counts, site.frame };
    return site;
}

const struct amp_profile_site *amp_site_record(const struct amp_profile_counts *counts)
{
    if (counts == &amp_region_head()->lost)
        return NULL;
    return (const struct amp_profile_site *) ((const char *) counts - offsetof(struct amp_profile_site, counts));
}
