/* SPDX-License-Identifier: MIT
 *
 * A job is one child process and the result file that it writes. A verb (bench, allocators) makes the jobs of a run and
 * judges the results. amp_run() does the rest, and does not know what is measured.
 *
 *   make jobs --> for each:  turn ---> has it a result already, or does the verb leave it out?
 *                              |
 *                            journal <- start
 *                            wait for a quiet core, run the child, which writes its file whole or not at all;
 *                              run it again if the core was disturbed and there is time for that
 *                            accept --> the verb checks the result
 *                            journal <- done, or failed with the reason
 *
 * If the result file exists, the job is done, whatever the journal says. So it does not matter when a run is killed.
 *
 * A child that crashes, takes too long or gets no memory is run again, since that may be chance. If that happens twice,
 * its launch is lost. The group goes on without it while enough launches are left for an interval (`needed`) and no
 * two in a row were lost: a child that crashes every time is started four times, not for every launch. Otherwise the
 * group fails, and the rest of it is not run. If a child reports a failure by its exit status, that is no chance: its
 * group fails at once. */
#ifndef AMP_JOB_H
#define AMP_JOB_H

#include "harness/files/record.h"
#include "harness/run/process.h"

enum { AMP_JOB_KINDS = 4, AMP_JOB_WORDS = 12 };

enum amp_job_state { AMP_JOB_TO_DO, AMP_JOB_DONE, AMP_JOB_LOST, AMP_JOB_SKIPPED };

struct amp_job {
    unsigned kind; /* the verb's, below AMP_JOB_KINDS: jobs of one kind take about the same time */
    unsigned launch;
    /* Jobs of one group fail together. A group may be part of a larger one, as a cell is of its column: if a job of the
     * larger group fails, all groups in it fail. */
    size_t group, within;
    size_t needed;  /* how many launches of this group and kind an interval needs */
    char *name;     /* of the group, for messages */
    char *file;     /* its result */
    json_t *fields; /* the keys by which the journal identifies the job, "kind" among them */
    struct amp_process process;
    const char *words[AMP_JOB_WORDS + 1]; /* argv of the process, set when it starts */
    bool timed;       /* needs a quiet core */
    bool foreign;     /* its program only writes "<file>.tmp"; the loop renames it when it is complete */
    uint64_t beside_b; /* the most memory that it takes, if it may run beside others; 0: it runs alone */
    enum amp_job_state state;
    bool tried; /* its child has failed once */
};

struct amp_jobs {
    struct amp_job *list; /* in the order in which they run */
    size_t n, cap;
    bool no_memory; /* a job or a part of one could not be made */
    const char *event; /* the first event of the run in the journal; NULL: "plan" or "resume" */
    json_t *fields;    /* of that event, besides the number of children */
};

/* Add a job: all zero, but its CPU is -1. If there is no memory, `no_memory` is set and the job is not kept. */
struct amp_job *amp_jobs_add(struct amp_jobs *jobs);

/* Format a string that the jobs own, and a word of a job's command line. */
__attribute__((format(printf, 2, 3))) char *amp_jobs_text(struct amp_jobs *jobs, const char *format, ...);
__attribute__((format(printf, 3, 4))) void amp_jobs_word(struct amp_jobs *jobs, struct amp_job *job, const char *format,
                                                         ...);

/* Add a child's task to its command line, as JSON; amp_record_parse() reads it there. */
void amp_jobs_task(struct amp_jobs *jobs, struct amp_job *job, const struct amp_record *record, const void *task);

/* How many launches an order-statistic interval needs, if all intervals of so many comparisons hold together at 95 %:
 * the chance that all n launches lie on one side of the median, 2 (1/2)^n, must be at most 0.05 / comparisons. */
size_t amp_jobs_needed(size_t comparisons);

/* Put the jobs from number `first` on into random order. */
void amp_jobs_shuffle(struct amp_jobs *jobs, size_t first, uint64_t seed);
void amp_jobs_free(struct amp_jobs *jobs);

/* The exit statuses of a run. */
enum { AMP_RUN_DONE = 0, AMP_RUN_FAILED = 1, AMP_RUN_UNUSABLE = 2, AMP_RUN_INTERRUPTED = 130 };

enum amp_turn {
    AMP_TURN_GO,
    AMP_TURN_LEAVE_OUT, /* leave out the job and its group; *outcome's detail says why */
    AMP_TURN_FAIL,      /* the job fails as *outcome says, which has a reason */
    AMP_TURN_END,       /* the run is complete without this job and the following ones; *outcome's detail says why */
};

/* A part of the manifest that must stay the same for launches of one run to be comparable, and its name in words. */
struct amp_manifest_part {
    const char *part, *key, *words; /* NULL key: the whole part */
};

/* The functions of a verb. `run` is the verb's own data. Functions that return an int return 0, or the exit status 2
 * after a line on stderr; those marked "err" return a negative errno. */
struct amp_run_verb {
    const char *schema;                    /* of its manifest */
    const struct amp_manifest_part *parts; /* besides machine and build; a NULL part ends them */
    double quiet_share;                    /* of the run's time, which may go into waiting for a quiet core */

    /* Read the settings from the manifest of an existing run; *why on failure. */
    int (*restore)(void *run, const json_t *manifest, const char **why);
    /* Choose what to measure, by the settings. */
    int (*choose)(void *run);
    /* Everything that readers and --resume need: a new reference, or NULL with *why. */
    json_t *(*manifest)(void *run, const char **why);
    /* The name of a file that the measured programs load and that was replaced since the run began, or NULL. The
     * function may be NULL. */
    const char *(*replaced)(void *run);
    uint64_t (*need_b)(const void *run); /* disk space; rather too much than too little */
    /* Make the jobs. `cpu` is for jobs with one thread; -1: there is only one CPU. */
    int (*make)(void *run, int cpu, struct amp_jobs *out);

    /* Called before each job, also if it has a result (AMP_JOB_DONE). `left` jobs are still to do. NULL: always go.
     * An enum amp_turn, or err. */
    int (*turn)(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out);
    /* The name of what the job measures, if that was built again since the run began; else NULL. The function may be
     * NULL. */
    const char *(*rebuilt)(void *run, const struct amp_job *job);
    /* Whether too little of a result was measured on a quiet core. NULL: the children take care of that. */
    bool (*is_disturbed)(const json_t *result);
    /* Called when a job's child has ended, in any way; may turn AMP_DONE into AMP_REFUSED with a reason. err */
    int (*accept)(void *run, const struct amp_job *job, struct amp_outcome *outcome);
};

struct amp_run_request {
    const char *dir;
    bool resume;
    const bool *no_wait;  /* known once the settings are restored */
    uint64_t *quiet_ns;   /* the sensor's reading on a quiet core; measured for a new run */
};

/* Do a whole run, and return the exit status. Progress goes to stderr. */
int amp_run(const struct amp_run_verb *verb, void *run, const struct amp_run_request *request);

#endif
