/* SPDX-License-Identifier: MIT
 *
 * The clockwork on a clock of our own, so that every expected figure is known exactly. */
#include "harness/measure/rounds.h"

#include "harness/kernel.h"

/* clang-format off: cmocka.h wants the two before it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <jemalloc/jemalloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- a clock and kernels that do nothing but let it run ------------------------------------------------------ */

static struct {
    double ns, read_ns, step_ns; /* now; what reading costs; the clock shows multiples of this */
    double drift;                /* an operation gets slower by this share every second */
    int backwards_after;
    char order[4096];
    size_t n;
} fake;

static uint64_t fake_clock(void)
{
    fake.ns += fake.read_ns;
    if (fake.backwards_after > 0 && --fake.backwards_after == 0)
        fake.ns -= 5000;
    return (uint64_t) (floor(fake.ns / fake.step_ns) * fake.step_ns);
}

struct fake_side {
    char name;
    double op_ns;
    uint64_t ops[4096];
    uintptr_t stack;
    size_t calls;
};

static uint64_t fake_run(void *fixture, uint64_t ops)
{
    struct fake_side *side = fixture;
    char local;

    amp_keep(&local);
    side->stack = (uintptr_t) &local;
    if (side->calls < 4096)
        side->ops[side->calls] = ops;
    side->calls++;
    if (fake.n < sizeof fake.order)
        fake.order[fake.n++] = side->name;
    fake.ns += (double) ops * side->op_ns * (1 + fake.drift * fake.ns / 1e9);
    return ops;
}

static void reset(double read_ns, double step_ns)
{
    memset(&fake, 0, sizeof fake);
    fake.read_ns = read_ns;
    fake.step_ns = step_ns;
}

/* ---- the clock ----------------------------------------------------------------------------------------------- */

static void test_clock(void **state)
{
    static const struct {
        const char *name;
        double read_ns, step_ns;
        int backwards_after, want_err;
        double want_cost_ns;
        uint64_t want_resolution_ns;
    } rows[] = {
        { "fine", 45, 1, 0, 0, 45, 45 },
        { "fractional cost", 24.3, 1, 0, 0, 24.3, 24 },
        { "steps of 10 ns", 24, 10, 0, 0, 24, 20 },
        { "steps of 100 ns", 24, 100, 0, 0, 24, 100 },
        { "steps of 10 us", 24, 10000, 0, -ERANGE, 0, 0 },
        { "stands still", 0, 1, 0, -ERANGE, 0, 0 },
        { "goes backwards", 45, 1, 100, -ERANGE, 0, 0 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_clock_facts facts = { 0 };

        reset(rows[i].read_ns, rows[i].step_ns);
        fake.backwards_after = rows[i].backwards_after;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(amp_clock_measure(fake_clock, &facts), rows[i].want_err);
        assert_true(fabs(facts.cost_ns - rows[i].want_cost_ns) < 0.5);
        assert_int_equal(facts.resolution_ns, rows[i].want_resolution_ns);
    }
}

/* ---- calibration --------------------------------------------------------------------------------------------- */

static void test_calibrate(void **state)
{
    static const struct {
        const char *name;
        double value_ns, pointer_ns;
        uint64_t epoch_ns, want_ops;
    } rows[] = {
        { "equal", 1, 1, 50000, 50000 },
        { "mean of both", 1, 3, 50000, 25000 },
        { "one side 49 times slower", 2, 98, 50000, 1000 },
        { "one side 199 times slower: the other gets 1 us", 1, 199, 50000, 1000 },
        { "one side 10000 times slower", 10000, 1, 50000, 1000 },
        { "short epochs", 10, 10, 10000, 1000 },
        { "an operation longer than the epoch", 1e6, 1e6, 50000, 1 },
        { "far below a nanosecond", 0.01, 0.01, 50000, 5000000 },
        { "one operation, 21 epochs long: done after four", 1050000, 1050000, 50000, 1 },
    };
    size_t last = sizeof rows / sizeof rows[0] - 1;

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_side value = { 'A', .op_ns = rows[i].value_ns }, pointer = { 'B', .op_ns = rows[i].pointer_ns };
        struct amp_kernel sides[2] = { { fake_run, &value }, { fake_run, &pointer } };
        uint64_t ops = 0;

        reset(1, 1);
        print_message("  %s\n", rows[i].name);
        assert_int_equal(amp_rounds_calibrate(fake_clock, sides, rows[i].epoch_ns, &ops), 0);
        assert_true(fabs((double) ops / (double) rows[i].want_ops - 1) < 0.01);
        assert_true(i != last || fake.n == 4);
    }
    {
        struct fake_side nothing = { 'A', .op_ns = 0 };
        struct amp_kernel sides[2] = { { fake_run, &nothing }, { fake_run, &nothing } };
        uint64_t ops;

        reset(1, 1);
        assert_int_equal(amp_rounds_calibrate(fake_clock, sides, 50000, &ops), -ERANGE);
        assert_int_equal(amp_rounds_calibrate(fake_clock, sides, 0, &ops), -EINVAL);
    }
}

