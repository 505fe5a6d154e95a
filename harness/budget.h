/* SPDX-License-Identifier: MIT
 *
 * A budget: what a piece of code may allocate. On a side of a pair, and in unit tests:
 *
 *     amp_budget_begin();
 *     parse(text);
 *     breach = amp_budget_end(AMP_BUDGET(.allocs = 2, .bytes = 256));
 *     assert_null(breach);    NULL, or what was allocated instead, and where
 *
 * Run such a test by `./ampersand profile -- ./test`, or link it with -lampersand_profile. Without either, nothing
 * counts, and every budget is said to be broken. */
#ifndef AMP_BUDGET_H
#define AMP_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AMP_ANY UINT64_MAX /* so many, or so much, is no limit */

/* At most so much; what is not named is 0, and a 0 means:
 *
 *   allocs    no allocation
 *   bytes     any number of bytes, in so many allocations
 *   stack_b   any amount of stack; in a pair only
 */
struct amp_budget {
    uint64_t allocs;
    uint64_t bytes; /* as asked for */
    uint64_t stack_b;
};

#define AMP_BUDGET(...) (&(const struct amp_budget){ __VA_ARGS__ })

/* From here on, what this thread allocates counts. */
__attribute__((__weak__)) void amp_budget_start(void);

/* Up to here. NULL if the budget was kept; else a text that lasts until the thread begins the next one: how much it
 * was, and each allocation, with its stack. */
__attribute__((__weak__)) const char *amp_budget_stop(const struct amp_budget *amp_limit);

static inline void amp_budget_begin(void)
{
    if (amp_budget_start)
        amp_budget_start();
}

static inline const char *amp_budget_end(const struct amp_budget *amp_limit)
{
    return amp_budget_stop ? amp_budget_stop(amp_limit)
                           : "nothing counts here: run the program by 'ampersand profile', or link -lampersand_profile";
}

#ifdef __cplusplus
}
#endif

#endif
