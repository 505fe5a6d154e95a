/* SPDX-License-Identifier: MIT */
#include "harness/profile/samples/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define CHUNK_B 65536
#define FREE_FROM 0x100000000000u /* where code is moved whose addresses are taken: nothing is loaded there */

struct chunk {
    struct chunk *next;
    size_t used_b, size_b;
    char bytes[] __attribute__((aligned(16)));
};

struct known_location {
    struct {
        uint64_t address;
        struct amp_mapping *mapping;
    } key;
    struct amp_location location;
    UT_hash_handle hh;
};

/* The key of a sample: its stack, then bucket and ending. */
struct known_sample {
    struct amp_sample sample;
    void **key;
    UT_hash_handle hh;
};

struct amp_profile_store {
    struct chunk *chunks;
    struct known_location *locations;
    struct known_sample *samples;
    uint64_t free_from;
};

void *amp_profile_alloc(struct amp_profile *profile, size_t size_b)
{
    struct amp_profile_store *store = profile->store;
    struct chunk *chunk = store->chunks;

    size_b = (size_b + 15) / 16 * 16;
    if (!chunk || chunk->used_b + size_b > chunk->size_b) {
        size_t cap = size_b > CHUNK_B ? size_b : CHUNK_B;

        chunk = calloc(1, sizeof *chunk + cap);
        if (!chunk)
            return NULL;
        chunk->size_b = cap;
        chunk->next = store->chunks;
        store->chunks = chunk;
    }
    chunk->used_b += size_b;
    return chunk->bytes + chunk->used_b - size_b;
}

