/* SPDX-License-Identifier: MIT
 *
 * All that a lesson may include, beside subjects.h and threads.h, which include it.
 *
 * A lesson is one file that asks one question with two kernels, `value` and `pointer`, which do the same work.
 * A kernel owns its loop, sees no clock and no counter, and returns a checksum. Sides whose checksums differ are
 * refused and never timed. A fixture is set up and torn down outside every measurement.
 *
 * The lesson's object is linked many times, each time with its functions at other offsets of a 64-byte line, and
 * all of these modules are loaded into one process; one fixture serves them all. So a fixture must not hold the
 * address of a function, and a lesson has no mutable globals.
 *
 * Here and in the other headers, attributes and names of parameters are spelled so that no macro meets them that a
 * program's own header may have defined before. */
#ifndef AMP_KERNEL_H
#define AMP_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A call stays a call: not inlined, not cloned for a constant, not turned into a jump or a loop. `used` is what clang
 * has of noipa: a function that others may call keeps its arguments, and a pointer is not turned into the values behind
 * it; since 17 it would specialise one for a constant, but for a flag of the kernels (meson.build). A function that calls
 * itself must also do something after the call, amp_keep() say, or gcc makes it a loop. */
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

/* A helper that must not stay a function, so that neither side pays for a call to it: at no level of optimisation. */
#define AMP_ALWAYS_INLINE inline __attribute__((__always_inline__))

struct amp_side {
    uint64_t (*run)(void *amp_fixture, uint64_t amp_ops); /* does `ops` operations, returns their checksum */
    uint64_t allocs_per_op;                               /* expected, exact: heap.h defines what counts */
    uint64_t bytes_per_op;                                /* expected, exact, as asked for (not rounded up) */
    void *(*set_up)(size_t amp_size);                     /* NULL: `run` gets NULL. Ends the child on failure. */
    void (*tear_down)(void *amp_fixture);                 /* frees what set_up made; NULL with set_up NULL */
};

struct amp_pair {
    const char *name;
    const char *question; /* one sentence that ends in '?' */
    struct amp_side value;
    struct amp_side pointer;
    const size_t *sizes;   /* AMP_SIZES(...); set_up gets one of them, each is a row of its own */
    unsigned threads;      /* how many threads a kernel starts; 0: none, and its child is pinned to one CPU */
    const char *size_unit; /* what the sizes count; NULL: bytes */
    unsigned floor;        /* 1: a floor of noise, which belongs to every run whatever its filter says */
    /* A pair that shows whether this machine can show the effect at all, by a value side that is faster; NULL: any
     * can. */
    const char *observed_by;
    const char *prefer;    /* when which side is the better choice, in a sentence or two; NULL: nothing to choose */
};

#define AMP_SIZES(...) ((const size_t[]){ __VA_ARGS__, 0 })

/* Declare a pair: AMP_PAIR(name, .question = "...?", .value = { ... }, .pointer = { ... }, .sizes = AMP_SIZES(8)).
 * The order of pairs is the order of lessons in benchmarks/meson.build, then that within the file. A lesson that is
 * compiled once more, in another way, names itself by -DAMP_VARIANT=_o3: its pairs are then called <pair>_o3. */
#define AMP_PAIR(pair, ...)                                                                                            \
    static const struct amp_pair AMP_NAME(amp_pair_##pair) = { .name = #pair AMP_TEXT(AMP_VARIANT), __VA_ARGS__ };     \
    __attribute__((AMP_IN_ORDER __used__, __section__("amp_pairs")))                                                   \
    static const struct amp_pair *const AMP_NAME(amp_entry_##pair) = &AMP_NAME(amp_pair_##pair)

#ifndef AMP_VARIANT
#define AMP_VARIANT
#endif
#define AMP_TEXT(token) AMP_TEXT_(token)
#define AMP_TEXT_(token) #token

/* In a lesson that is a template over a subject type (subjects.h), a name of its own for each subject. */
#define AMP_NAME(name) AMP_NAME_(name, AMP_SUFFIX)
#define AMP_NAME_(name, suffix) AMP_NAME__(name, suffix)
#define AMP_NAME__(name, suffix) name##suffix
#ifndef AMP_SUFFIX
#define AMP_SUFFIX
#endif

/* The object at `p` may have been read and written here, as far as the compiler knows. By address only: a macro
 * that took the object itself would add the very copy that is being measured. */
static AMP_ALWAYS_INLINE void amp_keep(const void *amp_p)
{
    __asm__ volatile("" : : "r"(amp_p) : "memory");
}

/* The exit status by which a child says that a kernel or a fixture found no memory. */
#define AMP_EXIT_NO_MEMORY 71

/* malloc() for kernels and fixtures: never NULL, ends the child instead. The caller frees with free(). */
static AMP_ALWAYS_INLINE void *amp_alloc(size_t amp_size)
{
    void *amp_p = malloc(amp_size);

    if (__builtin_expect(amp_p == NULL, 0))
        _exit(AMP_EXIT_NO_MEMORY);
    return amp_p;
}

#endif
