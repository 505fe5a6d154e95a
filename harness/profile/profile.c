/* SPDX-License-Identifier: MIT */
#include "harness/profile/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
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

/* Room for one more in an array that doubles. */
static bool has_room(void *array, size_t n, size_t size_b)
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

static bool is_named(const char *path, const char *beginning)
{
    const char *last = strrchr(path, '/');

    return strncmp(last ? last + 1 : path, beginning, strlen(beginning)) == 0;
}

static bool is_library_of_c(const char *path)
{
    return is_named(path, "libc.so") || is_named(path, "libc-2") || is_named(path, "libstdc++.so") ||
           is_named(path, "libc++.so") || is_named(path, "ld-");
}

static struct amp_mapping *find_mapping(struct amp_profile *profile, const struct amp_profile_module *module)
{
    uint64_t size_b = module->end - module->start, moved = 0;
    struct amp_mapping *mapping;

    for (size_t i = 0; i < profile->n_mappings; i++) {
        mapping = profile->mappings[i];
        if (mapping->offset == module->offset && mapping->end - mapping->start == size_b &&
            strcmp(mapping->path, module->path) == 0)
            return mapping;
    }
    mapping = amp_profile_alloc(profile, sizeof *mapping);
    if (!mapping || !has_room(&profile->mappings, profile->n_mappings, sizeof *profile->mappings))
        return NULL;
    if (overlaps(profile, module->start, module->end)) {
        moved = profile->store->free_from - module->start;
        profile->store->free_from += (size_b + 0xfffff) & ~(uint64_t) 0xfffff;
    }
    mapping->path = amp_profile_text(profile, module->path);
    mapping->start = module->start + moved;
    mapping->end = module->end + moved;
    mapping->bias = module->bias + moved;
    mapping->offset = module->offset;
    mapping->is_library_of_c = is_library_of_c(module->path);
    if (!mapping->path)
        return NULL;
    profile->mappings[profile->n_mappings++] = mapping;
    return mapping;
}

static struct amp_location *find_location(struct amp_profile *profile, uint64_t address, struct amp_mapping *mapping)
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
    if (!has_room(&profile->locations, profile->n_locations, sizeof *profile->locations))
        return NULL;
    before = HASH_COUNT(profile->store->locations);
    wanted->location = (struct amp_location){ .address = address, .mapping = mapping, .id = profile->n_locations + 1 };
    HASH_ADD(hh, profile->store->locations, key, sizeof wanted->key, wanted);
    if (HASH_COUNT(profile->store->locations) == before)
        return NULL;
    profile->locations[profile->n_locations++] = &wanted->location;
    return &wanted->location;
}

/* A process's file in memory, and the modules that it named up to now. */
struct reading {
    struct amp_profile *profile;
    const char *bytes;
    size_t n_modules;
    const struct amp_profile_module **modules;
    struct amp_mapping **mappings;
};

static int add_module(struct reading *r, const struct amp_profile_module *module)
{
    if (!has_room(&r->modules, r->n_modules, sizeof *r->modules) ||
        !has_room(&r->mappings, r->n_modules, sizeof *r->mappings))
        return -ENOMEM;
    r->modules[r->n_modules] = module;
    r->mappings[r->n_modules] = find_mapping(r->profile, module);
    return r->mappings[r->n_modules++] ? 0 : -ENOMEM;
}

/* Where a return address lies, in the profile's addresses. */
static struct amp_location *locate(const struct reading *r, const struct amp_profile_site *site, uint64_t pc)
{
    for (size_t i = site->n_modules < r->n_modules ? site->n_modules : r->n_modules; i > 0; i--) {
        const struct amp_profile_module *module = r->modules[i - 1];

        if (pc - 1 >= module->start && pc - 1 < module->end)
            return find_location(r->profile, pc - 1 - module->start + r->mappings[i - 1]->start, r->mappings[i - 1]);
    }
    return find_location(r->profile, pc - 1, NULL);
}

