/* SPDX-License-Identifier: MIT
 *
 * Kernels that fail if a move forgets anything. Each runs with a move at every check and the old stack overwritten; old
 * bytes that survived would hide an address that was not adjusted. A function with many values that must outlive a call
 * has them in callee-saved registers, and beyond six spills them. */
#include "tests/harness/stack/stack_kernels.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Leaves no register as it was that a function may use, and calls what is growable, on the host stack. The stack that
 * was left holds nothing that was on it, if it was to be poisoned. */
static void scramble(void *modes_of_stack, const struct amp_stack_event *event)
{
    if (move(7) != 7)
        abort();
    if (event->copied_b && (*(const unsigned *) modes_of_stack & AMP_STACK_POISON))
        for (uintptr_t at = event->old_top - event->old_b + 16; at < event->old_top - 16; at++)
            if (*(const unsigned char *) at != 0xdb)
                fail_msg("a byte of the old stack is %#x", *(const unsigned char *) at);
#if defined(__x86_64__)
    __asm__ volatile("xorl %%eax, %%eax\n\tmovl $1, %%ecx\n\tmovl $2, %%edx\n\tmovl $3, %%esi\n\tmovl $4, %%edi\n\t"
                     "movl $5, %%r8d\n\tmovl $6, %%r9d\n\tmovl $7, %%r10d\n\tmovl $8, %%r11d\n\t"
                     "pcmpeqd %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\tmovaps %%xmm0, %%xmm2\n\t"
                     "movaps %%xmm0, %%xmm3\n\tmovaps %%xmm0, %%xmm4\n\tmovaps %%xmm0, %%xmm5\n\t"
                     "movaps %%xmm0, %%xmm6\n\tmovaps %%xmm0, %%xmm7"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3",
                       "xmm4", "xmm5", "xmm6", "xmm7");
#elif defined(__aarch64__)
    __asm__ volatile("mov x0, #1\n\tmov x1, #2\n\tmov x2, #3\n\tmov x3, #4\n\tmov x4, #5\n\tmov x5, #6\n\t"
                     "mov x6, #7\n\tmov x7, #8\n\tmov x8, #9\n\tmov x9, #10\n\tmov x10, #11\n\t"
                     "movi v0.16b, #1\n\tmovi v1.16b, #1\n\tmovi v2.16b, #1\n\tmovi v3.16b, #1\n\t"
                     "movi v4.16b, #1\n\tmovi v5.16b, #1\n\tmovi v6.16b, #1\n\tmovi v7.16b, #1"
                     :
                     :
                     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "v0", "v1", "v2", "v3", "v4",
                       "v5", "v6", "v7");
#endif
}

static const unsigned modes[] = {
    0,
    AMP_STACK_FORCE,
    AMP_STACK_FORCE | AMP_STACK_POISON,
    AMP_STACK_FORCE | AMP_STACK_POISON | AMP_STACK_TRACE,
    AMP_STACK_PROBE,
    AMP_STACK_HOST,
};

static void kernels_agree(void **unused)
{
    (void) unused;
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
            struct amp_stack_policy policy = { .start_b = 2048,
                                               .limit_b = 1 << 20,
                                               .factor = 2,
                                               .modes = modes[m],
                                               .watch = scramble,
                                               .watcher = (void *) (uintptr_t) &modes[m] };
            uint64_t want = kernels[k].fn(NULL), result = ~want; /* on this stack, where nothing ever moves */
            struct amp_stack_stats stats;
            struct amp_stack *stack;
            const char *why;

            assert_int_equal(amp_stack_create(&policy, &stack, &why), 0);
            if (amp_stack_run(stack, kernels[k].fn, NULL, &result) || result != want)
                fail_msg("%s, mode %u: %lu, not %lu: %s", kernels[k].name, modes[m], result, want,
                         amp_stack_message(stack));
            amp_stack_stats(stack, &stats);
            if ((modes[m] & AMP_STACK_FORCE) && !amp_stack_hosted() && stats.moves != kernels[k].checks)
                fail_msg("%s: moved %lu times, not %u", kernels[k].name, stats.moves, kernels[k].checks);
            assert_int_equal(amp_stack_destroy(stack), 0);
        }
}

/* What the kernels are to give, worked out by hand where that can be done. */
static void kernels_are_right(void **unused)
{
    (void) unused;
    assert_int_equal(floats(NULL), 9 * 7654320 + 45 * (uint64_t) 10000001);
    assert_int_equal(aligned(NULL), 31 + 7);
    assert_int_equal(lookalike(NULL), 5 + 15);
    assert_int_equal(prints(NULL), 4 * 31 + 6 + '1' + '2' + '3' + '4');
}

/* ---- Coroutines */

#define COROUTINES 1000

AMP_GROWS(uint64_t, count, FRAME, uint64_t *total, uint64_t depth)
{
    uint64_t mine = depth;

    if (depth > 0)
        count(&mine, depth - 1);
    *total += mine;
    amp_stack_yield(*total);
    return *total;
}

AMP_GROWS(uint64_t, coroutine, FRAME, void *arg)
{
    uint64_t total = 0, depth = *(uint64_t *) arg;

    return count(&total, depth) + 1000 * total;
}

