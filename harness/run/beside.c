/* SPDX-License-Identifier: MIT */
#include "harness/run/beside.h"

#include "harness/machine/files.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 48, PAUSE_MS = 50 };

/* At most half of the free memory. */
static size_t how_many_at_once(uint64_t each_b)
{
    char line[64];
    uint64_t n = 1;

    if (amp_machine_value(line, sizeof line, "/proc/meminfo", "MemAvailable"))
        n = strtoull(line, NULL, 10) * 1024 / 2 / each_b;
    return n < 1 ? 1 : n > MOST_AT_ONCE ? MOST_AT_ONCE : (size_t) n;
}

/* Watch a job in a process of its own, which ends with this one. */
static _Noreturn void watch(const struct amp_job *job, struct amp_outcome *out, pid_t parent)
{
    int err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    err = amp_process_run(&job->process, out);
    if (err) {
        out->ending = AMP_EXIT;
        snprintf(out->detail, sizeof out->detail, "it cannot be started: %s", strerror(-err));
    }
    _exit(0);
}

struct watchers {
    pid_t pid[MOST_AT_ONCE];
    size_t n;
};

static void forget(struct watchers *watchers, pid_t pid)
{
    for (size_t i = 0; i < watchers->n; i++)
        if (watchers->pid[i] == pid)
            watchers->pid[i--] = watchers->pid[--watchers->n];
}

/* Reap watchers that have ended, until at most `most` are left; after an interruption, until none is left. */
static void wait_for(struct watchers *watchers, size_t most)
{
    bool told = false;

    while (watchers->n > most) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);

        if (pid > 0) {
            forget(watchers, pid);
            continue;
        }
        if (pid < 0 && errno != EINTR)
            return;
        if (amp_process_interrupted() && !told) {
            for (size_t i = 0; i < watchers->n; i++)
                kill(watchers->pid[i], SIGTERM); /* each ends its child */
            told = true;
            most = 0;
        }
        amp_process_pause(PAUSE_MS);
    }
}

int amp_beside_run(struct amp_job *const *jobs, size_t n, struct amp_outcome *out)
{
    size_t size = (n + 1) * sizeof *out, at_once = how_many_at_once(jobs[0]->beside_b);
    struct amp_outcome *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct watchers watchers = { .n = 0 };
    pid_t parent = getpid();
    int err = 0;

    if (shared == MAP_FAILED)
        return -errno;
    for (size_t i = 0; i < n; i++)
        shared[i].ending = AMP_INTERRUPTED;
    for (size_t i = 0; i < n && !err && !amp_process_interrupted(); i++) {
        pid_t pid;

        wait_for(&watchers, at_once - 1);
        pid = fork();
        if (pid == 0)
            watch(jobs[i], &shared[i], parent);
        if (pid < 0)
            err = -errno;
        else
            watchers.pid[watchers.n++] = pid;
    }
    wait_for(&watchers, 0);
    for (size_t i = 0; i < n && !amp_process_interrupted(); i++)
        if (shared[i].ending == AMP_INTERRUPTED) { /* its watcher was killed, and so was the job */
            shared[i].ending = AMP_EXIT;
            snprintf(shared[i].detail, sizeof shared[i].detail, "it was killed from outside");
        }
    memcpy(out, shared, n * sizeof *out);
    munmap(shared, size);
    return err;
}
