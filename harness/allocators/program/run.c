/* SPDX-License-Identifier: MIT
 *
 * One run of the user's program, as program.h draws it. */
#include "harness/allocators/program/follow.h"
#include "harness/allocators/program/output.h"
#include "harness/allocators/program/seen.h"
#include "harness/measure/rounds.h"
#include "harness/measure/sensor.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_NS 60000000000u /* for a server to listen */
#define STEP_MS 5
#define END_NS 10000000000u /* for a server to end by itself */
#define LINE 160

struct run {
    const struct amp_program_task *task;
    struct amp_follow follow;
    int input, output, error, load_output; /* output: of the program; -1: not open */
    struct amp_in_force in_force;
    uint64_t wall_ns, user_ns, system_ns, sensor_ns[2], minor, major, involuntary_switches;
    size_t n_sensor;
    json_t *metric; /* a number; NULL: none was asked for */
    double seconds;
};

#define RUN(member, ...) AMP_FIELD(struct run, member, __VA_ARGS__)
#define TASK(member, ...) AMP_FIELD(struct amp_program_task, member, __VA_ARGS__)
const struct amp_record amp_program_launch_record = {
    AMP_FIELDS(AMP_BEHIND("", struct run, task,
                          AMP_OF(TASK(workload), TASK(configuration), TASK(launch), TASK(seed), TASK(cpu, .least = -1),
                                 TASK(environment_padding_b), TASK(quiet_ns, .least = 1))),
               AMP_INNER("in_force", struct run, in_force, &amp_in_force_record), RUN(wall_ns, .least = 1),
               RUN(user_ns), RUN(system_ns), AMP_LIST(struct run, sensor_ns, n_sensor, .least = 1),
               AMP_GROUP("memory", AMP_OF(AMP_FIELD_AS("peak_rss_b", struct run, follow.memory.peak_rss_b),
                                          AMP_FIELD_AS("retained_rss_b", struct run, follow.memory.rss_b))),
               AMP_GROUP("faults", AMP_OF(RUN(minor), RUN(major))), RUN(involuntary_switches),
               RUN(metric, .is_optional = true),
               RUN(seconds)),
    .schema = "ampersand/program/1",
};

static uint64_t ns_of(const struct timeval *time)
{
    return (uint64_t) time->tv_sec * 1000000000u + (uint64_t) time->tv_usec * 1000u;
}

/* It ended otherwise than well. */
static int refuse_ended(struct run *run, const char *when)
{
    const char *name = run->task->program.command[0];
    int status = run->follow.status, err = amp_follow_failed(&run->follow);
    char line[LINE];

    if (err)
        return amp_complain(AMP_EXIT_PROGRAM, name, "cannot be executed: %s", strerror(err));
    amp_output_last(run->error, line, sizeof line);
    if (!line[0] && run->output >= 0)
        amp_output_last(run->output, line, sizeof line);
    if (WIFSIGNALED(status))
        return amp_complain(AMP_EXIT_PROGRAM, name, "ended by signal %d, %s%s%s%s", WTERMSIG(status),
                            strsignal(WTERMSIG(status)), when, line[0] ? ": " : "", line);
    return amp_complain(AMP_EXIT_PROGRAM, name, "ended with status %d%s%s%s", WEXITSTATUS(status), when,
                        line[0] ? ": " : "", line);
}

/* ---- The load of a server */

