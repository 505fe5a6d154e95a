/* SPDX-License-Identifier: MIT
 *
 * The growable stack as its users see it: what it refuses, when it grows, what it counts, how it fails. */
#include "tests/harness/stack/stack_chain.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- What is refused */

static const struct {
    const char *name;
    struct amp_stack_policy policy;
    const char *why;
} refused[] = {
    { "start of 0", { .start_b = 0, .limit_b = 4096, .factor = 2 }, "powers of two" },
    { "no power of two", { .start_b = 3000, .limit_b = 4096, .factor = 2 }, "powers of two" },
    { "start below 2 KiB", { .start_b = 1024, .limit_b = 4096, .factor = 2 }, "2 KiB at least" },
    { "limit of 0", { .start_b = 2048, .limit_b = 0, .factor = 2 }, "powers of two" },
    { "limit below start", { .start_b = 4096, .limit_b = 2048, .factor = 2 }, "below the size to start with" },
    { "limit no power of two", { .start_b = 2048, .limit_b = 6000, .factor = 2 }, "powers of two" },
    { "start beyond 1 GiB",
      { .start_b = (size_t) 1 << 31, .limit_b = (size_t) 1 << 31, .factor = 2 },
      "1 GiB at most" },
    { "beyond the address space", { .start_b = 2048, .limit_b = (size_t) 1 << 63, .factor = 2 }, "1 GiB at most" },
    { "factor 0", { .start_b = 2048, .limit_b = 4096, .factor = 0 }, "factor" },
    { "factor 1", { .start_b = 2048, .limit_b = 4096, .factor = 1 }, "factor" },
    { "factor 3", { .start_b = 2048, .limit_b = 4096, .factor = 3 }, "factor" },
    { "unknown mode", { .start_b = 2048, .limit_b = 4096, .factor = 2, .modes = 1 << 20 }, "no such mode" },
    { "always and never",
      { .start_b = 2048, .limit_b = 4096, .factor = 2, .modes = AMP_STACK_FORCE | AMP_STACK_PROBE },
      "both move" },
};

static void refuses_policies(void **unused)
{
    struct amp_stack *untouched = (struct amp_stack *) &refused, *stack = untouched;
    const char *why;

    (void) unused;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (amp_stack_create(&refused[i].policy, &stack, &why) != -EINVAL || stack != untouched)
            fail_msg("%s: was not refused", refused[i].name);
        if (!strstr(why, refused[i].why))
            fail_msg("%s: %s", refused[i].name, why);
    }
}

struct inner {
    struct amp_stack *stack;
    int run, start, resume, destroy;
};

static uint64_t give_seven(void *unused)
{
    (void) unused;
    return 7;
}

static uint64_t meddle(void *arg)
{
    struct inner *in = arg;

    in->run = amp_stack_run(in->stack, run_chain, NULL, NULL);
    in->start = amp_stack_start(in->stack, run_chain, NULL);
    in->resume = amp_stack_resume(in->stack, NULL);
    in->destroy = amp_stack_destroy(in->stack);
    amp_stack_yield(99); /* this is the host stack, where both are as if they were not there */
    return amp_stack_call(give_seven, NULL);
}

AMP_GROWS(uint64_t, call_meddle, 128, void *arg)
{
    return amp_stack_call(meddle, arg);
}

static void refuses_what_is_in_use(void **unused)
{
    struct inner in = { .stack = create(NULL) };
    uint64_t result = 0, n = 10;

    (void) unused;
    assert_int_equal(amp_stack_run(in.stack, call_meddle, &in, &result), 0);
    assert_int_equal(result, 7);
    assert_int_equal(in.run, -EBUSY);
    assert_int_equal(in.start, -EBUSY);
    assert_int_equal(in.resume, -EBUSY);
    assert_int_equal(in.destroy, -EBUSY);
    assert_int_equal(amp_stack_resume(in.stack, &result), -EINVAL);
    assert_int_equal(amp_stack_run(in.stack, run_chain, &n, &result), 0);
    assert_int_equal(result, sum_to(n));
    assert_int_equal(amp_stack_destroy(in.stack), 0);
    assert_int_equal(amp_stack_destroy(NULL), 0);
}