/* ---- rounds -------------------------------------------------------------------------------------------------- */

#define ROUNDS 64

static struct fake_side value, pointer;
static uint64_t ns[2][ROUNDS];

static struct amp_block run_block(double cost_ns, uint64_t ops, uint64_t warmup_ops, size_t shift_b, uint64_t seed)
{
    struct amp_kernel sides[2] = { { fake_run, &value }, { fake_run, &pointer } };
    struct amp_block block = {
        .ns = { ns[0], ns[1] }, .rounds = ROUNDS, .ops = ops, .warmup_ops = warmup_ops, .stack_shift_b = shift_b
    };

    value.name = 'A';
    pointer.name = 'B';
    value.calls = pointer.calls = fake.n = 0;
    amp_rounds_run(fake_clock, cost_ns, sides, &block, &seed);
    return block;
}

static void test_times_are_raw(void **state)
{
    struct amp_block block;

    (void) state;
    reset(45, 1);
    value.op_ns = 1;
    pointer.op_ns = 2;
    block = run_block(45, 1000, 100, 0, 1);
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_int_equal(ns[0][i], 1000 + 45); /* the clock's cost is still in, the warm-up is not */
        assert_int_equal(ns[1][i], 2000 + 45);
    }
    assert_int_equal(block.zero_rounds, 0);
    assert_int_equal(block.checksum[0], ROUNDS * 1100);
    assert_int_equal(block.checksum[1], ROUNDS * 1100);
    for (size_t i = 0; i < 2 * ROUNDS; i++) {
        assert_int_equal(value.ops[i], i % 2 == 0 ? 100 : 1000);
        assert_int_equal(pointer.ops[i], i % 2 == 0 ? 100 : 1000);
    }
}

/* Each couple of rounds is ABBA or BAAB, and both come up about half of the time. */
static void test_order(void **state)
{
    size_t abba = 0, couples = 0;

    (void) state;
    reset(1, 1);
    for (uint64_t seed = 0; seed < 16; seed++) {
        run_block(0, 10, 1, 0, seed);
        assert_int_equal(fake.n, 4 * ROUNDS);
        for (size_t i = 0; i < fake.n; i += 8, couples++) { /* eight calls: each epoch behind its warm-up */
            int is_abba = memcmp(&fake.order[i], "AABBBBAA", 8) == 0;

            assert_true(is_abba || memcmp(&fake.order[i], "BBAAAABB", 8) == 0);
            abba += (size_t) is_abba;
        }
    }
    assert_int_equal(couples, 16 * ROUNDS / 2);
    assert_in_range(abba, couples / 2 - 50, couples / 2 + 50); /* 4.4 standard deviations */
}

