/* SPDX-License-Identifier: MIT
 *
 *   parent, CPU 0                        child, CPU n-1, a process group of its own
 *   ------------------------------------------------------------------------------------------
 *   fork() ----------------------------> ASLR on, limits, stdin from /dev/null, output to the pipe
 *   ppoll(pipe, time left)               execve(/proc/self/exe), another size of environment
 *     output: keep its last line         ... measures ...
 *     SIGCHLD: ended, SIGINT: kill it    exit
 *   kill(group), then reap
 *
 * Several children at once are several pipes in one ppoll().
 * Signals are blocked except inside ppoll(), so that none is missed between the check and the wait. */
#include "harness/run/process.h"

#include "harness/run/time_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define PADDING "AMPERSAND_PADDING="
#define CPU "AMPERSAND_CPU="
#define PRELOAD "LD_PRELOAD="

extern char **environ;

static const int noticed[] = { SIGINT, SIGTERM, SIGHUP };
static pid_t door; /* the process that must stay alive, else we end; 0: none */
static volatile sig_atomic_t interrupted;
static sigset_t outside; /* the signal mask that this process was started with */
static cpu_set_t allowed;

static void notice(int signal)
{
    if (signal != SIGCHLD)
        interrupted = 1;
}

static bool is_gone(pid_t process)
{
    return process > 0 && kill(process, 0) && errno == ESRCH;
}

bool amp_process_interrupted(void)
{
    return interrupted || is_gone(door);
}

void amp_process_follow(void)
{
    const char *text = getenv("AMPERSAND_DOOR");
    long pid = text ? strtol(text, NULL, 10) : 0;

    if (pid <= 0 || pid > INT_MAX)
        return;
    door = (pid_t) pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* from the parent, which is the door or was started by it */
    if (is_gone(door))
        raise(SIGTERM);
}

void amp_process_pause(unsigned ms)
{
    const struct timespec time = { ms / 1000, (long) (ms % 1000) * 1000000 };

    ppoll(NULL, 0, &time, &outside);
}

static int watch_signals(void)
{
    struct sigaction action = { .sa_handler = notice }, before;
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    for (size_t i = 0; i < sizeof noticed / sizeof noticed[0]; i++) {
        sigaddset(&blocked, noticed[i]);
        if (sigaction(noticed[i], NULL, &before))
            return -errno;
        if (before.sa_handler != SIG_IGN && sigaction(noticed[i], &action, NULL)) /* as under nohup */
            return -errno;
    }
    if (sigaction(SIGCHLD, &action, NULL) || sigprocmask(SIG_BLOCK, &blocked, &outside))
        return -errno;
    sigdelset(&outside, SIGCHLD);
    return 0;
}

/* Use the first CPU for this process, since it takes most interrupts, and the last one for children. They are not
 * siblings of one core on machines that number siblings half the CPUs apart. */
static int choose_cpus(int *child_cpu)
{
    cpu_set_t own;
    int first = -1, last = -1;

    *child_cpu = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return -errno;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t) cpu, &allowed))
            continue;
        first = first < 0 ? cpu : first;
        last = cpu;
    }
    if (first == last)
        return 0;
    CPU_ZERO(&own);
    CPU_SET((size_t) first, &own);
    if (sched_setaffinity(0, sizeof own, &own))
        return -errno;
    *child_cpu = last;
    return 0;
}

int amp_process_prepare(struct amp_placement *out)
{
    int now = personality(0xffffffff), err;

    out->aslr_was_off = now != -1 && (now & ADDR_NO_RANDOMIZE);
    err = choose_cpus(&out->cpu);
    return err ? err : watch_signals();
}

int amp_process_pin(void)
{
    const char *text = getenv("AMPERSAND_CPU");
    cpu_set_t set;
    char *end;
    long cpu;

    if (!text)
        return 0;
    errno = 0;
    cpu = strtol(text, &end, 10);
    if (errno || end == text || *end || cpu < 0 || cpu >= CPU_SETSIZE)
        return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET((size_t) cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) ? -errno : 0;
}

struct environment {
    char **list;
    char *padding, *preload;
    char cpu[32];
};

static void free_environment(struct environment *environment)
{
    free(environment->list);
    free(environment->padding);
    free(environment->preload);
}

