/* SPDX-License-Identifier: MIT */
#include "harness/profile/launch/launch.h"

#include "harness/profile/record/record.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_OF_S 1000000000u

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * NS_OF_S + (uint64_t) now.tv_nsec;
}

/* Ours comes first: what the user preloads, an allocator perhaps, is then the next one. */
static int set_environment(const struct amp_launch *launch)
{
    const char *before = getenv("LD_PRELOAD");
    char *libraries;
    int err;

    if (asprintf(&libraries, "%s%s%s", launch->library, before && *before ? ":" : "", before ? before : "") < 0)
        return -ENOMEM;
    err = setenv("LD_PRELOAD", libraries, 1) || setenv(AMP_PROFILE_FOLDER, launch->folder, 1) ? -errno : 0;
    free(libraries);
    return err;
}

/* In the child. The pipe closes when exec succeeds, else it carries the reason. */
static void become(const struct amp_launch *launch, const sigset_t *mask, int failed)
{
    int err = set_environment(launch);

    sigprocmask(SIG_SETMASK, mask, NULL);
    if (!err && launch->output >= 0 && dup2(launch->output, STDOUT_FILENO) < 0)
        err = -errno;
    if (!err) {
        execv(launch->path, launch->command);
        err = -errno;
    }
    if (write(failed, &err, sizeof err) < 0)
        _exit(126);
    _exit(127);
}

static int start(const struct amp_launch *launch, const sigset_t *mask, pid_t *child)
{
    int ends[2], err = 0;

    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    *child = fork();
    if (*child == 0)
        become(launch, mask, ends[1]);
    if (*child < 0)
        err = -errno;
    close(ends[1]);
    if (!err && read(ends[0], &err, sizeof err) == sizeof err)
        waitpid(*child, NULL, 0);
    close(ends[0]);
    return err;
}

/* The next signal, or 0 at the time for a snapshot. */
static int wait_for(const sigset_t *signals, uint64_t at_ns, siginfo_t *info)
{
    uint64_t now = now_ns(), left_ns = at_ns > now ? at_ns - now : 0;
    struct timespec left = { (time_t) (left_ns / NS_OF_S), (long) (left_ns % NS_OF_S) };
    int signal;

    do {
        signal = at_ns ? sigtimedwait(signals, info, &left) : sigwaitinfo(signals, info);
    } while (signal < 0 && errno == EINTR);
    return signal < 0 ? 0 : signal;
}

/* Ctrl-C reaches the program from the terminal; passed on, it would come twice. */
static bool comes_from_terminal(const siginfo_t *info)
{
    return info->si_code == SI_KERNEL;
}

static void attend(const struct amp_launch *launch, const sigset_t *signals, pid_t child, int *status)
{
    uint64_t at_ns = launch->every_ns ? now_ns() + launch->every_ns : 0;
    siginfo_t info;

    for (;;) {
        int signal = wait_for(signals, at_ns, &info);

        if (signal == SIGCHLD) {
            if (waitpid(child, status, WNOHANG) == child)
                return;
        } else if (signal == 0 || signal == SIGUSR2) {
            if (launch->snapshot)
                launch->snapshot(launch->argument);
            while (at_ns && at_ns <= now_ns())
                at_ns += launch->every_ns;
        } else if (!comes_from_terminal(&info)) {
            kill(child, signal);
        }
    }
}

int amp_launch_run(const struct amp_launch *launch, int *status)
{
    static const int handled[] = { SIGCHLD, SIGUSR2, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    sigset_t signals, before;
    pid_t child = -1;
    int err;

    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaddset(&signals, handled[i]);
    sigprocmask(SIG_BLOCK, &signals, &before);
    err = start(launch, &before, &child);
    if (!err)
        attend(launch, &signals, child, status);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return err;
}

int amp_launch_describe(int status, char *out, size_t cap)
{
    if (WIFSIGNALED(status)) {
        snprintf(out, cap, "ended by signal %d: %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    if (WEXITSTATUS(status) != 0)
        snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

int amp_launch_find_beside(const char *name, char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    char *last;

    if (n < 0)
        return amp_complain(2, "/proc/self/exe", "%s", strerror(errno));
    out[n] = '\0';
    last = strrchr(out, '/');
    snprintf(last + 1, cap - (size_t) (last + 1 - out), "%s", name);
    if (strpbrk(out, ": "))
        return amp_complain(2, out, "the loader takes no library whose path has a blank or a colon");
    return access(out, R_OK) ? amp_complain(2, out, "%s", strerror(errno)) : 0;
}

int amp_launch_check_output(const char *path, const char *what)
{
    struct stat there;
    char tmp[PATH_MAX];
    int fd;

    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) /* /dev/null, too, would be replaced */
        return amp_complain(2, path, "is no regular file, so %s", what);
    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= PATH_MAX)
        return amp_complain(2, path, "cannot be written: %s", strerror(ENAMETOOLONG));
    fd = open(tmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return amp_complain(2, path, "cannot be written: %s", strerror(errno));
    close(fd);
    unlink(tmp);
    return 0;
}
