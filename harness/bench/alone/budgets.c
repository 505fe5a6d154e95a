/* SPDX-License-Identifier: MIT */
#include "harness/bench/alone/budgets.h"

#include "harness/lesson/layout.h"
#include "harness/measure/heap.h"
#include "harness/run/outcome.h"
#include "harness/stack/use.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPS 10    /* of which each may take its budget */
#define MOST_S 60 /* that a row may take */

bool amp_budgets_any(const struct amp_pair *pair)
{
    return pair->value.budget || pair->pointer.budget;
}

/* What an operation takes. */
struct taken {
    double allocs, bytes;
    uint64_t stack_b; /* AMP_ANY: unknown, or of no interest */
};

static int measure(const struct amp_side *side, size_t size, bool has_threads, struct taken *out)
{
    void *fixture = amp_side_set_up(side, size);
    uint64_t checksum = side->run(fixture, 1); /* what happens only once is over */
    struct amp_stack_use use;
    struct amp_heap heap;
    int err = amp_heap_begin();

    if (!err) {
        checksum += side->run(fixture, OPS);
        err = amp_heap_end(&heap);
    }
    if (!err) {
        out->allocs = (double) heap.allocs / OPS;
        out->bytes = (double) heap.asked_b / OPS;
        out->stack_b = AMP_ANY;
        if (!has_threads && side->budget->stack_b > 0 && !amp_stack_use(side->run, fixture, 1, 0, &use))
            out->stack_b = use.touched_b;
    }
    amp_keep(&checksum);
    amp_side_tear_down(side, fixture);
    return err;
}

static int judge(const char *row, const char *side, const struct amp_budget *budget, const struct taken *taken)
{
    bool is_broken = taken->allocs > (double) budget->allocs ||
                     (budget->bytes > 0 && taken->bytes > (double) budget->bytes) ||
                     (budget->stack_b > 0 && taken->stack_b != AMP_ANY && taken->stack_b > budget->stack_b);

    printf("%s %s: %s: %.10g allocation%s, %.10g B", row, side, is_broken ? "broken" : "kept", taken->allocs,
           taken->allocs == 1 ? "" : "s", taken->bytes);
    if (taken->stack_b != AMP_ANY)
        printf(", %" PRIu64 " B of stack", taken->stack_b);
    printf(" an operation; budget ");
    if (budget->allocs == AMP_ANY)
        printf("any number of allocations");
    else
        printf("%" PRIu64 " allocation%s", budget->allocs, budget->allocs == 1 ? "" : "s");
    if (budget->bytes > 0)
        printf(", %" PRIu64 " B", budget->bytes);
    if (budget->stack_b > 0)
        printf(", %" PRIu64 " B of stack", budget->stack_b);
    puts("");
    return is_broken ? 3 : 0;
}

/* In the row's process. */
static int check(const struct amp_row *row, const char *name)
{
    const struct amp_side *sides[] = { &row->pair->value, &row->pair->pointer };
    static const char *const names[] = { "value", "pointer" };
    const char *why = "";
    int status = 0;

    if (amp_layout_hold_row(row, 0, &why))
        return amp_complain(1, name, "%s", why);
    if (amp_heap_available(&why))
        return amp_complain(1, name, "%s", why);
    for (size_t i = 0; i < 2; i++) {
        struct taken taken;
        int err, judged;

        if (!sides[i]->budget)
            continue;
        err = measure(sides[i], row->size, row->pair->threads > 0, &taken);
        if (err)
            return amp_complain(1, name, "what it allocates cannot be counted: %s", strerror(-err));
        judged = judge(name, sides[i]->label ? sides[i]->label : names[i], sides[i]->budget, &taken);
        status = judged > status ? judged : status;
    }
    return status;
}

int amp_budgets_check(const struct amp_row *row)
{
    static const struct amp_exit exits[] = AMP_PAIR_EXITS;
    const struct amp_tail silent = { .n = 0 };
    struct amp_outcome outcome = { .ending = AMP_DONE };
    char name[256];
    int status = 0;
    pid_t child;

    amp_row_name(row, name, sizeof name);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(MOST_S);
        status = check(row, name);
        _exit(fflush(stdout) ? 1 : status);
    }
    if (child < 0)
        return amp_complain(1, name, "%s", strerror(errno));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 3))
        return WEXITSTATUS(status);
    amp_outcome_describe(exits, 0, status, &silent, &outcome);
    return amp_complain(1, name, "%s", outcome.detail);
}