/* ---- Growth */

static const struct {
    const char *name;
    struct amp_stack_policy policy;
    uint64_t n;
} policies[] = {
    { "Go's", { .start_b = 2048, .limit_b = 1 << 30, .factor = 2 }, 2000 },
    { "fourfold", { .start_b = 2048, .limit_b = 1 << 30, .factor = 4 }, 2000 },
    { "sixteenfold from 8 KiB", { .start_b = 8192, .limit_b = 1 << 29, .factor = 16 }, 5000 },
    { "no growth wanted", { .start_b = 1 << 20, .limit_b = 1 << 20, .factor = 2 }, 1000 },
    { "moved at each check", { .start_b = 2048, .limit_b = 1 << 30, .factor = 2, .modes = AMP_STACK_FORCE }, 400 },
    { "and poisoned",
      { .start_b = 2048, .limit_b = 1 << 30, .factor = 2, .modes = AMP_STACK_FORCE | AMP_STACK_POISON },
      400 },
    { "watched", { .start_b = 2048, .limit_b = 1 << 30, .factor = 2, .modes = AMP_STACK_TRACE }, 2000 },
    { "never moved", { .start_b = 2048, .limit_b = 1 << 20, .factor = 2, .modes = AMP_STACK_PROBE }, 2000 },
    { "on the host", { .start_b = 2048, .limit_b = 1 << 20, .factor = 2, .modes = AMP_STACK_HOST }, 2000 },
};

static void pointers_follow(void **unused)
{
    (void) unused;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct amp_stack *stack = create(&policies[i].policy);

        for (uint64_t n = 0; n <= policies[i].n; n += 1 + n / 3) {
            uint64_t result = 0, arg = n;

            if (amp_stack_run(stack, run_chain, &arg, &result) || result != sum_to(n))
                fail_msg("%s: chain of %lu: %lu, %s", policies[i].name, n, result, amp_stack_message(stack));
        }
        assert_int_equal(amp_stack_destroy(stack), 0);
    }
}

#define EVENTS_MAX 4096
struct log {
    struct amp_stack_event event[EVENTS_MAX];
    size_t n;
};

static void write_down(void *log, const struct amp_stack_event *event)
{
    struct log *l = log;

    if (l->n < EVENTS_MAX)
        l->event[l->n++] = *event;
}

/* The rule, once more and otherwise: from what was used and the frame, without the library's variables. */
static size_t predict(size_t size, size_t factor, size_t used, size_t frame)
{
    size_t free_b = size - used;

    if (free_b > 928 + (frame > 128 ? frame - 128 : 0))
        return size;
    while (size < used + frame + 928)
        size *= factor;
    return size;
}

