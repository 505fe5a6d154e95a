/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 256, PAGE_B = 4096, CHUNK = 512 };

#define PRESENT (3ull << 62) /* in memory or swapped out: an entry of /proc/self/pagemap */

struct area {
    char *begin;
    size_t size_b;
    int protection;
};

static int protection_of(const char *words)
{
    return (words[0] == 'r' ? PROT_READ : 0) | (words[1] == 'w' ? PROT_WRITE : 0) | (words[2] == 'x' ? PROT_EXEC : 0);
}

/* Whether a line of /proc/self/maps is about memory that shall be copied. `path` NULL: private memory of no file. */
static bool is_wanted(const char *line, const char *path, struct area *out)
{
    unsigned long begin, end, inode;
    char words[8], name[PATH_MAX] = "";

    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %4095[^\n]", &begin, &end, words, &inode, name) < 4 || words[3] != 'p')
        return false;
    *out = (struct area){ (char *) begin, end - begin, protection_of(words) };
    if (path)
        return strcmp(name, path) == 0 && words[0] == 'r';
    return inode == 0 && words[0] == 'r' && strncmp(name, "[stack", 6) != 0 && strncmp(name, "[v", 2) != 0;
}

/* All areas first: copying changes the list. */
static size_t list(const char *path, struct area *out)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    size_t n = 0;

    while (maps && n < MOST && fgets(line, sizeof line, maps))
        n += is_wanted(line, path, &out[n]);
    if (maps)
        fclose(maps);
    return n;
}

/* Copy the pages that are there, what was never touched stays so; without a pagemap, all. */
static void copy_touched(const struct area *area, char *out, int pagemap)
{
    uint64_t there[CHUNK];

    for (size_t at = 0; at < area->size_b; at += CHUNK * PAGE_B) {
        off_t from = (off_t) (((uintptr_t) area->begin + at) / PAGE_B * sizeof *there);
        bool known = pread(pagemap, there, sizeof there, from) == sizeof there;

        for (size_t i = 0; i < CHUNK && at + i * PAGE_B < area->size_b; i++)
            if (!known || there[i] & PRESENT)
                memcpy(out + at + i * PAGE_B, area->begin + at + i * PAGE_B, PAGE_B);
    }
}

static int exchange(const struct area *area, int pagemap)
{
    char *copy = mmap(NULL, area->size_b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (copy == MAP_FAILED)
        return -errno;
    copy_touched(area, copy, pagemap);
    if (mprotect(copy, area->size_b, area->protection) ||
        mremap(copy, area->size_b, area->size_b, MREMAP_MAYMOVE | MREMAP_FIXED, area->begin) == MAP_FAILED) {
        int err = -errno;

        munmap(copy, area->size_b);
        return err;
    }
    return 0;
}

static int exchange_all(const char *path)
{
    struct area areas[MOST];
    size_t n = list(path, areas);
    int err = path && n == 0 ? -ENOENT : 0;
    /* Of a file, untouched pages are not here yet, but hold something: copy all of them. */
    int pagemap = path ? -1 : open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    for (size_t i = 0; i < n && !err; i++)
        err = exchange(&areas[i], pagemap);
    if (pagemap >= 0)
        close(pagemap);
    return err;
}

int amp_ab_pages_of_file(const char *path)
{
    return exchange_all(path);
}

int amp_ab_pages_of_all(void)
{
    return exchange_all(NULL);
}

uint64_t amp_ab_pages_private_b(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long resident = 0, shared = 0;
    bool known = file && fscanf(file, "%*u %lu %lu", &resident, &shared) == 2;

    if (file)
        fclose(file);
    return known && resident > shared ? (uint64_t) (resident - shared) * PAGE_B : 0;
}
