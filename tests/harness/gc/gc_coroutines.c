/* SPDX-License-Identifier: MIT
 *
 * Coroutines that a mutator runs on stacks of their own: what is on a registered one is kept, and one that is not
 * registered is an error with a name.
 *
 *   gc_coroutines CASE */
#include "tests/harness/gc/gc_cases.h"

#include <errno.h>

#define STACKS 6
#define ROUNDS 30
#define DEPTH 20
#define CHECKS (AMP_GC_POISON | AMP_GC_VERIFY)

static struct amp_stack *stacks[STACKS];

static struct amp_stack *make_stack(void)
{
    struct amp_stack *stack;
    const char *why;

    if (amp_stack_create(NULL, &stack, &why))
        abort();
    return stack;
}

AMP_GROWS(uint64_t, deep, FRAME, void *n)
{
    return n ? deep((char *) n - 1) + 1 : 0;
}

/* A list that only this coroutine's stack knows, which begins with the object that it was started with; how much of it
 * is whole in the end. The stack moves meanwhile. */
AMP_GROWS(uint64_t, keeps_a_list, FRAME, void *first_one)
{
    struct node *first = first_one;
    uint64_t whole = 0;

    for (uint64_t i = 1; i < ROUNDS; i++) {
        struct node *made;

        amp_stack_yield(i);
        made = amp_gc_alloc(nodes);
        if (!made)
            return 0;
        made->value = first->value + 1;
        amp_gc_store(&made->next, first);
        first = made;
        deep((void *) (i % DEPTH));
    }
    for (const struct node *at = first; at && at->value == ROUNDS - whole; at = at->next)
        whole++;
    return whole;
}

struct begun {
    struct node *with[STACKS];
};

static uint64_t begin_all(void *begun)
{
    struct begun *all = begun;

    for (unsigned i = 0; i < STACKS; i++) {
        stacks[i] = make_stack();
        if (amp_gc_stack_add(stacks[i]) || amp_stack_start(stacks[i], keeps_a_list, all->with[i]))
            abort();
        all->with[i] = NULL;
    }
    return 0;
}

static uint64_t run_all(void *unused)
{
    uint64_t sum = 0, value = 0;
    unsigned left = STACKS;

    while (left > 0)
        for (unsigned i = 0; i < STACKS; i++)
            if (stacks[i] && amp_stack_resume(stacks[i], &value) == 0) {
                sum += value;
                if (amp_gc_stack_remove(stacks[i]) || amp_stack_destroy(stacks[i]))
                    abort();
                stacks[i] = NULL;
                left--;
            }
    return sum + (uintptr_t) unused;
}

AMP_GROWS(void, make_firsts, FRAME, struct begun *begun)
{
    for (unsigned i = 0; i < STACKS; i++) {
        begun->with[i] = amp_gc_alloc(nodes);
        begun->with[i]->value = 1;
    }
    amp_stack_call(begin_all, begun);
}

AMP_GROWS(uint64_t, runs_coroutines, FRAME, void *unused)
{
    struct begun begun;

    make_firsts(&begun);
    deep((void *) DEPTH); /* over what it left */
    amp_gc_collect(gc);
    return amp_stack_call(run_all, unused);
}

static void coroutines_with(struct amp_gc_limits limits)
{
    uint64_t whole = 0;
    int error;

    gc = make(limits);
    error = amp_gc_run(gc, "one", runs_coroutines, NULL, &whole);
    printf("%d %lu\n", error, (unsigned long) whole);
    amp_gc_destroy(gc);
}

static void coroutines(void)
{
    coroutines_with((struct amp_gc_limits){ .gogc = 100, .modes = CHECKS | AMP_GC_COLLECT });
}

/* ---- Registered while marking goes on, after it has run */

AMP_GROWS(uint64_t, keeps_one, FRAME, void *object)
{
    amp_stack_yield(0);
    return ((struct node *) object)->value;
}

static uint64_t give(void *begun)
{
    struct begun *all = begun;
    uint64_t value;

    stacks[0] = make_stack();
    amp_stack_start(stacks[0], keeps_one, all->with[0]);
    all->with[0] = NULL;
    amp_stack_resume(stacks[0], &value);
    return value;
}

static uint64_t take_back(void *unused)
{
    uint64_t value = 78;

    (void) unused;
    amp_stack_resume(stacks[0], &value); /* hosted, it has returned already */
    amp_gc_stack_remove(stacks[0]);
    amp_stack_destroy(stacks[0]);
    return value;
}

AMP_GROWS(void, make_and_give, FRAME, struct begun *begun)
{
    begun->with[0] = amp_gc_alloc(nodes);
    begun->with[0]->value = 78;
    amp_stack_call(give, begun);
}