/* As `registers`, with turns between. On a host stack a turn is nothing. */
AMP_GROWS(uint64_t, registers_in_turn, FRAME, void *arg)
{
    uint64_t v[8] = { 1, 2, 3, 4, 5, 6, 7, *(uint64_t *) arg };
    uint64_t *p0 = &v[0], *p1 = &v[1], *p2 = &v[2], *p3 = &v[3], *p4 = &v[4], *p5 = &v[5], *p6 = &v[6], *p7 = &v[7];

    double a = (double) *p7, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7;

    __asm__("" : "+r"(p0), "+r"(p1), "+r"(p2), "+r"(p3));
    __asm__("" : "+r"(p4), "+r"(p5), "+r"(p6), "+r"(p7));
    for (unsigned i = 0; i < 6; i++) {
        amp_stack_yield(*p7);
        a += b, b += c, c += d, d += e, e += f, f += g, g += h, h += 1;
        *p0 += *p7, *p1 += *p6, *p2 += *p5, *p3 += *p4;
        amp_stack_yield(*p0);
        *p4 += move(*p3), *p5 += *p2, *p6 += *p1, *p7 += *p0;
    }
    return v[0] + 3 * v[1] + 5 * v[2] + 7 * v[3] + 11 * v[4] + 13 * v[5] + 17 * v[6] + 19 * v[7] +
           (uint64_t) (a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f + 17 * g + 19 * h);
}

/* Of this function, too, registers have to come back from each turn. */
static void turns_keep_registers(void **unused)
{
    static uint64_t seeds[3] = { 100, 200, 300 };
    struct amp_stack_policy policy = { 2048, 1 << 20, 2, AMP_STACK_FORCE | AMP_STACK_POISON, NULL, NULL };
    struct amp_stack *stacks[3];
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, turns = 0, value = 0;
    const char *why;

    (void) unused;
    if (amp_stack_hosted())
        skip();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(amp_stack_create(&policy, &stacks[i], &why), 0);
        assert_int_equal(amp_stack_start(stacks[i], registers_in_turn, &seeds[i]), 0);
    }
    __asm__("" : "+r"(a), "+r"(b), "+r"(c));
    __asm__("" : "+r"(d), "+r"(e), "+r"(f));
    for (unsigned i = 0; amp_stack_resume(stacks[i % 3], &value) > 0; i++) {
        turns += a + b + c + d + e + f;
        a ^= i, b ^= a, c += b, d += c, e ^= d, f += e;
        f -= e, e ^= d, d -= c, c -= b, b ^= a, a ^= i;
        assert_int_equal(move(i), i); /* on this stack no check fails, whatever the others' limits are */
        assert_true(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6);
    }
    assert_int_equal(turns, 3 * 12 * 21);
    assert_int_equal(value, registers_in_turn(&seeds[0]));
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(amp_stack_resume(stacks[i], &value), 0);
        assert_int_equal(value, registers_in_turn(&seeds[i]));
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(amp_stack_destroy(stacks[i]), 0);
}

/* All at once, in turn: each yields depth + 1 times, on its way up. */
static void coroutines_take_turns(void **unused)
{
    static struct amp_stack *stacks[COROUTINES];
    static uint64_t depth[COROUTINES], sum[COROUTINES];
    struct amp_stack_policy policy = { .start_b = 2048, .limit_b = 1 << 20, .factor = 2 };
    size_t live = COROUTINES;
    const char *why;

    (void) unused;
    if (amp_stack_hosted())
        skip(); /* on one stack there are no turns to take */
    for (size_t i = 0; i < COROUTINES; i++) {
        depth[i] = i % 23;
        sum[i] = 0;
        policy.modes = i % 2 ? AMP_STACK_FORCE | AMP_STACK_POISON : 0;
        assert_int_equal(amp_stack_create(&policy, &stacks[i], &why), 0);
        assert_int_equal(amp_stack_start(stacks[i], coroutine, &depth[i]), 0);
    }
    for (uint64_t turn = 0; live > 0; turn++)
        for (size_t i = 0; i < COROUTINES; i++) {
            uint64_t value = 0;
            int more;

            if (!stacks[i])
                continue;
            assert_int_equal(amp_stack_run(stacks[i], coroutine, &depth[i], NULL), -EBUSY);
            more = amp_stack_resume(stacks[i], &value);
            assert_int_equal(more, turn <= depth[i]);
            if (more) { /* 0, 0 + 1, 0 + 1 + 2, ... : what its inner calls have added */
                sum[i] += turn;
                assert_int_equal(value, turn == depth[i] ? sum[i] : turn == 0 ? 1 : sum[i] + turn + 1);
                continue;
            }
            assert_int_equal(value, 1001 * (depth[i] * (depth[i] + 1) / 2));
            assert_int_equal(amp_stack_destroy(stacks[i]), 0);
            stacks[i] = NULL;
            live--;
        }
}

static void waiting_coroutines_can_be_destroyed(void **unused)
{
    struct amp_stack *stack;
    uint64_t depth = 5, value;
    const char *why;

    (void) unused;
    if (amp_stack_hosted())
        skip();
    for (int turns = 0; turns < 4; turns++) {
        assert_int_equal(amp_stack_create(NULL, &stack, &why), 0);
        assert_int_equal(amp_stack_start(stack, coroutine, &depth), 0);
        for (int i = 0; i < turns; i++)
            assert_int_equal(amp_stack_resume(stack, &value), 1);
        assert_int_equal(amp_stack_destroy(stack), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_right),
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(turns_keep_registers),
        cmocka_unit_test(coroutines_take_turns),
        cmocka_unit_test(waiting_coroutines_can_be_destroyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
