/* SPDX-License-Identifier: MIT
 *
 * glibc lists its tunables only through its dynamic loader, so the loader of this program is run again in the same
 * environment. Whether malloc uses a tunable, glibc does not say: it silently ignores values out of range (tcache_count
 * above 65535, mmap_threshold above 32 MiB, ...). So each tunable is checked by its effect:
 *
 *     counters_move          mallinfo2's counters grow by what was allocated
 *     tcached_max_b          the largest block that free() keeps in the thread's cache, 0: none
 *     tcached_count          how many blocks of one size the cache holds
 *     fast_max_b             the largest block that goes into a fast bin when the cache is full, 0: none
 *     mmap_least_b           the least block, of powers of two from 1 KiB to 512 MiB, that is mapped alone, 0: none
 *     arenas                 how many exist after 8 threads, all alive, have allocated */
#include "harness/allocators/provenance/probe.h"

#include <ctype.h>
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define MAX_SPENT ((size_t) 128 << 20)
#define MAX_KEPT 70000u /* blocks: more than a tcache_count may be */

static struct amp_probe_glibc_info (*info)(void);
static int (*write_info)(int, FILE *);

/* ---- Its words */

/* "glibc.malloc.arena_max: 0x0 (min: 0x1, max: 0xffffffffffffffff)" */
static void read_tunable(struct amp_probe *probe, char *line)
{
    char *colon = strchr(line, ':'), *value, *end;
    unsigned long long number;

    if (!colon || strncmp(line, "glibc.", strlen("glibc.")) != 0)
        return;
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " ");
    value[strcspn(value, " \n")] = '\0';
    number = strtoull(value, &end, 0);
    if (!isdigit((unsigned char) value[value[0] == '-']) || *end)
        return;
    json_object_set_new(probe->read_back, line,
                        number <= INT64_MAX || value[0] == '-' ? json_integer((json_int_t) number)
                                                               : json_string(value));
}

static void read_tunables(struct amp_probe *probe)
{
    void *loader = (void *) getauxval(AT_BASE);
    Dl_info where;
    char *text = loader && dladdr(loader, &where) && where.dli_fname
                     ? amp_probe_output(where.dli_fname, "--list-tunables", NULL)
                     : NULL;

    for (char *line = text, *next; line && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        read_tunable(probe, line);
    }
    free(text);
}

/* ---- Its behaviour */

static size_t in_use(void)
{
    struct amp_probe_glibc_info now = info();

    return now.uordblks + now.hblkhd;
}

static void look_at_counters(struct amp_probe *probe)
{
    const size_t size = (size_t) 4 << 20;
    size_t before = in_use();
    void *block = malloc(size);
    size_t during = in_use();

    amp_probe_touch(block, size);
    free(block);
    amp_probe_effect_bool(probe, "counters_move", during >= before + size && in_use() + size <= during);
}

/* A block of exactly this size class: malloc may give a larger one if the rest of a chunk is too small for a block. */
static void *exact(size_t size)
{
    void *block = malloc(size);

    while (block && malloc_usable_size(block) >= size + 16) /* that one stays */
        block = malloc(size);
    return block;
}

/* For the arena, a block in a thread's cache is still in use. */
static bool is_cached(size_t size)
{
    void *volatile block = exact(size);
    void *volatile wall = exact(size); /* between it and the top, with which it would be merged */
    size_t before = in_use();
    bool is_kept;

    free(block);
    is_kept = in_use() == before;
    free(wall);
    return is_kept;
}

static size_t largest_cached(void)
{
    size_t largest = 0;

    for (size_t size = 24; size <= 8192 && is_cached(size); size += 16)
        largest = size;
    return largest;
}

static unsigned count_cached(size_t size)
{
    static void *blocks[MAX_KEPT];
    unsigned kept = 0;
    size_t before;

    for (unsigned i = 0; i < MAX_KEPT; i++)
        blocks[i] = exact(size);
    before = in_use();
    for (unsigned i = 0; i < MAX_KEPT; i++) {
        bool is_kept = kept == i;

        free(blocks[i]);
        if (is_kept && in_use() == before)
            kept++;
    }
    return kept;
}

