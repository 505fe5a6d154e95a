/* SPDX-License-Identifier: MIT */
#include "harness/ab/launch/turns.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int amp_ab_turns_map(struct amp_ab_turns **out, int *fd)
{
    void *memory;
    int made = memfd_create("ampersand-ab", 0), err = 0;

    if (made < 0)
        return -errno;
    if (ftruncate(made, sizeof **out))
        err = -errno;
    memory = err ? MAP_FAILED : mmap(NULL, sizeof **out, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
    if (memory == MAP_FAILED) {
        err = err ? err : -errno;
        close(made);
        return err;
    }
    *out = memory;
    *fd = made;
    return 0;
}

void amp_ab_turns_unmap(struct amp_ab_turns *turns, int fd)
{
    munmap(turns, sizeof *turns);
    close(fd);
}

void amp_ab_turns_clear(struct amp_ab_turns *turns)
{
    turns->n = 0;
    memset(turns->why, 0, sizeof turns->why);
    memset(turns->checksum, 0, sizeof turns->checksum);
    atomic_store(&turns->at, 0);
}

void amp_ab_turns_add(struct amp_ab_turns *turns, struct amp_ab_step step)
{
    if (turns->n < AMP_AB_STEPS)
        turns->steps[turns->n++] = step;
}

bool amp_ab_turns_wait(struct amp_ab_turns *turns, enum amp_ab_actor me, uint32_t i, uint64_t ns)
{
    struct timespec until;
    uint32_t at = atomic_load(&turns->at);

    if (at == i)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ns += (uint64_t) until.tv_nsec;
    until.tv_sec += (time_t) (ns / 1000000000u);
    until.tv_nsec = (long) (ns % 1000000000u);
    syscall(SYS_futex, &turns->at, FUTEX_WAIT_BITSET, at, &until, NULL, 1u << me);
    return atomic_load(&turns->at) == i;
}

void amp_ab_turns_done(struct amp_ab_turns *turns, uint32_t i)
{
    int next = i + 1 < turns->n ? turns->steps[i + 1].who : AMP_AB_PARENT;

    atomic_store(&turns->at, i + 1);
    if (next != turns->steps[i].who)
        syscall(SYS_futex, &turns->at, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, 1u << next);
}
