/* SPDX-License-Identifier: MIT
 *
 * Looking a stack up takes no lock. */
#include "harness/profile/record/sites.h"

#include "harness/profile/record/index.h"
#include "harness/profile/record/modules.h"

#include <string.h>

/* Of this process alone. */
struct sites {
    struct amp_lock lock;
    struct amp_index index;
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

    return (hash ^ hash >> 32) * 0xff51afd7ed558ccdu;
}

static uintptr_t pc_of(const struct amp_stack *stack, uint32_t frame)
{
    return frame == 0 ? stack->caller.pc : stack->words[frame - 1].value;
}

/* The first function outside the C and C++ libraries. */
static uint32_t frame_of(const struct amp_stack *stack)
{
    for (uint32_t i = 0; i < stack->n; i++) {
        const struct amp_module *module = amp_modules_find(&sites->modules, pc_of(stack, i) - 1);

        if (!module || !module->is_allocating)
            return i;
    }
    return 0;
}

static struct amp_profile_site *write(const struct amp_stack *stack, unsigned bucket)
{
    struct amp_profile_site *site = amp_region_add(sizeof *site + stack->n * sizeof(uint64_t));

    if (!site)
        return NULL;
    site->n = stack->n;
    site->ending = (uint16_t) stack->ending;
    site->frame = (uint16_t) frame_of(stack);
    site->bucket = bucket;
    site->n_modules = sites->modules.n_written;
    for (uint32_t i = 0; i < stack->n; i++)
        site->pcs[i] = pc_of(stack, i);
    __atomic_store_n(&site->record.kind, AMP_PROFILE_SITE, __ATOMIC_RELEASE);
    return site;
}

/* The loader's list is read without our lock, which another thread may want while it holds the loader's. */
static void learn_modules(const struct amp_stack *stack)
{
    struct amp_found found;

    for (uint32_t i = 0; i < stack->n; i++) {
        const uintptr_t pc = pc_of(stack, i) - 1;
        bool is_known;

        amp_lock(&sites->lock);
        is_known = amp_modules_find(&sites->modules, pc) != NULL;
        amp_unlock(&sites->lock);
        if (is_known)
            continue;
        amp_modules_look(pc, &found);
        amp_lock(&sites->lock);
        amp_modules_add(&sites->modules, &found);
        amp_unlock(&sites->lock);
    }
}

/* There may be no room in the index alone: then each such allocation writes a site of its own, until the file is
 * full. */
static struct amp_profile_site *add(const struct amp_stack *stack, unsigned bucket, uint64_t hash)
{
    struct amp_profile_site *site;

    learn_modules(stack);
    amp_lock(&sites->lock);
    site = amp_index_find(&sites->index, hash);
    if (!site && (site = write(stack, bucket)) != NULL)
        amp_index_add(&sites->index, hash, site);
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

struct amp_profile_site *amp_site_of(const struct amp_stack *stack, size_t size_b)
{
    unsigned bucket = bucket_of(size_b);
    uint64_t hash = hash_of(stack, bucket);
    struct amp_profile_site *site;

    if (!sites && !begin())
        return NULL;
    site = amp_index_find(&sites->index, hash);
    return site ? site : add(stack, bucket, hash);
}
