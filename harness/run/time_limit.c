/* SPDX-License-Identifier: MIT */
#include "harness/run/time_limit.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROC "/proc/"

double amp_time_limit_end_s(const struct amp_time_limit *limit)
{
    return limit->begin_s + fmin(limit->limit_s + limit->waited_s, AMP_TIME_LIMIT_MOST * limit->limit_s);
}

bool amp_time_limit_is_over(struct amp_time_limit *limit, double now_s, double (*waited_s)(pid_t group), pid_t group)
{
    if (now_s < amp_time_limit_end_s(limit))
        return false;
    limit->waited_s = waited_s(group);
    return now_s >= amp_time_limit_end_s(limit);
}

/* The second number of schedstat: nanoseconds on a run queue, without those on a CPU. */
static double read_waited_s(const char *path)
{
    unsigned long long ran_ns, waited_ns;
    FILE *file = fopen(path, "re");
    bool told = file && fscanf(file, "%llu %llu", &ran_ns, &waited_ns) == 2;

    if (file)
        fclose(file);
    return told ? (double) waited_ns / 1e9 : 0;
}

double amp_time_limit_waited_s(pid_t group)
{
    double longest_s = 0;
    glob_t tasks;

    if (glob(PROC "[0-9]*/task/*/schedstat", GLOB_NOSORT, NULL, &tasks))
        return 0;
    for (size_t i = 0; i < tasks.gl_pathc; i++) {
        pid_t process = (pid_t) strtol(tasks.gl_pathv[i] + strlen(PROC), NULL, 10);

        if (getpgid(process) == group)
            longest_s = fmax(longest_s, read_waited_s(tasks.gl_pathv[i]));
    }
    globfree(&tasks);
    return longest_s;
}
