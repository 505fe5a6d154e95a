/* SPDX-License-Identifier: MIT
 *
 * What a piece of code takes of the stack: frames whose sizes are known, libc, code on a growable stack. */
#include "harness/stack/use.h"

#include "harness/stack/stack.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define STEPS 1
#else
#define STEPS 0
#endif
#define MOST 60000 /* instructions that are followed */

static uint64_t nothing(void *unused, uint64_t n)
{
    (void) unused;
    return n;
}

/* `written` bytes of a frame of so many, from its lower end or from its upper. It calls nothing, so that a red zone may
 * take 128 B of it. */
#define FRAME_B 100000
static uint64_t frame(void *low, uint64_t written)
{
    char room[FRAME_B];

    KEEP(room); /* a call would write below the frame */
    for (volatile char *p = low ? room : room + FRAME_B - written; written > 0; written--)
        *p++ = 1;
    KEEP(room);
    return (uint64_t) room[low ? 0 : FRAME_B - 1];
}

__attribute__((noinline)) static uint64_t down(uint64_t n)
{
    char room[1000];
    uint64_t sum;

    memset(room, 1, sizeof room);
    KEEP(room);
    sum = n > 1 ? down(n - 1) : 0;
    KEEP(room);
    return sum + (uint64_t) room[0];
}

static uint64_t recursion(void *unused, uint64_t n)
{
    (void) unused;
    return down(n);
}

static uint64_t print(void *unused, uint64_t n)
{
    char text[64];

    (void) unused;
    return (uint64_t) snprintf(text, sizeof text, "%f and %lu", 1.5, (unsigned long) n);
}

static uint64_t endless(void *unused, uint64_t n)
{
    volatile uint64_t sum = 0;

    (void) unused;
    for (uint64_t i = 0; i < 2 * MOST; i++)
        sum += n;
    return sum;
}

AMP_GROWS(uint64_t, grown, 20000, void *arg)
{
    char room[19000];

    memset(room, 1, sizeof room);
    KEEP(room);
    return *(uint64_t *) arg + (uint64_t) room[7];
}

static uint64_t on_growable(void *stack, uint64_t n)
{
    uint64_t result = 0;

    return amp_stack_run(stack, grown, &n, &result) ? 0 : result;
}

static const struct {
    const char *name;
    uint64_t (*run)(void *, uint64_t);
    void *argument;
    uint64_t count;
    uint64_t reserved_b, touched_b; /* at least, and at most `more` above */
    uint64_t more;
    int known;
} uses[] = {
    { "nothing", nothing, NULL, 1, 0, 0, 160, 1 },
#ifdef __OPTIMIZE__ /* else there are variables at its lower end */
    { "a frame, hardly touched", frame, NULL, 8, FRAME_B - 128, 0, 600, 1 },
    { "a frame, a tenth of it", frame, NULL, FRAME_B / 10, FRAME_B - 128, FRAME_B / 10, 600, 1 },
#endif
    { "a frame, touched at its end", frame, "", 8, FRAME_B - 128, FRAME_B, 600, 1 },
    { "hundred calls", recursion, NULL, 100, 100000, 100000, 10000, 1 },
    { "two calls", recursion, NULL, 2, 2000, 2000, 400, 1 },
    { "libc", print, NULL, 5, 1000, 1000, 7000, 1 },
    { "too long to follow", endless, NULL, 5, 0, 0, 200, 0 },
};

static void known_frames(void **unused)
{
    (void) unused;
    if (amp_stack_hosted()) {
        print_message("AddressSanitizer or valgrind: frames are not what they are else\n");
        skip();
    }
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        struct amp_stack_use use;

        assert_int_equal(amp_stack_use(uses[i].run, uses[i].argument, uses[i].count, MOST, &use), 0);
        if (use.reserved_known != (STEPS && uses[i].known))
            fail_msg("%s: known: %d", uses[i].name, use.reserved_known);
        if (use.reserved_known &&
            (use.reserved_b < uses[i].reserved_b || use.reserved_b > uses[i].reserved_b + uses[i].more))
            fail_msg("%s: %lu B reserved", uses[i].name, (unsigned long) use.reserved_b);
        if (STEPS && (use.touched_b < uses[i].touched_b || use.touched_b > uses[i].touched_b + uses[i].more))
            fail_msg("%s: %lu B touched", uses[i].name, (unsigned long) use.touched_b);
    }
}

