/* SPDX-License-Identifier: MIT
 *
 * The probe as a whole: which allocator is this, what does it report, and what does the operating system see of it? */
#include "harness/allocators/provenance/probe.h"
#include "harness/allocators/provenance/provenance.h"

#include <dlfcn.h>

/* Does one library serve all of malloc's family? If not, there are two allocators in the process. */
static const char *stray(const struct amp_probe *probe)
{
    static const char *const family[] = { "free", "calloc", "realloc", "aligned_alloc", "posix_memalign" };

    for (size_t i = 0; i < sizeof family / sizeof family[0]; i++)
        if (!amp_probe_symbol(probe, family[i]))
            return family[i];
    return NULL;
}

static void look(struct amp_probe *probe)
{
    bool (*const known[])(struct amp_probe *) = { amp_probe_jemalloc, amp_probe_mimalloc, amp_probe_tcmalloc,
                                                  amp_probe_glibc };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i](probe))
            break;
    amp_probe_effects(probe);
}

#define FIELD(member, ...) AMP_FIELD(struct amp_probe, member, __VA_ARGS__)
#define OR_NULL(member) FIELD(member, .is_nullable = true)
const struct amp_record amp_probe_record = {
    AMP_FIELDS(AMP_GROUP("library", AMP_OF(OR_NULL(file), OR_NULL(version), OR_NULL(sha256), OR_NULL(stray))),
               FIELD(source), FIELD(read_back), FIELD(effects)),
};

json_t *amp_provenance_probe(void)
{
    struct amp_probe probe = { .source = "none", .read_back = json_object(), .effects = json_object() };
    void *at = amp_probe_find("malloc");
    Dl_info info = { .dli_fname = "" };

    if (at && dladdr(at, &info) && info.dli_fname) {
        probe.base = info.dli_fbase;
        probe.file = info.dli_fname;
    }
    probe.stray = stray(&probe);
    look(&probe);
    return amp_record_write(&amp_probe_record, &probe);
}
