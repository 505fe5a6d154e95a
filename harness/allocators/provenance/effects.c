/* SPDX-License-Identifier: MIT
 *
 * Effects that the operating system sees, whatever an allocator reports about itself:
 *
 *     faults_per_mib         page faults of malloc, touch every page, free, again and again: blocks of 64 KiB
 *     large_faults_per_mib   and of 1 MiB. Pages of 4 KiB given back at each free make 256
 *     huge_b                 of a touched block of 16 MiB, how much is in huge pages
 *     huge_advised_b         and for how much of it huge pages were asked; huge_declined_b: declined
 *     retained_b             of 64 MiB touched and freed, how much is still resident
 *     in_brk                 small blocks lie in the program's break
 *     served_by_libc         the C library's own counters move when malloc is called, so it serves malloc; null if it
 *                            has no such counters
 *     library_threads        threads that this program has not started */
#include "harness/allocators/provenance/probe.h"

#include "harness/text/complain.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((size_t) 1 << 20)
enum { MAPS_B = 8 << 20, BURST = 64 };

void amp_probe_touch(void *block, size_t size)
{
    volatile char *bytes = block;

    if (!block) {
        amp_complain(0, "probe", "malloc(%zu) found no memory", size);
        _exit(71);
    }
    for (size_t at = 0; at < size; at += 4096)
        bytes[at] = 1;
    bytes[size - 1] = 1;
}

/* ---- /proc/self/smaps, read without malloc */

static void read_line(const char *line, struct amp_probe_maps *out, uint64_t *size_b)
{
    static const char *const huge[] = { "AnonHugePages:", "Private_Hugetlb:", "Shared_Hugetlb:" };
    unsigned long long kb;

    if (sscanf(line, "Size: %llu kB", &kb) == 1)
        out->mapped_b += *size_b = kb * 1024;
    else if (sscanf(line, "Rss: %llu kB", &kb) == 1)
        out->resident_b += kb * 1024;
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++)
        if (strncmp(line, huge[i], strlen(huge[i])) == 0)
            out->huge_b += strtoull(line + strlen(huge[i]), NULL, 10) * 1024;
    if (strncmp(line, "VmFlags:", strlen("VmFlags:")) == 0) {
        out->advised_b += strstr(line, " hg") ? *size_b : 0;
        out->declined_b += strstr(line, " nh") ? *size_b : 0;
    }
}

/* Does this line begin a mapping, and is it one of those that are summed? */
static bool begins(const char *line, uintptr_t low, uintptr_t high, bool *is_in, bool *is_brk)
{
    unsigned long long begin, end;

    if (sscanf(line, "%llx-%llx ", &begin, &end) != 2)
        return false;
    *is_in = high == low || (begin < high && end > low);
    *is_brk = *is_in && strstr(line, "[heap]");
    return true;
}

bool amp_probe_maps(const void *at, size_t size, struct amp_probe_maps *out)
{
    static char *text; /* mapped once, so that the mapping itself does not change what is read */
    size_t n = 0;
    ssize_t got = 1;
    int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    bool is_in = false, is_brk = false;
    uint64_t size_b = 0;

    if (!text)
        text = mmap(NULL, MAPS_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (fd < 0 || text == MAP_FAILED)
        return false;
    while (got > 0 && n < MAPS_B - 1) {
        got = read(fd, text + n, MAPS_B - 1 - n);
        n += got > 0 ? (size_t) got : 0;
    }
    close(fd);
    text[n] = '\0';
    *out = (struct amp_probe_maps){ .mapped_b = 0 };
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (begins(line, (uintptr_t) at, (uintptr_t) at + size, &is_in, &is_brk))
            out->in_brk = out->in_brk || is_brk;
        else if (is_in)
            read_line(line, out, &size_b);
    }
    return true;
}

/* ---- The effects */

static uint64_t minor_faults(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t) usage.ru_minflt;
}

