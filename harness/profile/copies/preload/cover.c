/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program for `--copies`, with the sampler of `--cpu`. Puts files under the counters of copies: of the
 * program, and of each library that has any. From then on the counts are there however the process ends; forked
 * children count in the same memory. Libraries that are loaded later are read when the program ends. */
#include "harness/profile/copies/preload/sections.h"
#include "harness/profile/record/record.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST 256 /* libraries with counters */

/* The counters of one library in memory. */
struct counters {
    uintptr_t start;
    struct amp_copies_place place;
    char path[sizeof ((struct amp_copies_head *) 0)->path];
};

static struct counters found; /* one after the other */
static struct {
    uintptr_t start[MOST];
    unsigned n;
    unsigned looked_at; /* in a walk through the loader's list */
} known;

static bool is_known(uintptr_t start)
{
    for (unsigned i = 0; i < known.n; i++)
        if (known.start[i] == start)
            return true;
    return false;
}

/* The first library with counters that is not known yet. */
static int look(struct dl_phdr_info *info, size_t size, void *argument)
{
    int fd, err;

    (void) size;
    (void) argument;
    if (info->dlpi_name[0])
        snprintf(found.path, sizeof found.path, "%s", info->dlpi_name);
    else if (known.looked_at++ > 0 || readlink("/proc/self/exe", found.path, sizeof found.path - 1) < 0)
        return 0;
    fd = open(found.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    err = amp_copies_find(fd, AMP_COPIES_COUNTS, &found.place);
    close(fd);
    found.start = info->dlpi_addr + found.place.address;
    return !err && found.place.size_b > 0 && !is_known(found.start);
}

static int make_file(const char *folder)
{
    static char path[PATH_MAX];
    struct rlimit most;
    int fd = -1;

    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < AMP_COPIES_PAGE_B + found.place.size_b)
        return -1; /* the kernel would end the process */
    for (int i = 0; fd < 0 && i < MOST; i++) {
        snprintf(path, sizeof path, "%s/" AMP_COPIES_FILE "%ld-%d", folder, (long) getpid(), i);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    return fd;
}

/* Write the counts of now into a file, and let the process count there if it is to go on. */
static void cover(const char *folder, bool is_end)
{
    struct amp_copies_head head = { AMP_COPIES_MAGIC, found.place.address, found.place.size_b, "" };
    void *memory = (void *) found.start; /* where the loader put it */
    int fd = make_file(folder);

    if (fd < 0)
        return;
    memcpy(head.path, found.path, sizeof head.path);
    if (pwrite(fd, memory, head.size_b, AMP_COPIES_PAGE_B) == (ssize_t) head.size_b &&
        pwrite(fd, &head, sizeof head, 0) == sizeof head && !is_end && found.start % (uintptr_t) getpagesize() == 0 &&
        getpagesize() == AMP_COPIES_PAGE_B && head.size_b % AMP_COPIES_PAGE_B == 0)
        mmap(memory, head.size_b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, AMP_COPIES_PAGE_B);
    close(fd);
}

static pid_t began; /* the process that the library was loaded into; a fork is another */

static void cover_all(bool is_end)
{
    const char *folder = getenv(AMP_PROFILE_FOLDER);

    if (!folder)
        return;
    for (known.looked_at = 0; known.n < MOST && dl_iterate_phdr(look, NULL); known.looked_at = 0) {
        known.start[known.n++] = found.start;
        cover(folder, is_end);
    }
}

__attribute__((constructor)) static void begin(void)
{
    began = getpid();
    cover_all(false);
}

__attribute__((destructor)) static void end(void)
{
    if (getpid() == began)
        cover_all(true);
}
