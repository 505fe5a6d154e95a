/* SPDX-License-Identifier: MIT
 *
 * ampersand-gc --out DIR [flags]: run workloads under several collectors, into a run folder. The functions by which the
 * run engine (run/job.h) does that. */
#include "harness/collectors/jobs.h"
#include "harness/collectors/manifest.h"
#include "harness/files/results.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAUNCH_B 262144 /* a launch's file, with its lines in the journal */

struct collectors {
    struct amp_collectors_options options;
    const char *dir;
    char *programs[AMP_COLLECTORS]; /* of options.collectors */
    json_t *built;                  /* CRC-32s of these, when the run began */
    json_t *checksums;              /* of what was done, by its name */
};

static int restore(void *run, const json_t *manifest, const char **why)
{
    struct collectors *of = run;

    return amp_collectors_restore(manifest, &of->options, why);
}

/* benchmarks/gc/ampersand-gc-NAME, beside harness/collectors/ampersand-gc. */
static char *program_of(const struct amp_collectors_options *options, const char *collector)
{
    char path[PATH_MAX], *program = NULL;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (strcmp(collector, "go") == 0)
        return options->go ? strdup(options->go) : NULL;
    if (n < 0)
        return NULL;
    path[n] = '\0';
    for (int up = 0; up < 3 && strrchr(path, '/'); up++)
        *strrchr(path, '/') = '\0';
    if (asprintf(&program, "%s/benchmarks/gc/ampersand-gc-%s", path, collector) < 0)
        return NULL;
    return program;
}

static const char *missing(const char *collector)
{
    if (strcmp(collector, "go") == 0)
        return "go is not here, or did not build its program; the package is called golang";
    if (strcmp(collector, "boehm") == 0)
        return "ampersand was built without Boehm's collector; the package is called libgc-dev";
    return "its program was not built";
}

static json_t *crc32s(const struct collectors *of)
{
    json_t *programs = json_object();
    uint32_t crc32;

    for (size_t c = 0; c < of->options.n_collectors; c++)
        if (amp_results_crc32(of->programs[c], &crc32) == 0)
            json_object_set_new(programs, of->options.collectors[c], json_integer(crc32));
    return programs;
}

/* Leave out the collectors that are not here, unless they were asked for. */
static int choose(void *run)
{
    struct collectors *of = run;
    struct amp_collectors_options *options = &of->options;
    size_t kept = 0;

    for (size_t c = 0; c < options->n_collectors; c++) {
        const char *collector = options->collectors[c];
        char *program = program_of(options, collector);

        if (program && access(program, X_OK) == 0) {
            options->collectors[kept] = collector;
            of->programs[kept++] = program;
            continue;
        }
        free(program);
        if (options->by_name || options->resume)
            return amp_complain(AMP_RUN_UNUSABLE, collector, "%s", missing(collector));
        amp_complain(0, collector, "left out: %s", missing(collector));
    }
    options->n_collectors = kept;
    of->built = crc32s(of);
    return kept > 0 ? 0 : amp_complain(AMP_RUN_UNUSABLE, "gc", "no collector is here");
}

static json_t *manifest(void *run, const char **why)
{
    struct collectors *of = run;

    *why = "it cannot be put into JSON";
    return amp_collectors_manifest(&of->options, json_incref(of->built));
}

static uint64_t need_b(const void *run)
{
    const struct collectors *of = run;

    return amp_collectors_size(&of->options) * LAUNCH_B;
}

/* How long points and pauses will take, from trials: seconds by the clock, beside whatever else runs now; negative if a
 * trial did not end well. */
static double forecast_s(const struct collectors *of)
{
    struct amp_jobs trials = { 0 };
    double seconds = 0;

    amp_collectors_trials(&of->options, of->dir, of->programs, &trials);
    for (size_t i = 0; i < trials.n && seconds >= 0; i++) {
        struct amp_job *trial = &trials.list[i];
        const struct amp_process *process = &trial->process;
        struct amp_outcome outcome = { 0 };

        trial->process.argv = trial->words;
        if (amp_process_run(&process, 1, 1, &outcome) || outcome.ending != AMP_DONE)
            seconds = -1;
        else
            seconds += outcome.seconds * amp_collectors_trial_times(&of->options, i);
        unlink(trial->file);
    }
    amp_jobs_free(&trials);
    return seconds;
}

static void announce(const struct collectors *of)
{
    const struct amp_collectors_options *o = &of->options;
    const double seconds = o->resume ? -1 : forecast_s(of);
    char about[64] = "";

    if (seconds >= 0)
        snprintf(about, sizeof about, "; about %.0f minutes, as fast as trials went", ceil(seconds / 60));
    amp_complain(0, "gc", "%zu points of some %u cycles, %u times; pauses of %" PRIu64 " cycles for each collector%s",
                 o->n_collectors * o->n_workloads * o->n_live * o->n_gogc, o->cycles, o->launches, o->pauses, about);
}