/* Count over cycles of one MiB, after a few cycles for what happens only once. */
static uint64_t faults_per_mib(size_t block_b)
{
    enum { WARM = 4, CYCLES = 32 };
    uint64_t begin = 0;

    for (int cycle = 0; cycle < WARM + CYCLES; cycle++) {
        if (cycle == WARM)
            begin = minor_faults();
        for (size_t done = 0; done < MIB; done += block_b) {
            void *block = malloc(block_b);

            amp_probe_touch(block, block_b);
            free(block);
        }
    }
    return (minor_faults() - begin + CYCLES / 2) / CYCLES;
}

static void look_at_huge_pages(struct amp_probe *probe)
{
    const size_t size = 16 * MIB;
    struct amp_probe_maps maps;
    void *block = malloc(size);

    amp_probe_touch(block, size);
    if (amp_probe_maps(block, size, &maps)) {
        amp_probe_effect(probe, "huge_b", maps.huge_b);
        amp_probe_effect(probe, "huge_advised_b", maps.advised_b);
        amp_probe_effect(probe, "huge_declined_b", maps.declined_b);
    }
    free(block);
}

/* Compared with the peak of the burst, not with the memory before it: the burst may have reused free memory. */
static void look_at_retention(struct amp_probe *probe)
{
    static void *blocks[BURST];
    struct amp_probe_maps during, after;
    uint64_t given_b;
    bool has_during;

    for (size_t i = 0; i < BURST; i++) {
        blocks[i] = malloc(MIB);
        amp_probe_touch(blocks[i], MIB);
    }
    has_during = amp_probe_maps(NULL, 0, &during);
    for (size_t i = 0; i < BURST; i++)
        free(blocks[i]);
    if (!has_during || !amp_probe_maps(NULL, 0, &after))
        return;
    given_b = during.resident_b > after.resident_b ? during.resident_b - after.resident_b : 0;
    amp_probe_effect(probe, "retained_b", given_b < BURST * MIB ? BURST * MIB - given_b : 0);
}

/* From the C library itself: a preloaded library may have a function of the same name. */
static void look_below(struct amp_probe *probe)
{
    enum { SIZE = 3000, N = 200 };
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    struct amp_probe_glibc_info (*info)(void) =
        libc ? (struct amp_probe_glibc_info(*)(void)) dlsym(libc, "mallinfo2") : NULL;
    static void *blocks[N];
    struct amp_probe_glibc_info before, after;
    struct amp_probe_maps maps;

    if (info)
        before = info();
    for (size_t i = 0; i < N; i++) {
        blocks[i] = malloc(SIZE);
        amp_probe_touch(blocks[i], SIZE);
    }
    if (info) {
        after = info();
        amp_probe_effect_bool(probe, "served_by_libc",
                              after.uordblks + after.hblkhd >= before.uordblks + before.hblkhd + SIZE * N / 2);
    } else {
        json_object_set_new(probe->effects, "served_by_libc", json_null());
    }
    if (amp_probe_maps(blocks[0], SIZE, &maps))
        amp_probe_effect_bool(probe, "in_brk", maps.in_brk);
    for (size_t i = 0; i < N; i++)
        free(blocks[i]);
    if (libc)
        dlclose(libc);
}

/* Call it while this program has one thread only. */
static void look_at_threads(struct amp_probe *probe)
{
    DIR *tasks = opendir("/proc/self/task");
    uint64_t n = 0;

    if (!tasks)
        return;
    for (struct dirent *entry = readdir(tasks); entry; entry = readdir(tasks))
        n += entry->d_name[0] != '.';
    closedir(tasks);
    amp_probe_effect(probe, "library_threads", n > 0 ? n - 1 : 0);
}

void amp_probe_effects(struct amp_probe *probe)
{
    look_below(probe);
    amp_probe_effect(probe, "faults_per_mib", faults_per_mib(64 << 10));
    amp_probe_effect(probe, "large_faults_per_mib", faults_per_mib(MIB));
    look_at_retention(probe);
    look_at_huge_pages(probe);
    look_at_threads(probe);
}