AMP_GROWS(uint64_t, registers_late, FRAME, void *unused)
{
    struct begun begun;

    make_and_give(&begun);
    deep((void *) DEPTH);
    amp_gc_step(gc, 0);
    amp_gc_stack_add(stacks[0]);
    while (amp_gc_step(gc, 1) > 0)
        ;
    amp_gc_collect(gc);
    return amp_stack_call(take_back, unused);
}

static void late(void)
{
    uint64_t value = 0;

    gc = make((struct amp_gc_limits){ .gogc = 100, .modes = CHECKS | AMP_GC_STEP });
    amp_gc_run(gc, "one", registers_late, NULL, &value);
    printf("%lu\n", (unsigned long) value);
    amp_gc_destroy(gc);
}

/* ---- Not registered */

AMP_GROWS(uint64_t, allocates_one, FRAME, void *unused)
{
    return amp_gc_alloc(nodes) ? (uintptr_t) unused : 1;
}

AMP_GROWS(uint64_t, polls_one, FRAME, void *unused)
{
    amp_gc_answer();
    return (uintptr_t) unused;
}

static uint64_t resume_stranger(void *fn)
{
    struct amp_stack *stack = make_stack();
    uint64_t value;

    if (amp_stack_run(stack, (amp_stack_fn *) fn, NULL, &value))
        abort();
    return (uint64_t) amp_stack_destroy(stack);
}

AMP_GROWS(uint64_t, runs_stranger, FRAME, void *fn)
{
    return amp_stack_call(resume_stranger, fn);
}

static void stranger_that(amp_stack_fn *fn)
{
    gc = make(AMP_GC_DEFAULTS);
    amp_gc_run(gc, "one", runs_stranger, (void *) fn, NULL);
    report(amp_stack_hosted() ? -EFAULT : amp_gc_collect(gc));
    amp_gc_destroy(gc);
}

static void stranger(void)
{
    stranger_that(allocates_one);
    stranger_that(polls_one);
}

/* ---- The registry */

static uint64_t remove_itself(void *stack)
{
    report(amp_gc_stack_remove(stack));
    return 0;
}

AMP_GROWS(uint64_t, removes_itself, FRAME, void *stack)
{
    return amp_stack_call(remove_itself, stack);
}

static uint64_t register_all(void *unused)
{
    struct amp_stack *stack = make_stack();
    uint64_t value;

    report(amp_gc_stack_add(NULL));
    report(amp_gc_stack_remove(stack));
    report(amp_gc_stack_add(stack));
    report(amp_gc_stack_add(stack));
    amp_stack_run(stack, removes_itself, stack, &value);
    report(amp_gc_stack_remove(stack));
    return (uint64_t) amp_stack_destroy(stack) + (uintptr_t) unused;
}

AMP_GROWS(uint64_t, registers, FRAME, void *unused)
{
    return amp_stack_call(register_all, unused);
}

static void registry(void)
{
    struct amp_stack *stack = make_stack();

    gc = make(AMP_GC_DEFAULTS);
    report(amp_gc_stack_add(stack));
    report(amp_gc_stack_remove(stack));
    amp_gc_run(gc, "one", registers, NULL, NULL);
    amp_gc_destroy(gc);
    amp_stack_destroy(stack);
}

/* ---- The watcher of all collectors */

static unsigned cycles, decisions;

static void count_cycle(void *arg, const struct amp_gc_cycle *cycle)
{
    cycles += arg == &cycles && cycle->go2_ns >= cycle->stop2_ns;
}

static void count_decision(void *arg, const struct amp_gc_pace *pace)
{
    decisions += arg == &cycles && pace->goal_b > 0;
}

static void watched(void)
{
    static const struct amp_gc_trace watcher = { count_cycle, count_decision, &cycles };
    struct amp_gc *both[2];

    amp_gc_watch(&watcher);
    for (unsigned i = 0; i < 2; i++) {
        gc = both[i] = make((struct amp_gc_limits){ .gogc = 100, .modes = AMP_GC_STEP });
        amp_gc_collect(gc);
    }
    amp_gc_watch(NULL);
    amp_gc_collect(both[0]);
    printf("%u cycles, %u decisions\n", cycles, decisions);
    amp_gc_destroy(both[0]);
    amp_gc_destroy(both[1]);
}

static const struct example examples[] = {
    { "coroutines", coroutines }, { "late", late }, { "stranger", stranger }, { "registry", registry },
    { "watched", watched },
};

int main(int argc, char **argv)
{
    return run_case(examples, sizeof examples / sizeof *examples, argc, argv);
}