static int make(void *run, int cpu, struct amp_jobs *out)
{
    struct collectors *of = run;

    if (cpu < 0)
        amp_complain(0, "CPUs", "this process may use one only: no collector can run beside its program");
    announce(of);
    amp_collectors_jobs(&of->options, of->dir, of->programs, out);
    return 0;
}

static const char *rebuilt(void *run, const struct amp_job *job)
{
    struct collectors *of = run;
    json_t *now = crc32s(of);
    bool same = json_equal(now, of->built);

    (void) job;
    json_decref(now);
    return same ? NULL : "a collector's program";
}

static void refuse(struct amp_outcome *outcome, const char *reason, const char *detail)
{
    outcome->ending = AMP_REFUSED;
    outcome->reason = reason;
    snprintf(outcome->detail, sizeof outcome->detail, "%s", detail);
}

/* What a workload computes depends on its seed and its live heap alone: what differs has lost or mixed up objects. */
static void hold_to_others(struct collectors *of, const struct amp_job *job, struct amp_outcome *outcome)
{
    json_t *result = json_load_file(job->file, 0, NULL);
    const char *workload = "", *checksum = "", *collector = "", *known;
    json_int_t live_b = 0, turnover = 0, seed = 0;
    char name[128], detail[160];

    json_unpack(result, "{s:s, s:s, s:s, s:I, s:I, s:I}", "workload", &workload, "checksum", &checksum, "collector",
                &collector, "live_b", &live_b, "turnover", &turnover, "seed", &seed);
    snprintf(name, sizeof name, "%s/%lld/%lld/%lld", workload, (long long) live_b, (long long) turnover,
             (long long) seed);
    known = json_string_value(json_object_get(of->checksums, name));
    if (known && strcmp(known, checksum) != 0) {
        snprintf(detail, sizeof detail, "%s computed %.20s, another collector %.20s", collector, checksum, known);
        refuse(outcome, "checksum", detail);
    } else if ((job->kind != AMP_GC_SHAPE || turnover == 0) && json_array_size(json_object_get(result, "cycles")) == 0) {
        refuse(outcome, "no cycle", "nothing was collected while it was measured");
    } else if (!known) {
        json_object_set_new(of->checksums, name, json_string(checksum));
    }
    json_decref(result);
}

static int turn(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out)
{
    (void) left;
    out->ending = AMP_DONE;
    if (job->state == AMP_JOB_DONE && job->kind != AMP_GC_GRAPH)
        hold_to_others(run, job, out);
    return out->ending == AMP_DONE ? AMP_TURN_GO : AMP_TURN_FAIL;
}

static int accept(void *run, const struct amp_job *job, struct amp_outcome *outcome)
{
    if (outcome->ending == AMP_DONE && job->kind != AMP_GC_GRAPH)
        hold_to_others(run, job, outcome);
    return 0;
}

static const struct amp_manifest_part parts[] = { { "programs", NULL, "the collectors' programs" }, { 0 } };

static int run_all(struct amp_collectors_options *options)
{
    static const struct amp_run_verb verb = {
        .schema = "ampersand/gc/1", .parts = parts, .quiet_share = 0.1, .restore = restore, .choose = choose,
        .manifest = manifest, .need_b = need_b, .make = make, .turn = turn, .rebuilt = rebuilt, .accept = accept,
    };
    struct collectors of = { .options = *options, .checksums = json_object(),
                             .dir = options->resume ? options->resume : options->out };
    const struct amp_run_request request = { .dir = of.dir, .resume = options->resume != NULL,
                                             .no_wait = &of.options.no_wait, .quiet_ns = &of.options.quiet_ns };
    int status = amp_run(&verb, &of, &request);

    for (size_t c = 0; c < AMP_COLLECTORS; c++)
        free(of.programs[c]);
    json_decref(of.built);
    json_decref(of.checksums);
    return status;
}

/* The command as a user gave it, for the manifest: the verb is named, and what the door adds is left out. */
static const char **user_command(int argc, char **argv)
{
    const char **command = calloc((size_t) argc + 2, sizeof *command);
    size_t n = 0;

    for (int i = 0; command && i < argc; i++) {
        if (strcmp(argv[i], "--go") == 0)
            i++;
        else if (strncmp(argv[i], "--go=", 5) != 0)
            command[n++] = strdup(argv[i]);
        if (i == 0)
            command[n++] = strdup("gc");
    }
    return command;
}

int main(int argc, char **argv)
{
    struct amp_collectors_options options;
    const char **command = user_command(argc, argv);
    int status;

    if (!command)
        return amp_complain(2, "gc", "no memory");
    amp_process_follow();
    status = amp_collectors_options_parse(argc, argv, &options);
    options.command = command;
    if (!status)
        status = run_all(&options);
    for (size_t i = 0; command[i]; i++)
        free((void *) command[i]);
    free(command);
    return status;
}