#if defined(__x86_64__)
#define LONG (2 * MOST)
static unsigned char memory[2 * LONG + 8];

/* Each form of a string instruction that is done at once, and two that are not, each once on memory that overlaps. */
static uint64_t strings(void *unused, uint64_t seed)
{
    unsigned char *to = memory + 1, *from = memory;
    uint64_t n = LONG, eight = LONG / 8, byte = seed * 0x0101010101010107u;

    (void) unused;
    memset(memory, 0, sizeof memory);
    memory[0] = (unsigned char) seed;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    from -= LONG / 2;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(eight) : : "memory");
    n = LONG / 2;
    to = memory + LONG / 4;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
    eight = LONG / 16;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(eight) : "a"(byte) : "memory");
    n = 100;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
    n = 100;
    from = to - 3;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(to), "+S"(from), "+c"(n) : : "memory", "cc");
    return (uint64_t) (to - memory) + (uint64_t) (from - memory) + n + eight;
}

static uint64_t strings_into(void *sum, uint64_t seed)
{
    *(uint64_t *) sum = strings(NULL, seed);
    return 0;
}

/* They count as one instruction, however long, and leave memory and registers as the processor does. */
static void strings_are_one_instruction(void **unused)
{
    static unsigned char want[sizeof memory];
    const uint64_t want_sum = strings(NULL, 5);
    struct amp_stack_use use;
    uint64_t sum = 0;

    (void) unused;
    memcpy(want, memory, sizeof memory);
    assert_int_equal(amp_stack_use(strings_into, &sum, 5, MOST, &use), 0);
    assert_int_equal(use.reserved_known, STEPS && !amp_stack_hosted());
    assert_int_equal(sum, want_sum);
    assert_int_equal(memcmp(memory, want, sizeof memory), 0);
}
#endif

/* Code that grows takes as much as on a stack that is large enough; its own stack is not touched, and works after. */
static void growable_code_counts(void **unused)
{
    struct amp_stack_use use;
    struct amp_stack_stats stats;
    struct amp_stack *stack;
    const char *why;
    const int hosted = amp_stack_hosted();

    (void) unused;
    assert_int_equal(amp_stack_create(NULL, &stack, &why), 0);
    assert_int_equal(amp_stack_use(on_growable, stack, 41, MOST, &use), 0);
    assert_int_equal(amp_stack_hosted(), hosted);
    if (STEPS && !hosted)
        assert_true(use.reserved_known && use.reserved_b >= 19000 && use.reserved_b < 20500);
    assert_true(use.touched_b >= 19000);
    amp_stack_stats(stack, &stats);
    assert_int_equal(stats.moves, 0);
    assert_int_equal(on_growable(stack, 41), 42);
    amp_stack_stats(stack, &stats);
    assert_int_equal(stats.moves, hosted ? 0 : 1);
    assert_int_equal(amp_stack_destroy(stack), 0);
}

static volatile sig_atomic_t trapped;

static void count_trap(int signal)
{
    (void) signal;
    trapped = trapped + 1;
}

static void leaves_signals_as_they_were(void **unused)
{
    struct amp_stack_use use;

    (void) unused;
    signal(SIGTRAP, count_trap);
    assert_int_equal(amp_stack_use(print, NULL, 1, MOST, &use), 0);
    assert_int_equal(trapped, 0);
    raise(SIGTRAP);
    assert_int_equal(trapped, 1);
    signal(SIGTRAP, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_frames),
#if defined(__x86_64__)
        cmocka_unit_test(strings_are_one_instruction),
#endif
        cmocka_unit_test(growable_code_counts),
        cmocka_unit_test(leaves_signals_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
