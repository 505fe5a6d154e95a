/* SPDX-License-Identifier: MIT
 *
 * By system calls where a function of the C library could be a point of cancellation: a thread must not end in here.
 * No descriptor is kept: programs close what they do not know. */
#include "harness/profile/record/region.h"
#include "harness/profile/unwind/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAMES 1000

/* Of this process alone: a forked child finds it empty. */
struct region {
    struct amp_region made;
    char *segment; /* the last one */
    size_t used_b; /* of it */
    long length;   /* of the file */
    char path[PATH_MAX + 64]; /* empty: plain memory */
};

AMP_HOT struct amp_region *amp_region;
static struct region *region; /* the same */
AMP_HOT bool amp_region_off;
AMP_HOT uint64_t amp_region_sample_b;
static struct amp_lock making;
static char folder[PATH_MAX]; /* empty: not looked for */

void amp_lock_wait(struct amp_lock *lock)
{
    for (unsigned n = 1; __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE); n++)
        if (n % 64 == 0)
            sched_yield();
}

void *amp_region_map(size_t size_b)
{
    void *memory = mmap(NULL, size_b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (madvise(memory, size_b, MADV_WIPEONFORK)) {
        munmap(memory, size_b);
        return NULL;
    }
    return memory;
}

void amp_region_unmap(void *memory, size_t size_b)
{
    munmap(memory, size_b);
}

static int open_file(const char *path, int flags)
{
    return (int) syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

/* The folder, from the environment that the process was started with: the variable `environ` is set up later than the
 * first allocation, and a program may clear it. */
static void find_folder(void)
{
    static const char name[] = AMP_PROFILE_FOLDER "=", sample[] = AMP_PROFILE_SAMPLE "=";
    size_t cap = 4 << 20, n = 0;
    char *text = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int fd = open_file("/proc/self/environ", O_RDONLY);
    long got;

    strcpy(folder, "-");
    if (text != MAP_FAILED && fd >= 0) {
        while (n < cap - 1 && (got = syscall(SYS_read, fd, text + n, cap - 1 - n)) > 0)
            n += (size_t) got;
        for (char *at = text; at < text + n; at += strlen(at) + 1) {
            const size_t length = strlen(at);

            if (strncmp(at, name, sizeof name - 1) == 0 && length < sizeof folder)
                memcpy(folder, at + sizeof name - 1, length + 1 - (sizeof name - 1));
            if (strncmp(at, AMP_PROFILE_OFF "=", sizeof AMP_PROFILE_OFF) == 0)
                amp_region_off = true;
            if (strncmp(at, sample, sizeof sample - 1) == 0)
                amp_region_sample_b = strtoull(at + sizeof sample - 1, NULL, 10);
        }
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (text != MAP_FAILED)
        munmap(text, cap);
}

/* Make the process's file. A process that exec replaced had the same number: its file stays. */
static void create(struct region *r)
{
    for (int i = 0; folder[0] != '-' && i < NAMES; i++) {
        int fd;

        snprintf(r->path, sizeof r->path, "%s/%ld-%d", folder, (long) getpid(), i);
        fd = open_file(r->path, O_RDWR | O_CREAT | O_EXCL);
        if (fd >= 0) {
            syscall(SYS_close, fd);
            return;
        }
        if (errno != EEXIST)
            break;
    }
    r->path[0] = '\0';
}

/* Beyond a limit of the program's own the kernel would end it by SIGXFSZ. */
static bool may_be_as_long(long size_b)
{
    struct rlimit most;

    return getrlimit(RLIMIT_FSIZE, &most) || most.rlim_cur == RLIM_INFINITY || (rlim_t) size_b <= most.rlim_cur;
}

/* The next segment of the file; its memory is reserved, so that writing to it cannot fail. */
static void *map_segment(const struct region *r)
{
    const size_t size_b = AMP_PROFILE_SEGMENT_B;
    int fd = may_be_as_long(r->length + (long) size_b) ? open_file(r->path, O_RDWR) : -1;
    void *memory = MAP_FAILED;
    long failed;

    if (fd < 0)
        return MAP_FAILED;
    do {
        failed = syscall(SYS_fallocate, fd, 0, r->length, size_b);
    } while (failed && errno == EINTR);
    if (!failed)
        memory = mmap(NULL, size_b, PROT_READ | PROT_WRITE, MAP_SHARED, fd, r->length);
    syscall(SYS_close, fd);
    return memory;
}

static char *add_segment(struct region *r)
{
    const size_t size_b = AMP_PROFILE_SEGMENT_B;
    void *memory = r->path[0] ? map_segment(r)
                              : mmap(NULL, size_b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    r->length += (long) size_b;
    r->segment = memory;
    r->used_b = 0;
    return memory;
}

static void begin(struct region *r)
{
    struct timespec now;
    struct amp_profile_head *head;

    if (!folder[0])
        find_folder();
    create(r);
    head = (struct amp_profile_head *) add_segment(r);
    if (!head && r->path[0]) { /* else each allocation would try again */
        r->path[0] = '\0';
        head = (struct amp_profile_head *) add_segment(r);
    }
    if (!head)
        return;
    r->used_b = sizeof *head;
    clock_gettime(CLOCK_REALTIME, &now);
    head->pid = getpid();
    head->parent = getppid();
    head->sample_b = amp_region_sample_b;
    head->begin_ns = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
    __atomic_store_n(&head->magic, AMP_PROFILE_MAGIC, __ATOMIC_RELEASE);
    __atomic_store_n(&r->made.head, head, __ATOMIC_RELEASE);
}

struct amp_profile_head *amp_region_make(void)
{
    int error = errno;

    amp_lock(&making);
    if (!region) {
        region = amp_region_map(sizeof *region);
        amp_region = region ? &region->made : NULL;
    }
    if (region && !region->made.head)
        begin(region);
    amp_unlock(&making);
    errno = error;
    return region ? region->made.head : NULL;
}

void *amp_region_add(size_t size_b)
{
    char *memory;

    size_b = (size_b + AMP_PROFILE_LINE_B - 1) / AMP_PROFILE_LINE_B * AMP_PROFILE_LINE_B;
    if (!amp_region_head() || size_b > AMP_PROFILE_SEGMENT_B - sizeof(struct amp_profile_record))
        return NULL;
    if (region->used_b + size_b + sizeof(struct amp_profile_record) > AMP_PROFILE_SEGMENT_B && !add_segment(region))
        return NULL;
    memory = region->segment + region->used_b;
    region->used_b += size_b;
    ((struct amp_profile_record *) memory)->size_b = (uint32_t) size_b;
    return memory;
}