static pid_t start_load(const struct run *run)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    if (chdir(run->task->program.folder) == 0 && dup2(run->input, STDIN_FILENO) >= 0 &&
        dup2(run->load_output, STDOUT_FILENO) >= 0 && dup2(run->load_output, STDERR_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", run->task->program.load, (char *) NULL);
    _exit(127);
}

static bool listens(const struct amp_follow *follow)
{
    pid_t pids[AMP_FOLLOWED];

    for (size_t i = 0; i < follow->n; i++)
        pids[i] = follow->alive[i].pid;
    return amp_seen_listening(pids, follow->n);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

/* Follow the server until it listens. False: it ended, or took too long. */
static bool wait_until_ready(struct amp_follow *follow)
{
    uint64_t until_ns = amp_clock_monotonic() + READY_NS;
    int status;

    while (!follow->has_ended && amp_clock_monotonic() < until_ns) {
        while (amp_follow_next(follow, WNOHANG, &status) > 0 && !follow->has_ended)
            continue;
        if (follow->has_begun && listens(follow))
            return true;
        pause_ms(STEP_MS);
    }
    return false;
}

/* Ask the server to end, wait for that, and kill it if it does not. */
static void end_server(struct amp_follow *follow)
{
    uint64_t until_ns = amp_clock_monotonic() + END_NS;
    int status;

    kill(follow->program, SIGTERM);
    while (!follow->has_ended && amp_clock_monotonic() < until_ns) {
        amp_follow_next(follow, WNOHANG, &status);
        pause_ms(1);
    }
    kill(follow->program, SIGKILL);
    while (!follow->has_ended)
        amp_follow_next(follow, 0, &status);
}

static int serve(struct run *run)
{
    struct amp_follow *follow = &run->follow;
    struct amp_memory memory;
    uint64_t begin_ns;
    pid_t load, ended = 0;
    char line[LINE];
    int status = 0;

    if (!wait_until_ready(follow)) {
        if (follow->has_ended)
            return refuse_ended(run, " before it listened");
        return amp_complain(AMP_EXIT_PROGRAM, run->task->program.command[0], "it did not listen within %d s",
                            (int) (READY_NS / 1000000000u));
    }
    begin_ns = amp_clock_monotonic();
    load = start_load(run);
    while (load > 0 && ended != load && !follow->has_ended)
        ended = amp_follow_next(follow, 0, &status);
    run->wall_ns = amp_clock_monotonic() - begin_ns;
    if (follow->has_ended)
        return refuse_ended(run, " under the load");
    amp_follow_look(follow);
    memory = follow->memory;
    end_server(follow);
    follow->memory = memory; /* not what it has when it has cleared up */
    if (load > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    amp_output_last(run->load_output, line, sizeof line);
    return amp_complain(AMP_EXIT_LOAD, "load", "ended with %s %d%s%s", WIFSIGNALED(status) ? "signal" : "status",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), line[0] ? ": " : "", line);
}

/* ---- The program */

static int wait_for_end(struct run *run)
{
    struct amp_follow *follow = &run->follow;
    int status;

    while (!follow->has_ended)
        amp_follow_next(follow, 0, &status);
    if (!WIFEXITED(follow->status) || WEXITSTATUS(follow->status) != 0)
        return refuse_ended(run, "");
    run->wall_ns = follow->end_ns - follow->begin_ns - follow->stopped_ns;
    return 0;
}

static int find_metric(struct run *run)
{
    const struct amp_program *program = &run->task->program;
    const int of[] = { program->load ? run->load_output : run->output, run->error };

    double metric;

    if (!program->metric)
        return 0;
    for (int i = 0; i < 2; i++)
        if (amp_output_metric(of[i], program->metric, &metric)) {
            run->metric = json_real(metric);
            return 0;
        }
    return amp_complain(AMP_EXIT_METRIC, "--metric", "'%s' matches no number above 0 in what was printed",
                        program->metric);
}

static int open_all(struct run *run)
{
    const struct amp_program *program = &run->task->program;

    run->input = open(program->input ? program->input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (run->input < 0)
        return amp_complain(2, program->input ? program->input : "/dev/null", "%s", strerror(errno));
    run->output = program->metric && !program->load ? amp_output_open() : open("/dev/null", O_WRONLY | O_CLOEXEC);
    run->error = amp_output_open();
    run->load_output = program->load ? amp_output_open() : -1;
    if (run->output < 0 || run->error < 0 || (program->load && run->load_output < 0))
        return amp_complain(2, "output", "%s", strerror(errno));
    return 0;
}

static int measure(struct run *run)
{
    const int descriptors[3] = { run->input, run->output, run->error };
    const struct rusage *usage = &run->follow.usage;
    int err, status;

    run->sensor_ns[0] = amp_sensor_read(amp_clock_monotonic);
    err = amp_follow_start(&run->follow, run->task, run->task->preload, descriptors);
    if (err)
        return amp_complain(2, run->task->program.command[0], "cannot be followed by ptrace: %s", strerror(-err));
    status = run->task->program.load ? serve(run) : wait_for_end(run);
    run->sensor_ns[1] = amp_sensor_read(amp_clock_monotonic);
    run->n_sensor = 2;
    run->user_ns = ns_of(&usage->ru_utime);
    run->system_ns = ns_of(&usage->ru_stime);
    run->minor = (uint64_t) usage->ru_minflt;
    run->major = (uint64_t) usage->ru_majflt;
    run->involuntary_switches = (uint64_t) usage->ru_nivcsw;
    run->in_force = (struct amp_in_force){ run->follow.library, run->follow.settings };
    return status ? status : find_metric(run);
}

int amp_program_run(const struct amp_program_task *task)
{
    static struct run run;
    uint64_t begin_ns = amp_clock_monotonic();
    int status;

    run = (struct run){ .task = task, .output = -1 };
    status = open_all(&run);
    if (!status)
        status = measure(&run);
    run.seconds = (double) (amp_clock_monotonic() - begin_ns) / 1e9;
    return status ? status : amp_record_save(&amp_program_launch_record, &run, task->file);
}
