/* SPDX-License-Identifier: MIT
 *
 * What jemalloc reports about itself (every opt.*), and effects that its arenas show:
 *
 *     counters_move          thread.allocated and stats.allocated grow by what was allocated, and shrink again
 *     tcached_max_b          the largest size class that is allocated and freed without the arena, 0: none
 *     arenas                 arenas that the blocks of 8 threads, all alive, come from
 *     automatic_arenas       arenas that jemalloc chooses from, which may be fewer than opt.narenas
 *     highest_arena          highest number of an arena that a block came from. With percpu_arena the CPU's number,
 *                            even if there are fewer arenas; those beyond are in no statistics
 *     arena_by_cpu           two threads on a CPU share an arena, and threads on different CPUs do not
 *     oversize_least_b       the least block, of powers of two from 64 KiB, from an arena of its own, 0: none
 *     retained_mapped_b      of 64 MiB freed and purged, how much address space is still kept
 *     metadata_huge_b        mappings advised to be in huge pages before the program asked for large blocks */
#include "harness/allocators/provenance/probe.h"

#include "harness/machine/jemalloc_options.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t) 1 << 20)
#define MAX_ARENA 8192u
#define MAX_CPUS 32u /* half of the threads that can live at the same time */

static int (*mallctl)(const char *, void *, size_t *, void *, size_t);

/* 0 if there is no such number. Some are 64 bits wide, some a size_t, some unsigned. */
static uint64_t read_number(const char *name)
{
    uint64_t wide = 0;
    unsigned narrow = 0;
    size_t size = sizeof wide;

    if (mallctl(name, &wide, &size, NULL, 0) == 0)
        return wide;
    size = sizeof narrow;
    return mallctl(name, &narrow, &size, NULL, 0) == 0 ? narrow : 0;
}

static void refresh(void)
{
    uint64_t epoch = 1;

    mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
}

static uint64_t read_now(const char *name)
{
    refresh();
    return read_number(name);
}

static void purge(void)
{
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
}

/* ---- Its words */

static void read_options(struct amp_probe *probe)
{
    json_t *options = amp_jemalloc_options((amp_stats_print) amp_probe_symbol(probe, "malloc_stats_print"));

    json_object_update(probe->read_back, options);
    json_decref(options);
    /* Set like an option, but reported under another name. */
    json_object_set_new(probe->read_back, "opt.max_background_threads",
                        json_integer((json_int_t) read_number("max_background_threads")));
}

/* ---- Its behaviour */

static void look_at_counters(struct amp_probe *probe)
{
    const size_t size = 4 * MIB;
    uint64_t before = read_now("thread.allocated"), stats_before = read_now("stats.allocated");
    void *block = malloc(size);
    uint64_t during = read_now("thread.allocated"), stats_during = read_now("stats.allocated"), stats_after;

    amp_probe_touch(block, size);
    free(block);
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    stats_after = read_now("stats.allocated");
    amp_probe_effect_bool(probe, "counters_move",
                          during - before >= size && during - before < 2 * size &&
                              stats_during >= stats_before + size && stats_after + size <= stats_during);
}

/* How often the arenas gave out blocks of the i-th class of a kind ("bins" or "lextents"). */
static uint64_t given(const char *kind, unsigned i)
{
    char name[96];

    snprintf(name, sizeof name, "stats.arenas.4096.%s.%u.nmalloc", kind, i);
    return read_now(name);
}

static bool is_cached(const char *kind, unsigned i, size_t size)
{
    enum { WARM = 4, PAIRS = 64 };
    uint64_t begin = 0;

    for (int pair = 0; pair < WARM + PAIRS; pair++) {
        void *volatile block;

        if (pair == WARM)
            begin = given(kind, i);
        block = malloc(size);
        free(block);
    }
    return given(kind, i) - begin < PAIRS / 2; /* a cache is refilled now and then */
}

static void look_at_cache(struct amp_probe *probe)
{
    static const struct {
        const char *count, *size, *kind;
    } kinds[] = { { "arenas.nbins", "arenas.bin.%u.size", "bins" },
                  { "arenas.nlextents", "arenas.lextent.%u.size", "lextents" } };
    size_t largest = 0;

    for (size_t k = 0; k < 2; k++) {
        for (unsigned i = 0, n = (unsigned) read_number(kinds[k].count); i < n; i++) {
            char name[64];
            size_t size_b;

            snprintf(name, sizeof name, kinds[k].size, i);
            size_b = (size_t) read_number(name);
            if (size_b == 0 || size_b > 8 * MIB)
                break;
            if (is_cached(kinds[k].kind, i, size_b))
                largest = size_b;
        }
    }
    amp_probe_effect(probe, "tcached_max_b", largest);
}