const char *amp_profile_text(struct amp_profile *profile, const char *text)
{
    char *copy = amp_profile_alloc(profile, strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

void amp_profile_free(struct amp_profile *profile)
{
    struct amp_profile_store *store = profile->store;

    if (!store)
        return;
    HASH_CLEAR(hh, store->locations);
    HASH_CLEAR(hh, store->samples);
    for (struct chunk *chunk = store->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(profile->samples);
    free(profile->locations);
    free(profile->mappings);
    free(store);
    *profile = (struct amp_profile){ 0 };
}

bool amp_store_has_room(void *array, size_t n, size_t size_b)
{
    void *old, *larger;

    if (n > 0 && (n & (n - 1)))
        return true;
    memcpy(&old, array, sizeof old);
    larger = realloc(old, (n > 0 ? 2 * n : 1) * size_b);
    if (!larger)
        return false;
    memcpy(array, &larger, sizeof larger);
    return true;
}

static bool overlaps(const struct amp_profile *profile, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < profile->n_mappings; i++)
        if (start < profile->mappings[i]->end && profile->mappings[i]->start < end)
            return true;
    return false;
}

const char *amp_store_file_name(const char *path)
{
    const char *last = path ? strrchr(path, '/') : NULL;

    return last ? last + 1 : path;
}

bool amp_store_is_named(const char *path, const char *beginning)
{
    return strncmp(amp_store_file_name(path), beginning, strlen(beginning)) == 0;
}

static bool is_library_of_c(const char *path)
{
    return amp_store_is_named(path, "libc.so") || amp_store_is_named(path, "libc-2") ||
           amp_store_is_named(path, "libstdc++.so") || amp_store_is_named(path, "libc++.so") ||
           amp_store_is_named(path, "ld-");
}

struct amp_mapping *amp_store_mapping(struct amp_profile *profile, const struct amp_mapping *wanted)
{
    uint64_t size_b = wanted->end - wanted->start, moved = 0;
    struct amp_mapping *mapping;

    for (size_t i = 0; i < profile->n_mappings; i++) {
        mapping = profile->mappings[i];
        if (mapping->offset == wanted->offset && mapping->end - mapping->start == size_b &&
            strcmp(mapping->path, wanted->path) == 0)
            return mapping;
    }
    mapping = amp_profile_alloc(profile, sizeof *mapping);
    if (!mapping || !amp_store_has_room(&profile->mappings, profile->n_mappings, sizeof *profile->mappings))
        return NULL;
    if (overlaps(profile, wanted->start, wanted->end)) {
        moved = profile->store->free_from - wanted->start;
        profile->store->free_from += (size_b + 0xfffff) & ~(uint64_t) 0xfffff;
    }
    mapping->path = amp_profile_text(profile, wanted->path);
    mapping->start = wanted->start + moved;
    mapping->end = wanted->end + moved;
    mapping->bias = wanted->bias + moved;
    mapping->offset = wanted->offset;
    mapping->is_library_of_c = is_library_of_c(wanted->path);
    if (!mapping->path)
        return NULL;
    profile->mappings[profile->n_mappings++] = mapping;
    return mapping;
}

struct amp_location *amp_store_location(struct amp_profile *profile, uint64_t address, struct amp_mapping *mapping)
{
    struct known_location *known, *wanted = amp_profile_alloc(profile, sizeof *wanted);
    size_t before;

    if (!wanted)
        return NULL;
    wanted->key.address = address;
    wanted->key.mapping = mapping;
    HASH_FIND(hh, profile->store->locations, &wanted->key, sizeof wanted->key, known);
    if (known)
        return &known->location; /* `wanted` stays unused: there are few places, and many stacks share them */
    if (!amp_store_has_room(&profile->locations, profile->n_locations, sizeof *profile->locations))
        return NULL;
    before = HASH_COUNT(profile->store->locations);
    wanted->location = (struct amp_location){ .address = address, .mapping = mapping, .id = profile->n_locations + 1 };
    HASH_ADD(hh, profile->store->locations, key, sizeof wanted->key, wanted);
    if (HASH_COUNT(profile->store->locations) == before)
        return NULL;
    profile->locations[profile->n_locations++] = &wanted->location;
    return &wanted->location;
}

struct amp_sample *amp_store_sample(struct amp_profile *profile, struct amp_location **stack, size_t n, uint32_t bucket,
                                    enum amp_stack_ending ending)
{
    size_t key_b = (n + 1) * sizeof(void *), before = HASH_COUNT(profile->store->samples);
    void **key = amp_profile_alloc(profile, key_b);
    struct known_sample *known;

    if (!key)
        return NULL;
    memcpy(key, stack, n * sizeof *stack);
    key[n] = (void *) ((uintptr_t) bucket << 8 | ending);
    HASH_FIND(hh, profile->store->samples, key, key_b, known);
    if (known)
        return &known->sample;
    known = amp_profile_alloc(profile, sizeof *known);
    if (!known)
        return NULL;
    known->key = key;
    known->sample.n = n;
    known->sample.stack = (struct amp_location **) key;
    known->sample.bucket = bucket;
    known->sample.ending = ending;
    HASH_ADD_KEYPTR(hh, profile->store->samples, known->key, key_b, known);
    return HASH_COUNT(profile->store->samples) == before ? NULL : &known->sample;
}

struct amp_location *amp_store_outermost(const struct amp_profile *profile, bool is_base)
{
    const struct amp_sample *most = NULL;

    for (const struct known_sample *known = profile->store->samples; known; known = known->hh.next) {
        const struct amp_sample *sample = &known->sample;

        if (sample->is_base == is_base && sample->n > 0 && (!most || llabs(sample->values[0]) > llabs(most->values[0])))
            most = sample;
    }
    return most ? most->stack[most->n - 1] : NULL;
}

int amp_store_begin(struct amp_profile *out)
{
    *out = (struct amp_profile){ .store = calloc(1, sizeof *out->store) };
    if (!out->store)
        return -ENOMEM;
    out->store->free_from = FREE_FROM;
    return 0;
}

int amp_store_finish(struct amp_profile *profile)
{
    size_t n = HASH_COUNT(profile->store->samples);

    profile->samples = calloc(n + 1, sizeof *profile->samples);
    if (!profile->samples)
        return -ENOMEM;
    for (struct known_sample *known = profile->store->samples; known; known = known->hh.next)
        profile->samples[profile->n_samples++] = known->sample;
    return 0;
}