/* Fill the thread's cache first, then look at what the next free does. */
static bool is_fast(size_t size, unsigned cached)
{
    enum { MOST = 64 };
    void *blocks[MOST + 2];
    size_t before = 0;
    bool is_so = false;

    for (unsigned i = 0; i < cached + 2; i++)
        blocks[i] = exact(size);
    for (unsigned i = 0; i < cached + 1; i++) { /* the last stays, between the others and the top */
        before = info().fsmblks;
        free(blocks[i]);
        is_so = info().fsmblks > before;
    }
    free(blocks[cached + 1]);
    return is_so;
}

static void look_at_fast_bins(struct amp_probe *probe, unsigned cached)
{
    size_t largest = 0;

    if (cached > 64)
        return; /* cannot be known */
    for (size_t size = 24; size <= 256 && is_fast(size, cached); size += 16)
        largest = size;
    amp_probe_effect(probe, "fast_max_b", largest);
}

/* Are blocks of this size mapped on their own? glibc decides that only when the heap is full and would have to grow, so
 * allocate until then; false if the heap has room for all that may be spent. Nothing is freed: freeing a mapped block
 * raises the threshold, unless it was set. */
static bool decide(size_t size, bool *is_mapped)
{
    struct amp_probe_glibc_info before = info(), now = before;

    for (size_t spent_b = 0; spent_b <= MAX_SPENT && now.hblks == before.hblks && now.arena == before.arena;
         spent_b += size) {
        if (!malloc(size))
            return false;
        now = info();
    }
    *is_mapped = now.hblks > before.hblks;
    return *is_mapped || now.arena != before.arena;
}

static void look_at_mapped(struct amp_probe *probe)
{
    size_t size = 1024, most = (size_t) 512 << 20;
    bool is_mapped = false;

    for (; size <= most; size *= 2) {
        if (!decide(size, &is_mapped))
            return; /* cannot be known */
        if (is_mapped)
            break;
    }
    amp_probe_effect(probe, "mmap_least_b", is_mapped ? size : 0);
}

static void allocate(void *opaque)
{
    void *block = malloc(100);

    (void) opaque;
    amp_probe_touch(block, 100);
    free(block);
}

static void look_at_arenas(struct amp_probe *probe)
{
    char *text = NULL;
    size_t size;
    uint64_t n = 0;
    FILE *out;

    amp_probe_in_threads(8, allocate, NULL);
    out = open_memstream(&text, &size);
    if (!out || write_info(0, out) || fclose(out))
        return;
    for (const char *at = strstr(text, "<heap nr="); at; at = strstr(at + 1, "<heap nr="))
        n++;
    free(text);
    amp_probe_effect(probe, "arenas", n);
}

bool amp_probe_glibc(struct amp_probe *probe)
{
    const char *(*version)(void);
    size_t largest;
    unsigned cached = 0;

    info = (struct amp_probe_glibc_info(*)(void)) amp_probe_symbol(probe, "mallinfo2");
    version = (const char *(*) (void) ) amp_probe_symbol(probe, "gnu_get_libc_version");
    write_info = (int (*)(int, FILE *)) amp_probe_symbol(probe, "malloc_info");
    if (!info || !version || !write_info)
        return false;
    probe->source = "ld.so --list-tunables";
    probe->version = json_string(version());
    look_at_mapped(probe); /* before any block is freed that was mapped */
    read_tunables(probe);
    look_at_counters(probe);
    largest = largest_cached();
    if (largest > 0)
        cached = count_cached(24);
    amp_probe_effect(probe, "tcached_max_b", largest);
    amp_probe_effect(probe, "tcached_count", cached);
    look_at_fast_bins(probe, cached);
    look_at_arenas(probe);
    return true;
}
