/* SPDX-License-Identifier: MIT */
#include "harness/run/job.h"

#include "harness/measure/rounds.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct amp_job *amp_jobs_add(struct amp_jobs *jobs)
{
    static struct amp_job thrown_away;
    struct amp_job *job = &thrown_away;

    if (jobs->n == jobs->cap) {
        size_t cap = 2 * jobs->cap + 64;
        struct amp_job *list = realloc(jobs->list, cap * sizeof *list);

        jobs->no_memory = jobs->no_memory || !list;
        jobs->list = list ? list : jobs->list;
        jobs->cap = list ? cap : jobs->cap;
    }
    if (jobs->n < jobs->cap)
        job = &jobs->list[jobs->n++];
    *job = (struct amp_job){ .process.cpu = -1 };
    return job;
}

static char *print(struct amp_jobs *jobs, const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) >= 0)
        return text;
    jobs->no_memory = true;
    return NULL;
}

char *amp_jobs_text(struct amp_jobs *jobs, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = print(jobs, format, arguments);
    va_end(arguments);
    return text;
}

static const char **next_word(struct amp_job *job)
{
    size_t n = 0;

    while (job->words[n])
        n++;
    assert(n < AMP_JOB_WORDS);
    return &job->words[n];
}

void amp_jobs_word(struct amp_jobs *jobs, struct amp_job *job, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *next_word(job) = print(jobs, format, arguments);
    va_end(arguments);
}

void amp_jobs_task(struct amp_jobs *jobs, struct amp_job *job, const struct amp_record *record, const void *task)
{
    json_t *json = amp_record_write(record, task);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    jobs->no_memory = jobs->no_memory || !text;
    *next_word(job) = text;
    json_decref(json);
}

size_t amp_jobs_needed(size_t comparisons)
{
    size_t n = 1;

    while ((1ull << (n - 1)) < 20 * (uint64_t) comparisons)
        n++;
    return n;
}

void amp_jobs_shuffle(struct amp_jobs *jobs, size_t first, uint64_t seed)
{
    amp_random_shuffle(jobs->list + first, jobs->n - first, sizeof *jobs->list, &seed);
}

void amp_jobs_free(struct amp_jobs *jobs)
{
    for (size_t i = 0; i < jobs->n; i++) {
        struct amp_job *job = &jobs->list[i];

        for (size_t word = 0; job->words[word]; word++)
            free((char *) job->words[word]);
        free(job->name);
        free(job->file);
        json_decref(job->fields);
    }
    json_decref(jobs->fields);
    free(jobs->list);
    *jobs = (struct amp_jobs){ .n = 0 };
}
