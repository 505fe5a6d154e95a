/* SPDX-License-Identifier: MIT
 *
 * What a file of kernels for `ampersand ab` includes. A kernel runs a piece of your own code; `ab` builds it against
 * two versions of that code, base and head, and times these against each other.
 *
 *     static void *set_up(size_t size) { return text_of(size); }
 *     static uint64_t run(void *fixture, uint64_t ops)
 *     {
 *         uint64_t sum = 0;
 *         for (; ops > 0; ops--)
 *             sum += parse(fixture);
 *         return sum;
 *     }
 *     AMP_KERNEL(parse_small, .set_up = set_up, .run = run, .size = 64);
 *
 * `run` does `ops` operations and returns a checksum of their results: both versions must return the same, or they are
 * not compared. What needs no timing belongs into `set_up`. Works in C and in C++. */
#ifndef AMP_AB_H
#define AMP_AB_H

#include "harness/kernel.h"

/* In C++ the members of AMP_KERNEL must stand in this order. */
struct amp_ab_kernel {
    const char *name;
    void *(*set_up)(size_t amp_size); /* makes what `run` gets; NULL: `run` gets NULL */
    uint64_t (*run)(void *amp_fixture, uint64_t amp_ops);
    size_t size; /* for set_up */
};

/* Designators are C++ of 2020; older compilers know them, and warn. */
#if defined(__cplusplus) && defined(__clang__)
#define AMP_QUIET_BEGIN _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wc++20-designator\"")
#define AMP_QUIET_END _Pragma("clang diagnostic pop")
#else
#define AMP_QUIET_BEGIN
#define AMP_QUIET_END
#endif

/* Kernels come in the order of the files, then of their names. */
#define AMP_KERNEL(kernel, ...)                                                                                        \
    AMP_QUIET_BEGIN                                                                                                    \
    static const struct amp_ab_kernel amp_ab_kernel_##kernel = { .name = #kernel, __VA_ARGS__ };                       \
    AMP_QUIET_END                                                                                                      \
    __attribute__((__used__, __section__("amp_kernels")))                                                              \
    static const struct amp_ab_kernel *const amp_ab_entry_##kernel = &amp_ab_kernel_##kernel

#endif