static void grows_by_the_rule(void **unused)
{
    static struct log log;
    struct amp_stack_policy policy = {
        .start_b = 2048, .limit_b = 1 << 28, .modes = AMP_STACK_TRACE, .watch = write_down, .watcher = &log
    };
    uint64_t n = 1500;

    (void) unused;
    needs_growth();
    for (policy.factor = 2; policy.factor <= 8; policy.factor *= 2) {
        struct amp_stack *stack = create(&policy);
        struct amp_stack_stats stats;
        size_t size = 2048, moves = 0, copied = 0, adjusted = 0;

        log.n = 0;
        assert_int_equal(amp_stack_run(stack, run_chain, &n, NULL), 0);
        assert_int_equal(log.n, n + 2); /* chain() runs n + 1 times */
        for (size_t i = 0; i < log.n; i++) {
            const struct amp_stack_event *e = &log.event[i];

            assert_int_equal(e->depth, i + 1);
            assert_int_equal(e->frame_b, FRAME_LINK);
            assert_int_equal(e->old_b, size);
            assert_int_equal(e->new_b, predict(size, policy.factor, e->used_b, e->frame_b));
            assert_int_equal(e->copied_b > 0, e->new_b != e->old_b);
            assert_true(e->copied_b == 0 || e->copied_b > e->used_b);
            size = e->new_b;
            moves += e->copied_b > 0;
            copied += e->copied_b;
            adjusted += e->adjusted;
        }
        amp_stack_stats(stack, &stats);
        assert_int_equal(stats.checks, log.n);
        assert_int_equal(stats.moves, moves);
        assert_int_equal(stats.copied_b, copied);
        assert_int_equal(stats.adjusted, adjusted);
        assert_int_equal(stats.size_b, size);
        assert_true(moves >= 2 && adjusted > moves);
        assert_int_equal(stats.reserved_b, log.event[log.n - 1].used_b + FRAME_LINK - 16);
        log.n = 0; /* it is warm now: the same once more moves nothing */
        assert_int_equal(amp_stack_run(stack, run_chain, &n, NULL), 0);
        amp_stack_stats(stack, &stats);
        assert_int_equal(stats.moves, moves);
        assert_int_equal(log.event[log.n - 1].depth, n + 2);
        assert_int_equal(amp_stack_destroy(stack), 0);
    }
}

AMP_GROWS(uint64_t, run_twice, FRAME_LINK, void *arg)
{
    uint64_t sum = chain(NULL, *(uint64_t *) arg);

    KEEP(arg);
    sum += chain(NULL, *(uint64_t *) arg);
    KEEP(arg);
    return sum;
}

/* What has returned is no longer counted. */
static void depth_falls(void **unused)
{
    static struct log log;
    struct amp_stack_policy policy = { 2048, 1 << 20, 2, AMP_STACK_TRACE, write_down, &log };
    struct amp_stack *stack = create(&policy);
    uint64_t n = 3, result;

    (void) unused;
    assert_int_equal(amp_stack_run(stack, run_twice, &n, &result), 0);
    assert_int_equal(result, 2 * sum_to(n));
    if (!amp_stack_hosted()) {
        static const unsigned depths[] = { 1, 2, 3, 4, 5, 2, 3, 4, 5 };

        assert_int_equal(log.n, sizeof depths / sizeof *depths);
        for (size_t i = 0; i < log.n; i++)
            assert_int_equal(log.event[i].depth, depths[i]);
    }
    assert_int_equal(amp_stack_destroy(stack), 0);
}

static void run_another(void *other, const struct amp_stack_event *event)
{
    uint64_t n = 50, result = 0;

    (void) event;
    assert_int_equal(amp_stack_run(other, run_chain, &n, &result), 0);
    assert_int_equal(result, sum_to(n));
}

/* In the midst of one stack's growth another runs, grows, and ends. */
static void stacks_nest(void **unused)
{
    struct amp_stack *inner = create(NULL), *outer;
    struct amp_stack_policy policy = { 2048, 1 << 20, 2, AMP_STACK_TRACE, run_another, inner };
    uint64_t n = 200, result;

    (void) unused;
    outer = create(&policy);
    assert_int_equal(amp_stack_run(outer, run_chain, &n, &result), 0);
    assert_int_equal(result, sum_to(n));
    assert_int_equal(amp_stack_destroy(outer), 0);
    assert_int_equal(amp_stack_destroy(inner), 0);
}

/* ---- How it ends */

