/* SPDX-License-Identifier: MIT */
#include "harness/bench/alone/profiled.h"

#include "harness/lesson/layout.h"
#include "harness/run/outcome.h"
#include "harness/text/complain.h"
#include "harness/text/suggest.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMED_NS 500000000u /* of CPU time, where ticks of that are counted */
#define MOST_S 60           /* that a side may take, of many */

typedef void count_function(int on);

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

/* Run the operations that are recorded; for a time, as many as there is time for. Returns how many these were. */
__attribute__((__noinline__)) static uint64_t run_recorded(const struct amp_side *side, void *fixture, bool for_a_time,
                                                           uint64_t *checksum)
{
    uint64_t begin_ns = cpu_ns(), n = AMP_PROFILED_OPS, done = 0;

    do {
        *checksum += side->run(fixture, n);
        done += n;
        n *= cpu_ns() - begin_ns < TIMED_NS / 100 ? 2 : 1;
    } while (for_a_time && cpu_ns() - begin_ns < TIMED_NS);
    return done;
}

/* The row, or exit status 2 with the nearest name. */
static int refuse(const struct amp_registry *registry, const char *name)
{
    char(*names)[256] = calloc(registry->n + 1, sizeof *names);
    const char **texts = calloc(registry->n + 1, sizeof *texts), *nearest = NULL;

    for (size_t i = 0; names && texts && i < registry->n; i++) {
        amp_row_name(&registry->rows[i], names[i], sizeof *names);
        texts[i] = names[i];
    }
    if (names && texts)
        nearest = amp_suggest(name, texts, registry->n, amp_suggest_limit(name));
    if (nearest)
        amp_complain(2, name, "there is no such row; the nearest is '%s'", nearest);
    else
        amp_complain(2, name, "there is no such row; 'ampersand list' prints all; a program stands behind --");
    free(names);
    free(texts);
    return 2;
}

/* Returns how many operations were recorded. */
static uint64_t record(const struct amp_row *row, bool is_value, bool for_a_time, count_function *count)
{
    const struct amp_side *side = is_value ? &row->pair->value : &row->pair->pointer;
    void *fixture = amp_side_set_up(side, row->size);
    uint64_t checksum = side->run(fixture, 1), ops; /* what happens only once is over */

    count(1);
    ops = run_recorded(side, fixture, for_a_time, &checksum);
    count(0);
    amp_keep(&checksum);
    amp_side_tear_down(side, fixture);
    return ops;
}

/* What tells the profiler from where to where; NULL after saying that there is none. */
static count_function *find_count(const char *what)
{
    count_function *count;

    *(void **) &count = dlsym(RTLD_DEFAULT, "amp_profile_count");
    if (!count)
        amp_complain(2, what, "this process does not run under ampersand-profile");
    return count;
}

int amp_profiled_run(const struct amp_registry *registry, const char *task)
{
    bool is_value = strncmp(task, "value/", 6) == 0;
    const char *name = strchr(task, '/') ? strchr(task, '/') + 1 : task, *why = "";
    const struct amp_row *row = amp_registry_find(registry, name);
    const bool for_a_time = dlsym(RTLD_DEFAULT, "amp_profile_ticks") != NULL;
    count_function *count;
    uint64_t ops;

    if (!row)
        return refuse(registry, name);
    count = find_count(name);
    if (!count)
        return 2;
    if (amp_layout_hold_row(row, 0, &why))
        return amp_complain(2, name, "%s", why);
    ops = record(row, is_value, for_a_time, count);
    if (for_a_time)
        printf("%" PRIu64 " %" PRIu64 "\n", ops, (is_value ? row->pair->value : row->pair->pointer).copied_b_per_op);
    return fflush(stdout) ? 1 : 0;
}

/* A side in a process of its own, whose number is returned; `why` gets what went wrong, nothing if nothing did. */
static pid_t record_apart(const struct amp_row *row, bool is_value, count_function *count, struct amp_outcome *why)
{
    static const struct amp_exit exits[] = AMP_PAIR_EXITS;
    const struct amp_tail silent = { .n = 0 };
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* the parent is what an interruption ends */
        alarm(MOST_S);
        record(row, is_value, false, count);
        _exit(0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child < 0)
        snprintf(why->detail, sizeof why->detail, "%s", strerror(errno));
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(why->detail, sizeof why->detail, "it took more than %d s", MOST_S);
    else
        amp_outcome_describe(exits, 0, status, &silent, why);
    return child;
}

int amp_profiled_rows(const struct amp_registry *registry, const char *file)
{
    static const char *const sides[] = { "pointer", "value" };
    count_function *count = find_count(file);
    FILE *names = count ? fopen(file, "re") : NULL;
    char name[256];

    if (!names)
        return count ? amp_complain(2, file, "%s", strerror(errno)) : 2;
    while (fscanf(names, "%255s", name) == 1) {
        const struct amp_row *row = amp_registry_find(registry, name);
        const char *stale = "this build has no such row";

        for (int is_value = 1; is_value >= 0; is_value--) {
            struct amp_outcome why = { .ending = AMP_DONE };
            pid_t child = 0;

            if (!row || amp_layout_hold_row(row, 0, &stale))
                snprintf(why.detail, sizeof why.detail, "%s", stale);
            else
                child = record_apart(row, is_value, count, &why);
            printf("%ld %s %s %s\n", (long) child, sides[is_value], name, why.detail);
        }
    }
    fclose(names);
    return fflush(stdout) ? 1 : 0;
}
