/* SPDX-License-Identifier: MIT
 *
 * What every lesson includes. Besides it, a lesson may include subjects.h, threads.h and stack/stack.h, nothing else of
 * the harness.
 *
 * A lesson is one file that asks one question with two kernels, `value` and `pointer`, which do the same work.
 * A kernel runs its own loop, sees no clock and no counter, and returns a checksum. If the checksums of the sides
 * differ, the pair is refused and never timed. A fixture is the data that a kernel works on; it is set up and torn down
 * outside every measurement.
 *
 * The object of a lesson is linked many times, with its functions at other offsets within a 64-byte line each time. One
 * process loads all of these modules and uses one fixture for all. So a fixture must not hold the address of a
 * function, and a lesson must not have mutable globals.
 *
 * Attributes and parameters have names such as __used__ and amp_size in all these headers, so that no macro of a user's
 * header can change them. */
#ifndef AMP_KERNEL_H
#define AMP_KERNEL_H

#include "harness/budget.h"
#include "harness/marks.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Keep a call a call: not inlined, not cloned for a constant, not turned into a jump or a loop. clang has no noipa;
 * `used` keeps the function's arguments as they are, since others may call it. Newer ones (19, not 14) still leave out
 * what they see to be needless: an argument that is not read, and a call whose result is its argument; amp_returned()
 * forbids the second. clang 17 and later would specialise the function for a constant; a flag of the kernels forbids
 * that (meson.build). A function that calls itself must do something after the call, such as amp_keep(), or gcc turns
 * it into a loop. */
#if defined(__clang__) && __clang_major__ > 14
#define AMP_SEES_THROUGH_CALLS
#endif
#if defined(AMP_INLINE) /* the lesson with its calls left to the compiler */
#define AMP_NOINLINE inline
#elif defined(__clang__)
#define AMP_NOINLINE __attribute__((__noinline__, __used__, __disable_tail_calls__))
#else
#define AMP_NOINLINE __attribute__((__noinline__, __noclone__, __noipa__))
#endif

#if defined(__clang__)
#define AMP_IN_ORDER
#else
#define AMP_IN_ORDER __no_reorder__, /* gcc would emit the table of pairs backwards */
#endif

/* A helper that is inlined at every level of optimisation, so that neither side pays for a call to it. */
#define AMP_ALWAYS_INLINE inline __attribute__((__always_inline__))

/* What a collector has counted so far; bytes in whole slots. */
struct amp_collected {
    uint64_t allocs, frees, bytes;
    uint64_t live_b; /* at its last collection */
    uint64_t peak_b; /* the most that its heap has held */
};

struct amp_side {
    uint64_t (*run)(void *amp_fixture, uint64_t amp_ops); /* does `ops` operations, returns their checksum */
    uint64_t allocs_per_op; /* expected, exact: heap.h defines what counts; AMP_ANY: counted, and held to nothing */
    uint64_t bytes_per_op;  /* expected, exact, as asked for (not rounded up); AMP_ANY */
    /* What an operation calls in the compiled code, as "make_value free" or "take_arena*64"; (*): through a pointer; a
     * star without a number: any number of times. memcpy(), memset() and _exit() are not named, nor is the suffix of a
     * template's functions. NULL: nothing is declared, and neither calls nor copies are held to it. */
    const char *calls;
    uint64_t copied_b_per_op; /* expected: bytes that it copies from memory to memory; AMP_ANY: held to nothing */
    void *(*set_up)(size_t amp_size);                     /* NULL: `run` gets NULL. Ends the child on failure. */
    void (*tear_down)(void *amp_fixture);                 /* frees what set_up made; NULL with set_up NULL */
    const char *label; /* what the side is called where it is shown; NULL: "value", "pointer". 16 characters at most */
    const struct amp_budget *budget; /* that `check-budgets` holds each operation to: AMP_BUDGET(...); NULL: none */
    /* If it allocates on a heap that is collected: what that has counted. Allocations and bytes are these then, and what
     * the collector takes from malloc() for itself is not counted. NULL: malloc's are. */
    void (*collected)(void *amp_fixture, struct amp_collected *amp_out);
};

/* Advice that a run checks: in every row from size `from` to size `to`, which side is the faster one. */
struct amp_claim {
    const char *faster; /* AMP_VALUE, AMP_POINTER; AMP_NEITHER: none by more than 10 % or half a nanosecond */
    size_t from, to;    /* both inclusive; to 0: no end */
    const char *text;   /* a sentence */
    const char *abi;    /* AMP_SYSV, AMP_AAPCS64: what it says is true of this ABI only; NULL: of all */
};

#define AMP_VALUE "value"
#define AMP_POINTER "pointer"
#define AMP_NEITHER "neither"

