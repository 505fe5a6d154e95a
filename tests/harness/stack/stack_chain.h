/* SPDX-License-Identifier: MIT
 *
 * A growable stack to test, and a recursion on it whose frames point to each other. */
#ifndef TESTS_STACK_CHAIN_H
#define TESTS_STACK_CHAIN_H

#include "harness/stack/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")
#define FRAME_LINK 256
#define FRAME_DEEP 1024

#define needs_growth()                                                                                                 \
    do {                                                                                                               \
        if (amp_stack_hosted()) {                                                                                      \
            print_message("AMPERSAND_STACK=host or AddressSanitizer: nothing moves\n");                                \
            skip();                                                                                                    \
        }                                                                                                              \
    } while (0)

static struct amp_stack *create(const struct amp_stack_policy *policy)
{
    struct amp_stack *stack = NULL;
    const char *why;

    assert_int_equal(amp_stack_create(policy, &stack, &why), 0);
    assert_null(why);
    return stack;
}

/* A chain of locals, each pointing to the one of the caller; at its end the sum is added up through all of them. */
struct link {
    struct link *up;
    uint64_t number;
};

AMP_GROWS(uint64_t, chain, FRAME_LINK, struct link *up, uint64_t n)
{
    struct link here = { up, n };
    uint64_t sum = 0;

    KEEP(&here);
    if (n == 0) {
        for (struct link *l = &here; l; l = l->up)
            sum += l->number++;
        return sum;
    }
    sum = chain(&here, n - 1);
    return here.number == n + 1 ? sum : 0; /* written through the pointer below */
}

AMP_GROWS(uint64_t, run_chain, FRAME_LINK, void *arg)
{
    uint64_t sum = chain(NULL, *(uint64_t *) arg);

    KEEP(arg); /* else gcc jumps to chain(), and this is no frame */
    return sum;
}

static uint64_t sum_to(uint64_t n)
{
    return n * (n + 1) / 2;
}

#endif