static unsigned arena_of(void *block)
{
    unsigned arena = MAX_ARENA;
    size_t size = sizeof arena;

    return mallctl("arenas.lookup", &arena, &size, &block, sizeof block) == 0 && arena < MAX_ARENA ? arena : MAX_ARENA;
}

/* Which arena a small block of each thread is from. */
struct arenas {
    unsigned n, of[64];
    const size_t *cpus; /* two threads on each CPU, one CPU after the other; NULL: on any CPU */
};

static void see(void *opaque)
{
    struct arenas *arenas = opaque;
    cpu_set_t one;
    void *block;

    if (arenas->cpus) {
        CPU_ZERO(&one);
        CPU_SET(arenas->cpus[arenas->n / 2], &one);
        sched_setaffinity(0, sizeof one, &one); /* pins this thread; the CPU is one of those allowed */
    }
    block = malloc(100);
    amp_probe_touch(block, 100);
    arenas->of[arenas->n++] = arena_of(block);
    free(block);
}

static unsigned different(const struct arenas *arenas)
{
    unsigned n = 0;

    for (unsigned i = 0; i < arenas->n; i++) {
        bool is_new = true;

        for (unsigned j = 0; j < i; j++)
            is_new = is_new && arenas->of[j] != arenas->of[i];
        n += is_new;
    }
    return n;
}

static unsigned highest(const struct arenas *one, const struct arenas *other)
{
    unsigned index = 0;

    for (unsigned i = 0; i < one->n; i++)
        index = one->of[i] > index ? one->of[i] : index;
    for (unsigned i = 0; i < other->n; i++)
        index = other->of[i] > index ? other->of[i] : index;
    return index;
}

/* The CPUs that this process may use, whichever they are; of many, the first ones. */
static unsigned find_cpus(size_t out[MAX_CPUS])
{
    cpu_set_t allowed;
    unsigned n = 0;

    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && n < MAX_CPUS; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            out[n++] = cpu;
    return n;
}

static void look_at_arenas(struct amp_probe *probe)
{
    size_t list[MAX_CPUS];
    unsigned cpus = find_cpus(list);
    struct arenas loose = { 0 }, pinned = { .cpus = list };
    bool is_shared = cpus > 0;

    amp_probe_in_threads(8, see, &loose);
    amp_probe_effect(probe, "arenas", different(&loose));
    amp_probe_in_threads(2 * cpus, see, &pinned);
    for (unsigned i = 0; i + 1 < pinned.n; i += 2)
        is_shared = is_shared && pinned.of[i] == pinned.of[i + 1];
    amp_probe_effect_bool(probe, "arena_by_cpu", is_shared && different(&pinned) == cpus);
    amp_probe_effect(probe, "automatic_arenas",
                     read_number("arenas.narenas") - (read_number("opt.oversize_threshold") > 0)); /* it has one */
    amp_probe_effect(probe, "highest_arena", highest(&loose, &pinned));
}

/* Compare with the arena of a small block that was allocated just before: on another CPU a thread may change arenas. */
static void look_at_oversize(struct amp_probe *probe)
{
    size_t least = 0;

    for (size_t size = 64 << 10; size <= 256 * MIB && least == 0; size *= 2) {
        int apart = 0;

        for (int i = 0; i < 3; i++) {
            void *small, *large;

            mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
            small = malloc(100);
            large = malloc(size);
            apart += large && arena_of(small) != arena_of(large);
            free(small);
            free(large);
        }
        if (apart == 3)
            least = size;
    }
    amp_probe_effect(probe, "oversize_least_b", least);
}

/* Blocks larger than any cache holds, allocated one by one and freed together. */
static void look_at_retained(struct amp_probe *probe)
{
    enum { BLOCKS = 64 };
    static void *blocks[BLOCKS];
    struct amp_probe_maps before, after;
    bool has_before = amp_probe_maps(NULL, 0, &before);

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(MIB);
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    purge();
    if (has_before && amp_probe_maps(NULL, 0, &after))
        amp_probe_effect(probe, "retained_mapped_b",
                         after.mapped_b > before.mapped_b ? after.mapped_b - before.mapped_b : 0);
}

bool amp_probe_jemalloc(struct amp_probe *probe)
{
    const char *version = NULL;
    size_t size = sizeof version;
    struct amp_probe_maps maps;

    mallctl = (int (*)(const char *, void *, size_t *, void *, size_t)) amp_probe_symbol(probe, "mallctl");
    if (!mallctl || mallctl("version", &version, &size, NULL, 0) || !version)
        return false;
    probe->source = "mallctl opt.*";
    probe->version = json_string(version);
    if (amp_probe_maps(NULL, 0, &maps))
        amp_probe_effect(probe, "metadata_huge_b", maps.advised_b);
    read_options(probe);
    look_at_retained(probe);
    look_at_counters(probe);
    look_at_cache(probe);
    look_at_oversize(probe);
    look_at_arenas(probe);
    purge();
    return true;
}