static void ends_at_the_limit(void **unused)
{
    struct amp_stack_policy policy = { .start_b = 2048, .limit_b = 16384, .factor = 2 };
    struct amp_stack *stack;
    uint64_t result = 5, n = 1000;

    (void) unused;
    needs_growth();
    stack = create(&policy);
    for (int modes = 0; modes <= AMP_STACK_TRACE; modes++) {
        if ((modes & AMP_STACK_PROBE) && (modes & AMP_STACK_FORCE))
            continue;
        amp_stack_destroy(stack);
        policy.modes = (unsigned) modes;
        stack = create(&policy);
        n = 1000;
        assert_int_equal(amp_stack_run(stack, run_chain, &n, &result), -EOVERFLOW);
        assert_int_equal(result, 5);
        assert_non_null(strstr(amp_stack_message(stack), "limit is 16384 B"));
        n = 20;
        assert_int_equal(amp_stack_call(give_seven, NULL), 7); /* this is the host stack again */
        assert_int_equal(run_chain(&n), sum_to(n)); /* no check fails here, whatever the other stack's limit */
        /* and it can be used again */
        assert_int_equal(amp_stack_run(stack, run_chain, &n, &result), 0);
        assert_int_equal(result, sum_to(n));
        assert_string_equal(amp_stack_message(stack), "");
        result = 5;
    }
    assert_int_equal(amp_stack_destroy(stack), 0);
}

/* As a frame would that was declared too small: check_growable.py refuses such. Stacks of 2 KiB stand at multiples of
 * it. */
AMP_GROWS(uint64_t, writes_below, 64, void *arg)
{
    uint64_t local = 1;
    volatile char *lowest = (volatile char *) ((uintptr_t) &local & ~(uintptr_t) 2047);

    KEEP(arg);
    *lowest = (char) ~*lowest;
    return local;
}

AMP_GROWS(uint64_t, set_flag, 64, void *flag)
{
    *(bool *) flag = true;
    return 0;
}

static void notices_what_wrote_below(void **unused)
{
    bool ran = false;
    struct amp_stack *broken, *next;
    uint64_t result, n = 100;

    (void) unused;
    needs_growth();
    broken = create(NULL);
    assert_int_equal(amp_stack_run(broken, writes_below, NULL, &result), -EFAULT);
    assert_non_null(strstr(amp_stack_message(broken), "below the stack"));
    assert_int_equal(amp_stack_run(broken, set_flag, &ran, &result), -EFAULT);
    assert_false(ran);
    next = create(NULL);
    assert_int_equal(amp_stack_run(next, run_chain, &n, &result), 0);
    assert_int_equal(result, sum_to(n));
    assert_int_equal(amp_stack_destroy(next), 0);
    assert_int_equal(amp_stack_destroy(broken), -EFAULT);
}

static rlim_t mapped_b(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return pages * (rlim_t) sysconf(_SC_PAGESIZE);
}

/* Without memory for a larger stack the run ends, and the stack is as it was. */
static void ends_without_memory(void **unused)
{
    struct amp_stack_policy policy = AMP_STACK_GO;
    struct amp_stack *stack;
    uint64_t result, n = 1000000;
    struct rlimit before, now;
    bool kept;
    int error;

    (void) unused;
    needs_growth();
    stack = create(&policy);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    now = before;
    now.rlim_cur = mapped_b() + ((rlim_t) 16 << 20);
    assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
    kept = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
    error = amp_stack_run(stack, run_chain, &n, &result);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    if (!kept) {
        print_message("RLIMIT_AS limits nothing here, as under an emulator\n");
        assert_int_equal(amp_stack_destroy(stack), 0);
        skip();
    }
    assert_int_equal(error, -ENOMEM);
    assert_string_equal(amp_stack_message(stack), "no memory for a larger stack");
    n = 100;
    assert_int_equal(amp_stack_run(stack, run_chain, &n, &result), 0);
    assert_int_equal(result, sum_to(n));
    assert_int_equal(amp_stack_destroy(stack), 0);
    amp_stack_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_policies),
        cmocka_unit_test(refuses_what_is_in_use),
        cmocka_unit_test(pointers_follow),
        cmocka_unit_test(grows_by_the_rule),
        cmocka_unit_test(depth_falls),
        cmocka_unit_test(stacks_nest),
        cmocka_unit_test(ends_at_the_limit),
        cmocka_unit_test(notices_what_wrote_below),
        cmocka_unit_test(ends_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
