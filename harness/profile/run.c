/* SPDX-License-Identifier: MIT */
#include "harness/profile/run.h"

#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/scratch.h"
#include "harness/profile/recorded.h"
#include "harness/profile/samples/proto.h"
#include "harness/profile/samples/symbols.h"
#include "harness/profile/show.h"
#include "harness/profile/show_cpu.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct run {
    const struct amp_run_options *options;
    char folder[PATH_MAX], ended[64];
    struct timespec begin;
    uint64_t cpu_before_ns;
    bool is_told; /* that names need libdw, or that the file cannot be written */
};

static uint64_t since_ns(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) (now.tv_sec - begin->tv_sec) * 1000000000u + (uint64_t) now.tv_nsec - (uint64_t) begin->tv_nsec;
}

/* Read what has been counted up to now, name its places and write the file. 0, or 2 after it has said why not. */
static int write_profile(struct run *run, struct amp_profile *profile)
{
    const struct amp_run_options *options = run->options;
    int err = amp_recorded_read(run->folder, options->is_cpu ? AMP_RECORDED_TICKS : AMP_RECORDED_ALLOCATIONS, profile);

    if (err)
        return amp_complain(2, run->folder, "what was counted cannot be read: %s", strerror(-err));
    err = amp_symbols_name(profile);
    if (err == -ENOTSUP && !run->is_told) {
        amp_complain(0, "libdw", "not in this build, so functions and lines are left out; the package is called libdw-dev");
        run->is_told = true;
    }
    if (err == -ENOMEM)
        return amp_complain(2, "symbols", "there is no memory");
    err = options->output ? amp_proto_save(profile, options->output, since_ns(&run->begin), options->command[0]) : 0;
    return err ? amp_complain(2, options->output, "cannot be written: %s", strerror(-err)) : 0;
}

static void snapshot(void *argument)
{
    struct run *run = argument;
    struct amp_profile profile = { 0 };

    write_profile(run, &profile);
    amp_profile_free(&profile);
}

/* The CPU time of all processes that were waited for, also by what this one was before exec: the door is a shell. */
static uint64_t cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (uint64_t) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
           (uint64_t) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

static int show(const struct run *run, const struct amp_profile *profile, const struct amp_shown *shown, FILE *out)
{
    const struct amp_run_options *options = run->options;
    const uint64_t taken_ns = cpu_ns() - run->cpu_before_ns;

    if (options->is_cpu)
        return (options->is_json ? amp_show_cpu_json : amp_show_cpu_table)(profile, shown, taken_ns, out);
    return (options->is_json ? amp_show_json : amp_show_table)(profile, shown, out);
}

/* The report on a program goes to stderr: stdout is the program's. */
static int report(struct run *run, struct amp_profile *profile)
{
    const struct amp_run_options *options = run->options;
    struct amp_shown shown = { options->title ? options->title : options->command[0], options->output,
                               run->ended[0] ? run->ended : NULL };
    FILE *out = options->title ? stdout : stderr;
    int status = write_profile(run, profile), err = 0;

    if (status)
        shown.file = NULL; /* it is not there */
    if (profile->store && !options->is_silent)
        err = show(run, profile, &shown, out);
    if (profile->store && out == stdout && (fflush(out) || ferror(out)))
        status = amp_complain(2, "stdout", "cannot be written");
    return err ? amp_complain(2, "profile", "%s", strerror(-err)) : status;
}

/* What can be said before the program runs, is. */
static int prepare(const struct amp_run_options *options, char *path, char *library, char *folder)
{
    const char *name = options->is_cpu ? "libampersand_cpu.so" : "libampersand_profile.so";
    int status = (options->is_cpu ? amp_program_check_code : amp_program_check)(options->command[0], path, PATH_MAX);
    int err = !status && options->output ? amp_proto_can_save(options->output) : 0;

    if (err)
        status = amp_complain(2, options->output, "cannot be written: %s", strerror(-err));
    if (!status)
        status = amp_launch_find_beside(name, library, PATH_MAX);
    return status ? status : amp_scratch_make(folder);
}

int amp_run_program(const struct amp_run_options *options, struct amp_profile *kept)
{
    struct run run = { .options = options };
    struct amp_profile profile = { 0 };
    char path[PATH_MAX], library[PATH_MAX], sample[24];
    struct amp_launch launch = { .command = options->command, .path = path, .library = library, .folder = run.folder,
                                 .output = options->told, .every_ns = options->every_ns, .snapshot = snapshot,
                                 .argument = &run };
    int status = prepare(options, path, library, run.folder), ended = 0, err;

    if (status)
        return status;
    if (options->title)
        setenv(AMP_PROFILE_OFF, "1", 1);
    snprintf(sample, sizeof sample, "%" PRIu64, options->sample_b);
    err = options->sample_b ? setenv(AMP_PROFILE_SAMPLE, sample, 1) : unsetenv(AMP_PROFILE_SAMPLE);
    clock_gettime(CLOCK_MONOTONIC, &run.begin);
    run.cpu_before_ns = cpu_ns();
    err = err ? -errno : amp_launch_run(&launch, &ended);
    if (err) {
        status = amp_complain(2, options->command[0], "cannot be started: %s", strerror(-err));
    } else {
        int own = amp_launch_describe(ended, run.ended, sizeof run.ended);

        status = options->title && own > 1 ? own : report(&run, &profile); /* 1: other lessons are missing */
        status = status ? status : own;
    }
    amp_scratch_remove(run.folder);
    if (kept)
        *kept = profile;
    else
        amp_profile_free(&profile);
    return status;
}
