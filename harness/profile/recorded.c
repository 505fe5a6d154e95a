/* SPDX-License-Identifier: MIT */
#include "harness/profile/recorded.h"

#include "harness/profile/samples/store.h"

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

/* A process's file in memory, and the modules that it named up to now. */
struct reading {
    struct amp_profile *profile;
    const char *bytes;
    struct amp_location *owner; /* the outermost place of each stack; NULL: none is added */
    size_t n_modules;
    const struct amp_profile_module **modules;
    struct amp_mapping **mappings;
};

static int add_module(struct reading *r, const struct amp_profile_module *module)
{
    const struct amp_mapping wanted = { .path = module->path, .start = module->start, .end = module->end,
                                        .offset = module->offset, .bias = module->bias };

    if (!amp_store_has_room(&r->modules, r->n_modules, sizeof *r->modules) ||
        !amp_store_has_room(&r->mappings, r->n_modules, sizeof *r->mappings))
        return -ENOMEM;
    r->modules[r->n_modules] = module;
    r->mappings[r->n_modules] = amp_store_mapping(r->profile, &wanted);
    return r->mappings[r->n_modules++] ? 0 : -ENOMEM;
}

/* Where a return address lies, in the profile's addresses. */
static struct amp_location *locate(const struct reading *r, const struct amp_profile_site *site, uint64_t pc)
{
    for (size_t i = site->n_modules < r->n_modules ? site->n_modules : r->n_modules; i > 0; i--) {
        const struct amp_profile_module *module = r->modules[i - 1];

        if (pc - 1 >= module->start && pc - 1 < module->end)
            return amp_store_location(r->profile, pc - 1 - module->start + r->mappings[i - 1]->start, r->mappings[i - 1]);
    }
    return amp_store_location(r->profile, pc - 1, NULL);
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
    if (site->ending == AMP_STACK_BROKEN && last && last->mapping && amp_store_is_named(last->mapping->path, "ld-"))
        return AMP_STACK_WHOLE;
    return (enum amp_stack_ending) site->ending;
}

static int add_site(struct reading *r, const struct amp_profile_site *site)
{
    struct amp_location *stack[AMP_STACK_FRAMES + 1];
    size_t n = site->n < AMP_STACK_FRAMES ? site->n : AMP_STACK_FRAMES;
    enum amp_stack_ending ending;
    struct amp_sample *sample;

    for (size_t i = 0; i < n; i++)
        if (!(stack[i] = locate(r, site, site->pcs[i])))
            return -ENOMEM;
    ending = ending_of(site, n > 0 ? stack[n - 1] : NULL);
    if (r->owner)
        stack[n++] = r->owner;
    sample = amp_store_sample(r->profile, stack, n, site->bucket, ending);
    if (!sample)
        return -ENOMEM;
    add_counts(&sample->counts, &site->counts);
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

/* Find the place that stands for a process among `owners`. False: there is none, and its counts are passed over. */
static bool find_owner(struct reading *r, const struct amp_recorded_owners *owners, int32_t pid, int *err)
{
    for (size_t i = 0; owners && i < owners->n; i++)
        if (owners->pids[i] == pid) {
            owners->are_found[i] = true;
            r->owner = amp_store_location(r->profile, i, NULL);
            *err = r->owner ? 0 : -ENOMEM;
            return true;
        }
    return !owners;
}

static int read_process(struct amp_profile *profile, const struct amp_recorded_owners *owners, const char *bytes,
                        size_t length)
{
    const struct amp_profile_head *head = (const void *) bytes;
    struct reading r = { .profile = profile, .bytes = bytes };
    int err = 0;

    if (length < sizeof *head || __atomic_load_n(&head->magic, __ATOMIC_ACQUIRE) != AMP_PROFILE_MAGIC ||
        !find_owner(&r, owners, head->pid, &err))
        return 0; /* it has just been made, or is not asked for */
    for (size_t at = 0; !err && at + AMP_PROFILE_SEGMENT_B <= length; at += AMP_PROFILE_SEGMENT_B)
        err = read_segment(&r, at == 0 ? sizeof *head : at, at + AMP_PROFILE_SEGMENT_B);
    if (profile->n_processes == 0 || head->begin_ns < profile->begin_ns)
        profile->begin_ns = head->begin_ns;
    add_counts(&profile->total, &head->lost);
    profile->lost += now(&head->lost.allocs);
    profile->unrecorded += now(&head->unrecorded);
    profile->untracked += now(&head->untracked);
    profile->failed += now(&head->failed);
    profile->sampled += now(&head->sampled);
    profile->sample_b = head->sample_b;
    profile->n_processes++;
    free(r.modules);
    free(r.mappings);
    return err;
}

static int read_file(struct amp_profile *profile, const struct amp_recorded_owners *owners, const char *folder,
                     const char *name)
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

        err = bytes == MAP_FAILED ? -errno : read_process(profile, owners, bytes, (size_t) found.st_size);
        if (bytes != MAP_FAILED)
            munmap(bytes, (size_t) found.st_size);
    }
    close(fd);
    return err;
}

static const struct amp_value allocation_types[] = {
    { "alloc_objects", "count" }, { "alloc_space", "bytes" }, { "inuse_objects", "count" }, { "inuse_space", "bytes" }
};
static const struct amp_value tick_types[] = { { "samples", "count" }, { "cpu", "nanoseconds" } };

static void set_types(struct amp_profile *profile, enum amp_recorded kind)
{
    bool is_ticks = kind == AMP_RECORDED_TICKS;

    profile->types = is_ticks ? tick_types : allocation_types;
    profile->n_types = is_ticks ? 2 : 4;
    profile->default_type = is_ticks ? "cpu" : "alloc_space";
    profile->period_type = is_ticks ? tick_types[1] : (struct amp_value){ "space", "bytes" };
    profile->period = is_ticks ? AMP_PROFILE_TICK_NS : profile->sample_b ? profile->sample_b : 1; /* 1: every allocation */
}

static int finish(struct amp_profile *profile, enum amp_recorded kind)
{
    int err = amp_store_finish(profile);

    set_types(profile, kind);
    for (size_t i = 0; i < profile->n_samples; i++) {
        struct amp_sample *sample = &profile->samples[i];
        const struct amp_profile_counts *c = &sample->counts;
        const uint64_t values[] = { c->allocs, c->bytes, c->allocs - c->frees, c->bytes - c->freed_b };

        memcpy(sample->values, values, profile->n_types * sizeof *values);
        add_counts(&profile->total, c);
    }
    return err;
}

int amp_recorded_read_of(const char *folder, enum amp_recorded kind, const struct amp_recorded_owners *owners,
                         struct amp_profile *out)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, versionsort), err = n < 0 ? -errno : 0, begun = amp_store_begin(out);

    err = err ? err : begun;
    for (int i = 0; i < n; i++) {
        if (!err && names[i]->d_name[0] != '.')
            err = read_file(out, owners, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (!err)
        err = finish(out, kind);
    if (err)
        amp_profile_free(out);
    return err;
}

int amp_recorded_read(const char *folder, enum amp_recorded kind, struct amp_profile *out)
{
    return amp_recorded_read_of(folder, kind, NULL, out);
}