static uint64_t now(const uint64_t *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* What ended is read first: a process that runs has begun more meanwhile, never less. */
static void add_counts(struct amp_profile_counts *to, const struct amp_profile_counts *from)
{
    to->died_in_frame += now(&from->died_in_frame);
    to->died_in_caller += now(&from->died_in_caller);
    to->frees += now(&from->frees);
    to->freed_b += now(&from->freed_b);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    to->allocs += now(&from->allocs);
    to->bytes += now(&from->bytes);
}

/* Where the loader starts a process, it has no unwind table: nothing lies beyond. */
static enum amp_stack_ending ending_of(const struct amp_profile_site *site, const struct amp_location *last)
{
    if (site->ending == AMP_STACK_BROKEN && last && last->mapping && is_named(last->mapping->path, "ld-"))
        return AMP_STACK_WHOLE;
    return (enum amp_stack_ending) site->ending;
}

static int add_site(struct reading *r, const struct amp_profile_site *site)
{
    struct amp_profile *profile = r->profile;
    size_t n = site->n, key_b = (n + 1) * sizeof(void *), before = HASH_COUNT(profile->store->samples);
    void **key = amp_profile_alloc(profile, key_b);
    enum amp_stack_ending ending;
    struct known_sample *known;

    for (size_t i = 0; key && i < n; i++)
        if (!(key[i] = locate(r, site, site->pcs[i])))
            return -ENOMEM;
    if (!key)
        return -ENOMEM;
    ending = ending_of(site, n > 0 ? key[n - 1] : NULL);
    key[n] = (void *) ((uintptr_t) site->bucket << 8 | ending);
    HASH_FIND(hh, profile->store->samples, key, key_b, known);
    if (!known) {
        known = amp_profile_alloc(profile, sizeof *known);
        if (!known)
            return -ENOMEM;
        known->key = key;
        known->sample.n = n;
        known->sample.stack = (struct amp_location **) key;
        known->sample.bucket = site->bucket;
        known->sample.ending = ending;
        HASH_ADD_KEYPTR(hh, profile->store->samples, known->key, key_b, known);
        if (HASH_COUNT(profile->store->samples) == before)
            return -ENOMEM;
    }
    add_counts(&known->sample.counts, &site->counts);
    return 0;
}

static int read_segment(struct reading *r, size_t at, size_t end)
{
    while (at + sizeof(struct amp_profile_record) <= end) {
        const struct amp_profile_record *record = (const void *) (r->bytes + at);
        uint32_t kind = __atomic_load_n(&record->kind, __ATOMIC_ACQUIRE), size_b = record->size_b;
        int err;

        if (kind == AMP_PROFILE_END)
            return 0;
        if (size_b < sizeof *record || size_b > end - at)
            return -EBADMSG;
        err = kind == AMP_PROFILE_MODULE ? add_module(r, (const void *) record) : add_site(r, (const void *) record);
        if (err)
            return err;
        at += size_b;
    }
    return 0;
}

static int read_process(struct amp_profile *profile, const char *bytes, size_t length)
{
    const struct amp_profile_head *head = (const void *) bytes;
    struct reading r = { .profile = profile, .bytes = bytes };
    int err = 0;

    if (length < sizeof *head || __atomic_load_n(&head->magic, __ATOMIC_ACQUIRE) != AMP_PROFILE_MAGIC)
        return 0; /* it has just been made */
    for (size_t at = 0; !err && at + AMP_PROFILE_SEGMENT_B <= length; at += AMP_PROFILE_SEGMENT_B)
        err = read_segment(&r, at == 0 ? sizeof *head : at, at + AMP_PROFILE_SEGMENT_B);
    if (profile->n_processes == 0 || head->begin_ns < profile->begin_ns)
        profile->begin_ns = head->begin_ns;
    add_counts(&profile->total, &head->lost);
    profile->lost += now(&head->lost.allocs);
    profile->unrecorded += now(&head->unrecorded);
    profile->untracked += now(&head->untracked);
    profile->failed += now(&head->failed);
    profile->n_processes++;
    free(r.modules);
    free(r.mappings);
    return err;
}

static int read_file(struct amp_profile *profile, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat found;
    int err = 0, fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &found))
        err = -errno;
    if (!err && found.st_size > 0) {
        void *bytes = mmap(NULL, (size_t) found.st_size, PROT_READ, MAP_SHARED, fd, 0);

        err = bytes == MAP_FAILED ? -errno : read_process(profile, bytes, (size_t) found.st_size);
        if (bytes != MAP_FAILED)
            munmap(bytes, (size_t) found.st_size);
    }
    close(fd);
    return err;
}

/* Samples in an array, and their sum. */
static int finish(struct amp_profile *profile)
{
    size_t n = HASH_COUNT(profile->store->samples);

    profile->samples = calloc(n + 1, sizeof *profile->samples);
    if (!profile->samples)
        return -ENOMEM;
    for (struct known_sample *known = profile->store->samples; known; known = known->hh.next) {
        profile->samples[profile->n_samples++] = known->sample;
        add_counts(&profile->total, &known->sample.counts);
    }
    return 0;
}

int amp_profile_read(const char *folder, struct amp_profile *out)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, versionsort), err = n < 0 ? -errno : 0;

    *out = (struct amp_profile){ .store = calloc(1, sizeof *out->store) };
    if (!out->store)
        err = -ENOMEM;
    else
        out->store->free_from = FREE_FROM;
    for (int i = 0; i < n; i++) {
        if (!err && names[i]->d_name[0] != '.')
            err = read_file(out, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (!err)
        err = finish(out);
    if (err)
        amp_profile_free(out);
    return err;
}