#define AMP_SYSV "x86-64 System V"
#define AMP_AAPCS64 "AArch64"

struct amp_pair {
    const char *name;
    const char *question; /* one sentence that ends in '?' */
    struct amp_side value;
    struct amp_side pointer;
    const size_t *sizes;   /* AMP_SIZES(...); each is a row of its own, and set_up gets it */
    unsigned threads;      /* how many threads a kernel starts; 0: none, and its process is pinned to one CPU */
    const char *size_unit; /* what the sizes count; NULL: bytes */
    unsigned floor;        /* 1: a control pair, which is part of every run whatever its filter says */
    /* If not every machine can show the effect: the name of a pair whose value side is faster on those that can. NULL:
     * every machine can. */
    const char *observed_by;
    const struct amp_claim *claims; /* when which side is faster: AMP_CLAIMS(...) */
    size_t n_claims;
    const char *truth;     /* of a control pair: the true ratio pointer/value, known by construction, as "1.02" */
    const char *prefer;    /* which side to prefer for reasons that no run can check; NULL: none */
};

#define AMP_SIZES(...) ((const size_t[]){ __VA_ARGS__, 0 })

/* In AMP_PAIR(): AMP_CLAIMS({ AMP_VALUE, .to = 16, .text = "Pass up to 16 B by value." }, ...). */
#define AMP_CLAIMS(...)                                                                                                \
    .claims = (const struct amp_claim[]){ __VA_ARGS__ },                                                               \
    .n_claims = sizeof((const struct amp_claim[]){ __VA_ARGS__ }) / sizeof(struct amp_claim)

/* Declare a pair: AMP_PAIR(name, .question = "...?", .value = { ... }, .pointer = { ... }, .sizes = AMP_SIZES(8)).
 * Pairs come in the order of the lessons in benchmarks/meson.build, then in the order within the file. If a lesson is
 * compiled a second time with other flags, -DAMP_VARIANT=_o3 calls its pairs <pair>_o3. */
#define AMP_PAIR(pair, ...)                                                                                            \
    static const struct amp_pair AMP_NAME(amp_pair_##pair) = { .name = #pair AMP_TEXT(AMP_VARIANT), __VA_ARGS__ };     \
    __attribute__((AMP_IN_ORDER __used__, __section__("amp_pairs")))                                                   \
    static const struct amp_pair *const AMP_NAME(amp_entry_##pair) = &AMP_NAME(amp_pair_##pair)

#ifndef AMP_VARIANT
#define AMP_VARIANT
#endif
#define AMP_TEXT(token) AMP_TEXT_(token)
#define AMP_TEXT_(token) #token

/* A name with a suffix of its own for each subject type, in lessons that are templates (subjects.h). */
#define AMP_NAME(name) AMP_NAME_(name, AMP_SUFFIX)
#define AMP_NAME_(name, suffix) AMP_NAME__(name, suffix)
#define AMP_NAME__(name, suffix) name##suffix
#ifndef AMP_SUFFIX
#define AMP_SUFFIX
#endif

/* Make the compiler believe that the object at `p` is read and written here. It takes the address: a macro that took
 * the object itself would add a copy to those that are measured. */
static AMP_ALWAYS_INLINE void amp_keep(const void *amp_p)
{
    __asm__ volatile("" : : "r"(amp_p) : "memory");
}

/* What a function returns, which its caller then does not know: clang would not call one that has no effect, and whose
 * result is its argument. No instruction. */
static AMP_ALWAYS_INLINE uint64_t amp_returned(uint64_t amp_number)
{
#ifdef AMP_SEES_THROUGH_CALLS
    __asm__ volatile("" : "+r"(amp_number));
#endif
    return amp_number;
}

/* The exit status of a process whose kernel or fixture got no memory. */
#define AMP_EXIT_NO_MEMORY 71

/* malloc() for kernels and fixtures: never returns NULL, but ends the process. The caller frees with free(). */
static AMP_ALWAYS_INLINE void *amp_alloc(size_t amp_size)
{
    void *amp_p = malloc(amp_size);

    if (__builtin_expect(amp_p == NULL, 0))
        _exit(AMP_EXIT_NO_MEMORY);
    return amp_p;
}

/* A random number: SplitMix64 (Steele, Lea, Flood 2014), whose state is the seed. */
static inline uint64_t amp_random_next(uint64_t *amp_state)
{
    uint64_t amp_z = *amp_state += 0x9e3779b97f4a7c15u;

    amp_z = (amp_z ^ (amp_z >> 30)) * 0xbf58476d1ce4e5b9u;
    amp_z = (amp_z ^ (amp_z >> 27)) * 0x94d049bb133111ebu;
    return amp_z ^ (amp_z >> 31);
}

#endif
