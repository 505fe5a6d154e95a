/* SPDX-License-Identifier: MIT */
#include "harness/allocators/matrix_child.h"

#include "harness/machine/files.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define TIMELINE_B (256ull << 20) /* what a timeline may take, however little its allocator gives back */
enum { MOST_AT_ONCE = 48, PAUSE_MS = 50 };

static json_t *size_list(const struct amp_matrix_workload *workload)
{
    json_t *array = json_array();

    for (size_t i = 0; workload && i < workload->n_sizes; i++)
        json_array_append_new(array, json_integer((json_int_t) workload->sizes[i]));
    return array;
}

/* As in the command line of the program: which kind of task. */
static const char *kind_of(const struct amp_matrix *matrix, const struct amp_cell *cell)
{
    return cell->kind == AMP_CELL_LAUNCH && matrix->workloads[cell->workload].pair ? "pair"
                                                                                   : amp_cell_kind_name(cell->kind);
}

/* allocators/workload/child.h says what a task holds. The caller frees it. */
static char *task_of(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell, const char *file, int cpu)
{
    const struct amp_configuration *configuration = &launcher->matrix->configurations.list[cell->configuration];
    const struct amp_matrix_workload *workload =
        cell->kind == AMP_CELL_LAUNCH ? &launcher->matrix->workloads[cell->workload] : NULL;
    json_t *task =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}", "file", file, "configuration",
                  configuration->name, "workload", workload ? workload->name : amp_cell_kind_name(cell->kind), "launch",
                  (json_int_t) cell->launch, "seed", (json_int_t) cell->seed, "cpu", (json_int_t) cpu,
                  "environment_padding_b", (json_int_t) cell->environment_padding_b, "quiet_ns",
                  (json_int_t) launcher->options->quiet_ns, "timeline_s", (json_int_t) launcher->options->timeline_s,
                  "quick", (int) launcher->options->quick, "classes", cell->launch == 0, "sizes", size_list(workload));
    char *text = task ? json_dumps(task, JSON_COMPACT) : NULL;

    json_decref(task);
    return text;
}

/* The configuration's variables and its library. The caller frees the list and its last word, *preload. */
static const char **environment_of(const struct amp_configuration *configuration, char **preload)
{
    size_t n = 0;
    const char **list;

    while (configuration->environment[n])
        n++;
    list = calloc(n + 2, sizeof *list);
    *preload = NULL;
    if (list && configuration->library && asprintf(preload, "LD_PRELOAD=%s", configuration->library) < 0)
        *preload = NULL;
    if (!list || (configuration->library && !*preload)) {
        free(list);
        return NULL;
    }
    memcpy(list, configuration->environment, n * sizeof *list);
    list[n] = *preload;
    return list;
}

int amp_matrix_cpu(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell)
{
    const struct amp_matrix_workload *workload = &launcher->matrix->workloads[cell->workload];

    if (cell->kind != AMP_CELL_LAUNCH)
        return -1;
    return (workload->pair ? workload->pair->threads == 0 : workload->workload->threads == 1) ? launcher->cpu : -1;
}

int amp_matrix_child(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell, const char *file,
                     struct amp_outcome *out)
{
    const struct amp_configuration *configuration = &launcher->matrix->configurations.list[cell->configuration];
    int cpu = amp_matrix_cpu(launcher, cell), err = -ENOMEM;
    char *preload, *task = task_of(launcher, cell, file, cpu);
    const char **environment = environment_of(configuration, &preload);
    const char *const argv[] = { "ampersand-workload", kind_of(launcher->matrix, cell), task, NULL };
    const struct amp_process process = {
        .argv = argv,
        .program = launcher->program,
        .environment = environment,
        .cpu = cpu,
        .environment_padding_b = cell->environment_padding_b,
        .timeout_s =
            launcher->options->timeout_s + (cell->kind == AMP_CELL_TIMELINE ? launcher->options->timeline_s : 0),
        .memory_limit_b = launcher->options->memory_limit_b,
    };

    if (task && environment)
        err = amp_process_run(&process, out);
    free(environment);
    free(preload);
    free(task);
    return err;
}

/* Half of what is free, at most. */
static size_t how_many_at_once(void)
{
    char line[64];
    uint64_t n = 1;

    if (amp_machine_value(line, sizeof line, "/proc/meminfo", "MemAvailable"))
        n = strtoull(line, NULL, 10) * 1024 / 2 / TIMELINE_B;
    return n < 1 ? 1 : n > MOST_AT_ONCE ? MOST_AT_ONCE : (size_t) n;
}

/* In a process of its own, which ends with this one. */
static _Noreturn void watch(const struct amp_matrix_launcher *launcher, const struct amp_cell *cell, const char *dir,
                            struct amp_outcome *out, pid_t parent)
{
    char file[PATH_MAX];
    int err = amp_cell_path(launcher->matrix, cell, dir, file);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (!err)
        err = amp_matrix_child(launcher, cell, file, out);
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

/* Reap those that have ended; until at most `most` are left, or none where we are interrupted. */
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

int amp_matrix_children(const struct amp_matrix_launcher *launcher, const struct amp_cell *cells, size_t n,
                        const char *dir, struct amp_outcome *out)
{
    size_t size = (n + 1) * sizeof *out, at_once = how_many_at_once();
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
            watch(launcher, &cells[i], dir, &shared[i], parent);
        if (pid < 0)
            err = -errno;
        else
            watchers.pid[watchers.n++] = pid;
    }
    wait_for(&watchers, 0);
    for (size_t i = 0; i < n && !amp_process_interrupted(); i++)
        if (shared[i].ending == AMP_INTERRUPTED) { /* its watcher was killed, and it with it */
            shared[i].ending = AMP_EXIT;
            snprintf(shared[i].detail, sizeof shared[i].detail, "it was killed from outside");
        }
    memcpy(out, shared, n * sizeof *out);
    munmap(shared, size);
    return err;
}
