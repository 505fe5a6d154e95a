/* SPDX-License-Identifier: MIT */
#include "harness/bench/alone/profiled.h"

#include "harness/lesson/layout.h"
#include "harness/text/complain.h"
#include "harness/text/suggest.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMED_NS 500000000u /* of CPU time, where ticks of that are counted */

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

int amp_profiled_run(const struct amp_registry *registry, const char *task)
{
    bool is_value = strncmp(task, "value/", 6) == 0;
    const char *name = strchr(task, '/') ? strchr(task, '/') + 1 : task, *why = "";
    const struct amp_row *row = amp_registry_find(registry, name);
    const struct amp_side *side;
    void (*count)(int on);
    const bool for_a_time = dlsym(RTLD_DEFAULT, "amp_profile_ticks") != NULL;
    uint64_t checksum, ops;
    void *fixture;

    *(void **) &count = dlsym(RTLD_DEFAULT, "amp_profile_count");
    if (!row)
        return refuse(registry, name);
    if (!count)
        return amp_complain(2, name, "this process does not run under ampersand-profile");
    if (amp_layout_hold_row(row, 0, &why))
        return amp_complain(2, name, "%s", why);
    side = is_value ? &row->pair->value : &row->pair->pointer;
    fixture = amp_side_set_up(side, row->size);
    checksum = side->run(fixture, 1); /* what happens only once is over */
    count(1);
    ops = run_recorded(side, fixture, for_a_time, &checksum);
    count(0);
    amp_keep(&checksum);
    amp_side_tear_down(side, fixture);
    if (for_a_time)
        printf("%" PRIu64 " %" PRIu64 "\n", ops, side->copied_b_per_op);
    return fflush(stdout) ? 1 : 0;
}