bool amp_process_is_of_allocators(const char *variable)
{
    static const char *const allocators[] = { "LD_PRELOAD=", "MALLOC_",   "_RJEM_",   "GLIBC_TUNABLES=",
                                              "MIMALLOC_",   "mimalloc_", "TCMALLOC_" };

    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++)
        if (strncmp(variable, allocators[i], strlen(allocators[i])) == 0)
            return true;
    return false;
}

/* What `ampersand trace` preloads, and nothing beside it: then the time line has all processes. */
static bool is_of_trace(const char *variable)
{
    return strncmp(variable, PRELOAD, strlen(PRELOAD)) == 0 && strstr(variable, "/libampersand_trace") &&
           !strchr(variable, ':');
}

/* Does the process inherit this variable? Not those that an outer ampersand may have set; not libbenchmark's flags,
 * which are passed as words; and not those that configure an allocator, if the process has its own environment. */
static bool is_inherited(const char *variable, bool brings_own)
{
    static const char *const never[] = { PADDING, CPU, "AMPERSAND_DOOR=", "BENCHMARK_" };

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (strncmp(variable, never[i], strlen(never[i])) == 0)
            return false;
    return !brings_own || !amp_process_is_of_allocators(variable);
}

/* The environment: inherited variables, the process's own, the padding and the CPU. */
static int make_environment(const struct amp_process *process, struct environment *out)
{
    size_t n = 0, kept = 0, prefix = strlen(PADDING), own = 0;

    while (environ[n])
        n++;
    while (process->environment && process->environment[own])
        own++;
    out->list = calloc(n + own + 4, sizeof *out->list);
    out->padding = malloc(prefix + process->environment_padding_b + 1);
    out->preload = process->preload ? malloc(strlen(PRELOAD) + strlen(process->preload) + 1) : NULL;
    if (!out->list || !out->padding || (process->preload && !out->preload)) {
        free_environment(out);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        if (is_inherited(environ[i], process->environment != NULL) || (is_of_trace(environ[i]) && !process->preload))
            out->list[kept++] = environ[i];
    for (size_t i = 0; i < own; i++)
        out->list[kept++] = (char *) process->environment[i];
    memcpy(out->padding, PADDING, prefix);
    memset(out->padding + prefix, 'x', process->environment_padding_b);
    out->padding[prefix + process->environment_padding_b] = '\0';
    if (out->preload) {
        strcpy(stpcpy(out->preload, PRELOAD), process->preload);
        out->list[kept++] = out->preload;
    }
    out->list[kept++] = out->padding;
    if (process->cpu >= 0) {
        snprintf(out->cpu, sizeof out->cpu, CPU "%d", process->cpu);
        out->list[kept] = out->cpu;
    }
    return 0;
}

static void limit(const struct amp_process *process)
{
    const struct rlimit no_core = { 0, 0 };
    const struct rlimit memory = { process->memory_limit_b, process->memory_limit_b };

    setrlimit(RLIMIT_CORE, &no_core);
    if (process->memory_limit_b > 0 && !SANITIZED)
        setrlimit(RLIMIT_AS, &memory);
}

/* From here on only calls that are safe between fork() and execve(). */
static _Noreturn void become_child(const struct amp_process *process, char **environment, int output, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY), now = personality(0xffffffff);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before it could be watched */
        _exit(1);
    if (now != -1 && (now & ADDR_NO_RANDOMIZE))
        personality((unsigned long) now & ~(unsigned long) ADDR_NO_RANDOMIZE);
    sched_setaffinity(0, sizeof allowed, &allowed);
    limit(process);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    sigprocmask(SIG_SETMASK, &outside, NULL);
    execve(process->program ? process->program : "/proc/self/exe", (char *const *) process->argv, environment);
    dprintf(STDERR_FILENO, "ampersand: cannot start a child: %s\n", strerror(errno));
    _exit(127);
}

/* Read what is there now, at most one pipe full, so that a child that never stops writing still meets its time-out.
 * False at the end of the output. */
static bool read_output(int fd, struct amp_tail *tail)
{
    char chunk[4096];

    for (size_t left_b = 65536; left_b > 0; left_b -= sizeof chunk) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        amp_tail_add(tail, chunk, (size_t) n);
    }
    return true;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static bool has_ended(pid_t child)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t) child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

