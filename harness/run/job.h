/* SPDX-License-Identifier: MIT
 *
 * A job is one child process and the file that it leaves. A verb (bench, allocators) makes the jobs of a run and judges
 * what they leave; amp_run() does the rest, and knows nothing of what is measured.
 *
 *   make jobs --> for each:  turn ---> has it a result, or does the verb leave it out?
 *                              |
 *                            journal <- start
 *                            wait for a quiet core, child, its file whole or not at all;
 *                              again while the core was disturbed and there is patience
 *                            accept --> the verb holds the result to what it knows
 *                            journal <- done, or failed with the reason
 *
 * A result file that is there is done, whatever the journal says: the journal tells what happened, the files hold it.
 * So there is no moment at which a kill could make the two disagree in a way that matters.
 *
 * A child that crashes, takes too long or finds no memory is tried once more, since that may be chance. Where it ends so
 * twice, its launch is lost. Its group goes on without that launch if the one before it was finished and if enough are
 * left for an interval (`needed`); else the group has failed and the rest of it is not run. What a child says itself, by
 * an exit status, is no chance: its group fails at once. */
#ifndef AMP_JOB_H
#define AMP_JOB_H

#include "harness/run/process.h"

#include <jansson.h>

enum { AMP_JOB_KINDS = 3, AMP_JOB_WORDS = 12 };

enum amp_job_state { AMP_JOB_TO_DO, AMP_JOB_DONE, AMP_JOB_LOST, AMP_JOB_SKIPPED };

struct amp_job {
    unsigned kind; /* index into the verb's kinds */
    unsigned launch;
    /* Jobs of one group fail together. A group may lie within a larger one, as a cell does in its column: a job whose
     * group is the larger one takes all that lies within it along. */
    size_t group, within;
    size_t needed;  /* launches of this group and kind that an interval needs */
    char *name;     /* of the group, for messages */
    char *file;     /* its result */
    json_t *fields; /* the journal's keys that say which job it is */
    struct amp_process process; /* its argv are these: */
    const char *words[AMP_JOB_WORDS + 1];
    bool timed;       /* wants a quiet core */
    bool foreign;     /* its program writes "<file>.tmp" and does not hold it whole: the loop does */
    uint64_t beside_b; /* memory that it takes at most where it may run beside others; 0: it runs alone */
    enum amp_job_state state;
    bool tried; /* its child has ended badly once */
};

struct amp_jobs {
    struct amp_job *list; /* in the order in which they run */
    size_t n, cap;
    bool no_memory; /* a job or a part of one could not be made */
    const char *event; /* what the run begins with in the journal; NULL: "plan" or "resume" */
    json_t *fields;    /* of that event, beside the number of children */
};

/* A job more, zeroed but for its CPU, -1. Where there is no memory, one that is thrown away. */
struct amp_job *amp_jobs_add(struct amp_jobs *jobs);

/* A string of the jobs', as printf() writes it, and a word of a job's command line. */
__attribute__((format(printf, 2, 3))) char *amp_jobs_text(struct amp_jobs *jobs, const char *format, ...);
__attribute__((format(printf, 3, 4))) void amp_jobs_word(struct amp_jobs *jobs, struct amp_job *job, const char *format, ...);

/* How many launches the order-statistic interval of one of so many comparisons needs, at 95 % for all of them together:
 * the chance that all of n lie on one side of the median, 2 (1/2)^n, is at most 0.05 / comparisons. */
size_t amp_jobs_needed(size_t comparisons);

/* In random order, from the job `first` on. */
void amp_jobs_shuffle(struct amp_jobs *jobs, size_t first, uint64_t seed);
void amp_jobs_free(struct amp_jobs *jobs);

/* The exit statuses of a run. */
enum { AMP_RUN_DONE = 0, AMP_RUN_FAILED = 1, AMP_RUN_UNUSABLE = 2, AMP_RUN_INTERRUPTED = 130 };

enum amp_turn {
    AMP_TURN_GO,
    AMP_TURN_LEAVE_OUT, /* it and its group: *outcome's detail says why */
    AMP_TURN_FAIL,      /* as *outcome says */
    AMP_TURN_END,       /* the run is complete without it and all that follow: *outcome's detail says why */
};

/* What a verb knows. `run` is the verb's own; functions that return an int give 0 or the exit status 2 after having said
 * why, or where it is named err, a negative errno. */
/* A part of a manifest that must stay the same for launches of one run to be comparable, and its name in words. */
struct amp_manifest_part {
    const char *part, *key, *words; /* NULL key: the whole part */
};

struct amp_run_verb {
    const char *schema;                 /* of its manifest */
    const char *kinds[AMP_JOB_KINDS];   /* as in the journal */
    const struct amp_manifest_part *parts; /* beside machine and build; a NULL part ends them */
    double patience;                    /* share of the run's time for waiting until the core is quiet */

    /* Settings from the manifest of a run that is there; *why on failure. */
    int (*restore)(void *run, const json_t *manifest, const char **why);
    /* What is measured, by the settings. */
    int (*choose)(void *run);
    /* All that a reader and --resume must know: a new reference, or NULL with *why. */
    json_t *(*manifest)(void *run, const char **why);
    /* What the measured programs load that was replaced since the run began: its name, or NULL. The function may be NULL. */
    const char *(*replaced)(void *run);
    uint64_t (*need_b)(const void *run); /* of the disk: rather too much than too little */
    /* `cpu` is for jobs of one thread; -1: there is only one. */
    int (*make)(void *run, int cpu, struct amp_jobs *out);

    /* Before each job, also one that has a result (AMP_JOB_DONE). `left` jobs are still to do. NULL: always go. */
    enum amp_turn (*turn)(void *run, const struct amp_job *job, size_t left, struct amp_outcome *out);
    /* The name of what the job measures, if that was built anew since the run began; else NULL. */
    const char *(*rebuilt)(void *run, const struct amp_job *job);
    /* Whether too little of a result was measured on a quiet core. NULL: the children see to that themselves. */
    bool (*is_disturbed)(const json_t *result);
    /* Of a job whose child has ended in whichever way; may turn AMP_DONE into AMP_REFUSED with a reason. err */
    int (*accept)(void *run, const struct amp_job *job, struct amp_outcome *outcome);
};

struct amp_run_request {
    const char *dir;
    bool resume;
    const bool *no_wait;  /* known once the settings are restored */
    uint64_t *quiet_ns;   /* what the sensor reads on a quiet core: found out for a new run */
};

/* A run from its folder to its end: the exit status. Progress goes to stderr. */
int amp_run(const struct amp_run_verb *verb, void *run, const struct amp_run_request *request);

#endif
