/* SPDX-License-Identifier: MIT
 *
 * source   ptrace(2): PTRACE_SEIZE, so that a stop by a signal can be told from one of ours */
#include "harness/allocators/program/follow.h"

#include "harness/allocators/program/seen.h"
#include "harness/measure/rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

#define OPTIONS                                                                                                        \
    (PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL)

/* ---- The start */

static void set_environment(const struct amp_program_task *task, const char *preload)
{
    for (size_t i = 0; i < task->n_environment; i++)
        putenv((char *) (uintptr_t) task->environment[i]);
    unsetenv("LD_PRELOAD");
    if (preload)
        setenv("LD_PRELOAD", preload, 1);
}

/* In the child: wait until it is followed, then become the program. */
static _Noreturn void become(const struct amp_program_task *task, const char *preload, const int descriptors[3],
                             int gate, int failed)
{
    char go;
    int err = 0;

    if (read(gate, &go, 1) != 1)
        _exit(127);
    set_environment(task, preload);
    if (chdir(task->program.folder))
        err = errno;
    for (int i = 0; i < 3 && !err; i++)
        if (dup2(descriptors[i], i) < 0)
            err = errno;
    if (!err) {
        execv(task->program.path, (char *const *) (uintptr_t) task->program.command);
        err = errno;
    }
    if (write(failed, &err, sizeof err) < 0)
        _exit(126);
    _exit(127);
}

static int let_go(struct amp_follow *follow, int gate)
{
    if (ptrace(PTRACE_SEIZE, follow->program, NULL, OPTIONS) == 0)
        return write(gate, "", 1) == 1 ? 0 : -errno;
    return -errno;
}

int amp_follow_start(struct amp_follow *follow, const struct amp_program_task *task, const char *preload,
                     const int descriptors[3])
{
    int gate[2], failed[2], err;

    *follow = (struct amp_follow){ .task = task, .settings = AMP_NONE };
    if (pipe2(gate, O_CLOEXEC))
        return -errno;
    if (pipe2(failed, O_CLOEXEC)) {
        err = -errno;
        close(gate[0]);
        close(gate[1]);
        return err;
    }
    follow->program = fork();
    if (follow->program == 0) {
        close(gate[1]);
        become(task, preload, descriptors, gate[0], failed[1]);
    }
    err = follow->program < 0 ? -errno : let_go(follow, gate[1]);
    close(gate[0]);
    close(gate[1]); /* without it the child ends */
    close(failed[1]);
    follow->failed = failed[0];
    return err;
}

int amp_follow_failed(struct amp_follow *follow)
{
    int err = 0;

    if (follow->has_begun || read(follow->failed, &err, sizeof err) != sizeof err)
        return 0;
    return err;
}

/* ---- What happens to it */

static struct amp_followed *find(struct amp_follow *follow, pid_t pid, bool add)
{
    for (size_t i = 0; i < follow->n; i++)
        if (follow->alive[i].pid == pid)
            return &follow->alive[i];
    if (!add || follow->n == AMP_FOLLOWED)
        return NULL;
    follow->alive[follow->n] = (struct amp_followed){ pid, AMP_NONE };
    return &follow->alive[follow->n++];
}

static void forget(struct amp_follow *follow, pid_t pid)
{
    struct amp_followed *gone = find(follow, pid, false);

    if (gone)
        *gone = follow->alive[--follow->n];
}

/* Keep what a process has if none had more memory; a repeated look at the same process counts anew. */
static void look_at(struct amp_follow *follow, pid_t pid)
{
    const struct amp_followed *known = find(follow, pid, false);
    struct amp_memory memory;

    if (!amp_memory_of(pid, &memory) || memory.peak_rss_b < follow->memory.peak_rss_b)
        return;
    follow->memory = memory;
    follow->settings = known ? known->settings : AMP_NONE;
    amp_seen_library(pid, follow->task->preload, follow->library);
}

void amp_follow_look(struct amp_follow *follow)
{
    for (size_t i = 0; i < follow->n; i++)
        look_at(follow, follow->alive[i].pid);
}

static void has_executed(struct amp_follow *follow, pid_t pid)
{
    struct amp_followed *known = find(follow, pid, true);

    if (known)
        known->settings = amp_seen_settings(pid);
    if (pid == follow->program && !follow->has_begun) {
        follow->has_begun = true;
        follow->begin_ns = amp_clock_monotonic();
    }
}

static bool is_job_control(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* A process stands still: note what there is to note, and let it go on. */
static void resume(struct amp_follow *follow, pid_t pid, int status)
{
    int event = status >> 16, signal = WSTOPSIG(status);
    uint64_t begin_ns = amp_clock_monotonic();

    switch (event) {
    case 0: /* a signal, which it gets now */
        ptrace(PTRACE_CONT, pid, NULL, (void *) (intptr_t) signal);
        return;
    case PTRACE_EVENT_STOP:
        find(follow, pid, true);
        ptrace(is_job_control(signal) ? PTRACE_LISTEN : PTRACE_CONT, pid, NULL, NULL);
        return;
    case PTRACE_EVENT_EXEC:
        has_executed(follow, pid);
        break;
    case PTRACE_EVENT_EXIT:
        look_at(follow, pid);
        if (pid == follow->program)
            follow->stopped_ns = amp_clock_monotonic() - begin_ns;
        break;
    default:
        break;
    }
    ptrace(PTRACE_CONT, pid, NULL, NULL);
}

pid_t amp_follow_next(struct amp_follow *follow, int flags, int *status)
{
    struct rusage usage;
    pid_t pid = wait4(-1, status, flags | __WALL, &usage);

    if (pid <= 0)
        return 0;
    if (WIFSTOPPED(*status)) {
        resume(follow, pid, *status);
        return 0;
    }
    forget(follow, pid);
    if (pid == follow->program) {
        follow->end_ns = amp_clock_monotonic();
        follow->has_ended = true;
        follow->status = *status;
        follow->usage = usage;
    }
    return pid;
}
