/* SPDX-License-Identifier: MIT
 *
 * Start a program, and follow it and the processes that it starts by ptrace: they stop when they execute a file and
 * when they end, and at nothing else. Functions return 0 or a negative errno unless said otherwise. */
#ifndef AMP_FOLLOW_H
#define AMP_FOLLOW_H

#include "harness/allocators/program/program.h"
#include "harness/machine/memory.h"

#include <limits.h>
#include <sys/resource.h>

enum { AMP_FOLLOWED = 256 }; /* processes alive at once; more are measured, but their settings are not known */

struct amp_follow {
    const struct amp_program_task *task;
    pid_t program;
    int failed;          /* a pipe: the errno where the program could not be executed */
    bool has_begun;      /* it was executed */
    bool has_ended;
    int status;          /* then */
    struct rusage usage; /* then; of the processes, too, that it has waited for */
    uint64_t begin_ns, end_ns, stopped_ns; /* stopped_ns: of that, what it stood still at its end */
    size_t n;
    struct amp_followed {
        pid_t pid;
        uint64_t settings;
    } alive[AMP_FOLLOWED];
    /* Of the process with most memory, as it was at its end, or when amp_follow_look() was called. */
    struct amp_memory memory;
    uint64_t settings;
    char library[PATH_MAX];
};

/* Start task->program with these descriptors as its standard input, output and error. `preload`: what it preloads,
 * NULL: nothing. */
int amp_follow_start(struct amp_follow *follow, const struct amp_program_task *task, const char *preload,
                     const int descriptors[3]);

/* Wait for the next thing that happens to it, or to another child of this process; `flags` as of waitpid(). Returns the
 * number of the process that ended, with *status; 0: nothing, or nothing of interest to the caller. */
pid_t amp_follow_next(struct amp_follow *follow, int flags, int *status);

/* Look at the memory and the library of the processes that are alive now. */
void amp_follow_look(struct amp_follow *follow);

/* After the program has ended without being executed: the errno; 0: it was. */
int amp_follow_failed(struct amp_follow *follow);

#endif
