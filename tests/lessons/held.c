/* SPDX-License-Identifier: MIT
 *
 * Good, but a process of it waits where it begins for as long as a test wants: so a test finds the run within that
 * process, however slow or fast the machine is. The folder that AMPERSAND_HELD names has:
 *
 *     begun     a byte for each process that has begun
 *     <pid>     that it has, since a side may be set up several times
 *     hold-N    while this is there, the N-th process waits */
#include "harness/kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

enum { EVERY_NS = 2000000 };

static int open_in(const char *folder, const char *name, int flags)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
}

/* The how many-th process this is; 0: it has said so before. */
static long begin(const char *folder)
{
    char own[32];
    int fd;
    long n;

    snprintf(own, sizeof own, "%ld", (long) getpid());
    fd = open_in(folder, own, O_EXCL);
    if (fd < 0)
        return 0;
    close(fd);
    fd = open_in(folder, "begun", O_APPEND);
    n = write(fd, ".", 1) == 1 ? (long) lseek(fd, 0, SEEK_END) : 0;
    close(fd);
    return n;
}

static void *set_up(size_t size)
{
    const struct timespec pause = { 0, EVERY_NS };
    const char *folder = getenv("AMPERSAND_HELD");
    long n = folder ? begin(folder) : 0;
    char path[4096];

    snprintf(path, sizeof path, "%s/hold-%ld", folder ? folder : "", n);
    while (n > 0 && access(path, F_OK) == 0)
        nanosleep(&pause, NULL);
    return amp_alloc(size);
}

static uint64_t run(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    amp_keep(fixture);
    for (uint64_t i = ops; i > 0; i--) {
        sum += i;
        amp_keep(&sum);
    }
    return sum;
}

AMP_PAIR(held,
    .question = "Where is the run when it is killed?",
    .value = { run, .set_up = set_up, .tear_down = free },
    .pointer = { run, .set_up = set_up, .tear_down = free },
    .sizes = AMP_SIZES(8, 16),
);
