/* SPDX-License-Identifier: MIT
 *
 * They never move and never end. */
#include "harness/profile/record/births.h"

#include "harness/profile/record/index.h"
#include "harness/profile/record/region.h"
#include "harness/profile/unwind/thread.h"

#define BLOCK_BITS 12 /* of births that are mapped at once */
#define BLOCK ((uint32_t) 1 << BLOCK_BITS)

/* Of this process alone. */
struct births {
    struct amp_lock lock;
    struct amp_index index;
    uint32_t n;
    struct amp_birth *blocks[1 << (AMP_BIRTH_BITS - BLOCK_BITS)];
};

static AMP_HOT struct births *births;

static bool begin(void)
{
    static struct amp_lock making;
    struct births *made;

    amp_lock(&making);
    if (!births && (made = amp_region_map(sizeof *made)) != NULL)
        __atomic_store_n(&births, made, __ATOMIC_RELEASE);
    amp_unlock(&making);
    return births != NULL;
}

/* Where frame `i` of the stack finds its return address. */
static struct amp_birth_place place_of(const struct amp_stack *stack, uint32_t i)
{
    if (i + 1 >= stack->n)
        return (struct amp_birth_place){ 0, 0 };
    return (struct amp_birth_place){ (uint32_t) ((uintptr_t) stack->words[i].at / sizeof(uintptr_t)),
                                     (uint32_t) stack->words[i].value };
}

static uint64_t hash_of(const struct amp_birth *birth)
{
    uint64_t hash = ((uintptr_t) birth->site ^ birth->size_b << 40) * 0x9e3779b97f4a7c15u;

    hash = (hash ^ hash >> 32 ^ birth->size_b ^ (uint64_t) birth->weight << 20) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 32 ^ ((uint64_t) birth->frame.packed << 32 | birth->caller.packed)) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 32;
}

/* Under the lock. */
static struct amp_birth *add(const struct amp_birth *birth, uint64_t hash)
{
    uint32_t number = births->n + 1;
    struct amp_birth **block, *at;

    if (number >> AMP_BIRTH_BITS)
        return NULL;
    block = &births->blocks[number >> BLOCK_BITS];
    if (!*block)
        *block = amp_region_map(BLOCK * sizeof **block);
    if (!*block)
        return NULL;
    at = &(*block)[number % BLOCK];
    *at = *birth;
    at->number = number;
    if (!amp_index_add(&births->index, hash, at))
        return NULL;
    births->n = number;
    return at;
}

const struct amp_birth *amp_birth_of(const struct amp_stack *stack, size_t size_b, uint32_t weight)
{
    struct amp_birth birth = { .site = amp_site_of(stack, size_b), .size_b = size_b, .weight = weight };
    struct amp_birth *found;
    uint64_t hash;

    if (birth.site) {
        birth.frame = place_of(stack, birth.site->frame);
        birth.caller = place_of(stack, birth.site->frame + 1u);
    }
    if (!births && !begin())
        return NULL;
    hash = hash_of(&birth);
    found = amp_index_find(&births->index, hash);
    if (found)
        return found;
    amp_lock(&births->lock);
    found = amp_index_find(&births->index, hash);
    if (!found)
        found = add(&birth, hash);
    amp_unlock(&births->lock);
    return found;
}

const struct amp_birth *amp_birth_at(uint32_t number)
{
    return &births->blocks[number >> BLOCK_BITS][number % BLOCK];
}