/* A machine that slows down steadily, by half within the block, must not move the ratio. */
static void test_drift_cancels(void **state)
{
    double ln[2] = { 0, 0 };

    (void) state;
    reset(0, 1);
    fake.drift = 100;
    value.op_ns = pointer.op_ns = 50;
    run_block(0, 1000, 0, 0, 7);
    for (size_t i = 0; i < ROUNDS; i++)
        for (int side = 0; side < 2; side++)
            ln[side] += log((double) ns[side][i]) / ROUNDS;
    assert_true((double) ns[0][ROUNDS - 1] > 1.5 * (double) ns[0][0]); /* it did drift */
    assert_true(fabs(ln[1] - ln[0]) < 1e-4);
}

static void test_zero_rounds(void **state)
{
    static const struct {
        const char *name;
        double value_ns, cost_ns;
        uint64_t want_zero;
    } rows[] = {
        { "longer than the clock's cost", 100, 45, 0 },
        { "as long as the clock's cost", 45, 45, ROUNDS },
        { "shorter", 3, 45, ROUNDS },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct amp_block block;

        reset(0, 1);
        value.op_ns = rows[i].value_ns;
        pointer.op_ns = 1000;
        print_message("  %s\n", rows[i].name);
        block = run_block(rows[i].cost_ns, 1, 0, 0, 3);
        assert_int_equal(block.zero_rounds, rows[i].want_zero);
        assert_int_equal(ns[0][5] == 0, rows[i].want_zero > 0);
        assert_int_equal(ns[1][5], 1000);
    }
}

static void test_stack_shift(void **state)
{
    uintptr_t at_0;

    (void) state;
#if defined(__SANITIZE_ADDRESS__)
    print_message("  skipped: the sanitizer puts zones of its own about what alloca() gives\n");
    skip();
#endif
    reset(1, 1);
    run_block(0, 1, 1, 0, 1);
    at_0 = value.stack;
    for (size_t shift_b = 16; shift_b < 4096; shift_b += 16) {
        run_block(0, 1, 1, shift_b, 1);
        assert_int_equal(at_0 - value.stack, shift_b);
        assert_int_equal(at_0 - pointer.stack, shift_b);
    }
}

/* From here on the kernel kills this process at any system call but exit_group. (Seccomp's strict mode would also
 * forbid to read the time stamp counter.) */
static int forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static uint64_t run_with_system_call(void *fixture, uint64_t ops)
{
    syscall(SYS_getpid);
    return fake_run(fixture, ops);
}

/* Blocks on the real clock, in a child that may not call the kernel; its exit status, or -1 if it was killed. */
static int status_of_silent_child(uint64_t (*run)(void *, uint64_t))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct amp_kernel sides[2] = { { run, &value }, { run, &pointer } };
        struct amp_block block = { .ns = { ns[0], ns[1] }, .rounds = ROUNDS, .ops = 100, .warmup_ops = 10 };
        uint64_t before = 0, after = 0, random = 1;
        size_t size = sizeof before;

        mallctl("thread.allocated", &before, &size, NULL, 0);
        amp_clock_monotonic();
        if (forbid_system_calls())
            _exit(3);
        amp_rounds_run(amp_clock_monotonic, 0, sides, &block, &random);
        mallctl("thread.allocated", &after, &size, NULL, 0);
        _exit(after == before ? 0 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_no_system_call_no_allocation(void **state)
{
    (void) state;
#if defined(__SANITIZE_ADDRESS__)
    print_message("  skipped: the sanitizer's own system calls are not ours\n");
    skip();
#endif
    fflush(NULL);
    assert_int_equal(status_of_silent_child(fake_run), 0);
    assert_int_equal(status_of_silent_child(run_with_system_call), -1); /* the trap does bite */
}

/* SplitMix64's own first outputs for the seed 1234567, as published with the reference implementation. */
static void test_random(void **state)
{
    static const uint64_t want[] = { 6457827717110365317u, 3203168211198807973u, 9817491932198370423u };
    uint64_t random = 1234567;

    (void) state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(amp_random_next(&random), want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),         cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_times_are_raw), cmocka_unit_test(test_order),
        cmocka_unit_test(test_drift_cancels), cmocka_unit_test(test_zero_rounds),
        cmocka_unit_test(test_stack_shift),   cmocka_unit_test(test_no_system_call_no_allocation),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("rounds", tests, NULL, NULL);
}
