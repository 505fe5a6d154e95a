/* SPDX-License-Identifier: MIT
 *
 * Facts about the own process: memory, page faults, its allocator. Nothing here allocates before the measured part is
 * over. */
#include "harness/allocators/workload/child.h"

#include "harness/machine/jemalloc_options.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <zlib.h>

#define USAGE(member) AMP_FIELD(struct amp_workload_usage, member)
const struct amp_record amp_workload_usage_record = {
    AMP_FIELDS(AMP_GROUP("faults", AMP_OF(USAGE(minor), USAGE(major))), USAGE(involuntary_switches)),
};

struct amp_workload_usage amp_workload_usage(const struct amp_workload_usage *before)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (struct amp_workload_usage){ (uint64_t) usage.ru_minflt - before->minor,
                                        (uint64_t) usage.ru_majflt - before->major,
                                        (uint64_t) usage.ru_nivcsw - before->involuntary_switches };
}

/* jemalloc's functions, if it is jemalloc: found by name, since this program links no allocator. */
static int (*mallctl_of(void))(const char *, void *, size_t *, void *, size_t)
{
    return (int (*)(const char *, void *, size_t *, void *, size_t)) dlsym(RTLD_DEFAULT, "mallctl");
}

struct amp_in_force amp_workload_in_force(void)
{
    json_t *options = amp_jemalloc_options((amp_stats_print) dlsym(RTLD_DEFAULT, "malloc_stats_print"));
    char *text = json_object_size(options) > 0 ? json_dumps(options, JSON_SORT_KEYS) : NULL;
    void *at = dlsym(RTLD_DEFAULT, "malloc");
    struct amp_in_force found = { "", text ? crc32_z(0, (const Bytef *) text, strlen(text)) : AMP_NONE };
    Dl_info info;

    if (at && dladdr(at, &info) && info.dli_fname)
        found.library = info.dli_fname;
    free(text);
    json_decref(options);
    return found;
}

static bool read_class(int (*mallctl)(const char *, void *, size_t *, void *, size_t), const char *kind,
                       const char *group, unsigned i, struct amp_workload_classes *out)
{
    char name[96];
    size_t class_b, len = sizeof class_b;
    uint64_t allocs;

    snprintf(name, sizeof name, "arenas.%s.%u.size", kind, i);
    if (mallctl(name, &class_b, &len, NULL, 0))
        return false;
    len = sizeof allocs;
    snprintf(name, sizeof name, "stats.arenas.4096.%s.%u.nrequests", group, i);
    if (mallctl(name, &allocs, &len, NULL, 0))
        return false;
    out->list[out->n++] = (struct amp_workload_class){ class_b, allocs };
    return true;
}

bool amp_workload_classes(struct amp_workload_classes *out)
{
    static const struct {
        const char *count, *kind, *group;
    } kinds[] = { { "arenas.nbins", "bin", "bins" }, { "arenas.nlextents", "lextent", "lextents" } };
    int (*mallctl)(const char *, void *, size_t *, void *, size_t) = mallctl_of();
    uint64_t epoch = 1;
    size_t len = sizeof epoch;

    out->n = 0;
    if (!mallctl)
        return false;
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    if (mallctl("epoch", &epoch, &len, &epoch, len))
        return false;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        unsigned n;

        len = sizeof n;
        if (mallctl(kinds[k].count, &n, &len, NULL, 0))
            return false;
        for (unsigned i = 0; i < n && out->n < sizeof out->list / sizeof out->list[0]; i++)
            if (!read_class(mallctl, kinds[k].kind, kinds[k].group, i, out))
                return false;
    }
    return true;
}