/* A child that runs. */
struct running {
    const struct amp_process *process;
    struct amp_outcome *out;
    struct amp_tail tail;
    pid_t pid;
    int output;
    bool is_closed; /* by the child: its end comes with SIGCHLD */
    struct amp_time_limit limit;
};

static int start(const struct amp_process *process, struct amp_outcome *outcome, struct running *out)
{
    struct environment environment;
    int output[2], err = make_environment(process, &environment);
    pid_t parent = getpid(), child = -1;

    if (err)
        return err;
    if (pipe2(output, O_CLOEXEC)) {
        err = -errno;
        goto out;
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    child = fork();
    if (child == 0)
        become_child(process, environment.list, output[1], parent);
    if (child < 0)
        err = -errno;
    close(output[1]);
    if (child < 0)
        close(output[0]);
    else
        setpgid(child, child); /* in child and parent: one of them is first */
    *out = (struct running){ process, outcome, .pid = child, .output = output[0],
                             .limit = { .begin_s = now_s(), .limit_s = process->timeout_s } };
out:
    free_environment(&environment);
    return err;
}

/* Wait until a child writes, ends or has run out of time, or a signal has come. */
static void wait_for(struct running *list, size_t n)
{
    double now = now_s(), left_s = INT_MAX;
    struct pollfd polls[AMP_PROCESS_MOST];
    struct timespec left;

    for (size_t i = 0; i < n; i++) {
        double own_s = amp_time_limit_end_s(&list[i].limit) - now;

        left_s = own_s < left_s ? own_s : left_s;
        polls[i] = (struct pollfd){ .fd = list[i].is_closed ? -1 : list[i].output, .events = POLLIN };
    }
    left_s = left_s > 0 ? left_s : 0;
    left.tv_sec = (time_t) left_s;
    left.tv_nsec = (long) ((left_s - (double) left.tv_sec) * 1e9);
    if (ppoll(polls, n, &left, &outside) <= 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (polls[i].revents)
            list[i].is_closed = !read_output(list[i].output, &list[i].tail);
}

/* Whether the child has ended or must be killed: AMP_DONE, AMP_TIMEOUT or AMP_INTERRUPTED. */
static bool must_end(struct running *child, enum amp_ending *ending)
{
    *ending = AMP_DONE;
    if (has_ended(child->pid))
        return true;
    *ending = interrupted ? AMP_INTERRUPTED : AMP_TIMEOUT;
    return interrupted || amp_time_limit_is_over(&child->limit, now_s(), amp_time_limit_waited_s, child->pid);
}

static void describe_timeout(const struct running *child, struct amp_outcome *out)
{
    int n = snprintf(out->detail, sizeof out->detail, "killed after %u s", child->process->timeout_s);

    if (child->limit.waited_s >= 1)
        snprintf(out->detail + n, sizeof out->detail - (size_t) n, ", and %.0f s more in which it waited for a CPU",
                 out->seconds - child->process->timeout_s);
}

static void end(struct running *child, enum amp_ending ending)
{
    const struct amp_process *process = child->process;
    struct amp_outcome *out = child->out;
    int status = 0;

    /* The child is not reaped yet, so the process group is still its own: kill everything that it started. */
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    read_output(child->output, &child->tail);
    close(child->output);
    amp_tail_end(&child->tail);
    amp_outcome_describe(process->exits, process->memory_limit_b, status, &child->tail, out);
    out->seconds = now_s() - child->limit.begin_s;
    if (ending == AMP_TIMEOUT)
        describe_timeout(child, out);
    if (ending != AMP_DONE)
        out->ending = ending;
}

int amp_process_run(const struct amp_process *const *processes, size_t n, size_t at_once, struct amp_outcome *out)
{
    struct running list[AMP_PROCESS_MOST];
    size_t running = 0, begun = 0;
    int err = 0;

    for (size_t i = 0; i < n; i++)
        out[i] = (struct amp_outcome){ .ending = AMP_INTERRUPTED };
    for (;;) {
        for (; begun < n && running < at_once && !err && !interrupted; begun++) {
            err = start(processes[begun], &out[begun], &list[running]);
            running += !err;
        }
        if (running == 0)
            return err;
        wait_for(list, running);
        for (size_t i = 0; i < running;) {
            enum amp_ending ending;

            if (!must_end(&list[i], &ending)) {
                i++;
                continue;
            }
            end(&list[i], ending);
            list[i] = list[--running];
        }
    }
}
