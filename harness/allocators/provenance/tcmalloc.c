/* SPDX-License-Identifier: MIT
 *
 * tcmalloc of gperftools reports some settings by MallocExtension, with the value in use, and others by the variables
 * into which it reads its environment; they are named like gflags. Other settings cannot be read back.
 *
 *     counters_move          generic.current_allocated_bytes grows by what was allocated
 *     thread_cache_b         the bytes in the threads' caches after 64 MiB of blocks of 8 KiB were freed */
#include "harness/allocators/provenance/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t) 1 << 20)

static int (*numeric)(const char *, size_t *);

static void read_numeric(struct amp_probe *probe, const char *variable, const char *property, bool is_bool)
{
    size_t value;

    if (!numeric(property, &value))
        return;
    json_object_set_new(probe->read_back, variable, is_bool ? json_boolean(value) : json_integer((json_int_t) value));
}

/* gflags' name for a flag of a type, as C++ spells it. */
static void *flag(const struct amp_probe *probe, const char *type, const char *name)
{
    char space[128], variable[96], symbol[256];

    snprintf(space, sizeof space, "FLAG__namespace_do_not_use_directly_use_DECLARE_%s_instead", type);
    snprintf(variable, sizeof variable, "FLAGS_%s", name);
    snprintf(symbol, sizeof symbol, "_ZN%zu%s%zu%sE", strlen(space), space, strlen(variable), variable);
    return amp_probe_symbol(probe, symbol);
}

static void read_flags(struct amp_probe *probe)
{
    static const struct {
        const char *variable, *type, *name;
    } flags[] = {
        { "TCMALLOC_RELEASE_RATE", "double", "tcmalloc_release_rate" },
        { "TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD", "int64", "tcmalloc_large_alloc_report_threshold" },
        { "TCMALLOC_SAMPLE_PARAMETER", "int64", "tcmalloc_sample_parameter" },
        { "TCMALLOC_SKIP_MMAP", "bool", "malloc_skip_mmap" },
        { "TCMALLOC_SKIP_SBRK", "bool", "malloc_skip_sbrk" },
        { "TCMALLOC_DISABLE_MEMORY_RELEASE", "bool", "malloc_disable_memory_release" },
        { "TCMALLOC_DEVMEM_START", "int32", "malloc_devmem_start" },
        { "TCMALLOC_DEVMEM_LIMIT", "int32", "malloc_devmem_limit" },
        { "TCMALLOC_MEMFS_LIMIT_MB", "int64", "memfs_malloc_limit_mb" },
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const void *at = flag(probe, flags[i].type, flags[i].name);
        json_t *value = NULL;

        if (!at)
            continue;
        if (strcmp(flags[i].type, "double") == 0)
            value = json_real(*(const double *) at);
        else if (strcmp(flags[i].type, "bool") == 0)
            value = json_boolean(*(const bool *) at);
        else if (strcmp(flags[i].type, "int64") == 0)
            value = json_integer(*(const int64_t *) at);
        else
            value = json_integer(*(const int32_t *) at);
        json_object_set_new(probe->read_back, flags[i].variable, value);
    }
}

static size_t allocated(void)
{
    size_t value = 0;

    return numeric("generic.current_allocated_bytes", &value) ? value : 0;
}

static void look_at_counters(struct amp_probe *probe)
{
    const size_t size = 4 * MIB;
    size_t before = allocated(), during;
    void *block = malloc(size);

    amp_probe_touch(block, size);
    during = allocated();
    free(block);
    amp_probe_effect_bool(probe, "counters_move", during >= before + size && allocated() + size <= during);
}

static void look_at_caches(struct amp_probe *probe)
{
    enum { BLOCKS = 8192, SIZE = 8192, TURNS = 8 };
    static void *blocks[BLOCKS];
    size_t value;

    for (int turn = 0; turn < TURNS; turn++) { /* a cache grows slowly */
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = malloc(SIZE);
            amp_probe_touch(blocks[i], SIZE);
        }
        for (size_t i = 0; i < BLOCKS; i++)
            free(blocks[i]);
    }
    if (numeric("tcmalloc.current_total_thread_cache_bytes", &value))
        amp_probe_effect(probe, "thread_cache_b", value);
}

bool amp_probe_tcmalloc(struct amp_probe *probe)
{
    const char *(*version)(int *, int *, const char **) =
        (const char *(*) (int *, int *, const char **) ) amp_probe_symbol(probe, "tc_version");
    int major, minor;
    const char *patch;

    numeric = (int (*)(const char *, size_t *)) amp_probe_symbol(probe, "MallocExtension_GetNumericProperty");
    if (!version || !numeric)
        return false;
    probe->source = "MallocExtension";
    probe->version = json_string(version(&major, &minor, &patch));
    read_numeric(probe, "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES", "tcmalloc.max_total_thread_cache_bytes", false);
    read_numeric(probe, "TCMALLOC_AGGRESSIVE_DECOMMIT", "tcmalloc.aggressive_memory_decommit", true);
    read_numeric(probe, "TCMALLOC_HEAP_LIMIT_MB", "tcmalloc.heap_limit_mb", false);
    read_flags(probe);
    look_at_counters(probe);
    look_at_caches(probe);
    return true;
}
