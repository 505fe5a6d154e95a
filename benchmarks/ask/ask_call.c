/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function that does with it what a user's function does: reads some of its members, changes a copy
 * of its own, writes elsewhere between its reads, or hands the object on.
 *
 *   value     caller --[a b c d]--> callee    N bytes copied, in registers or on the stack; the copy is read
 *   pointer   caller --[ & ]------> callee    8 bytes copied; the members are read where they are
 *
 *   reads     the callee adds up some members, at even distances: of 8 the first, every fourth, every other, all
 *   changes   it needs a changed copy: by value it has one, by pointer it makes one
 *   writes    it reads the members four times, and writes a word elsewhere behind each: by pointer the compiler must
 *             believe that the word may be one of the object's members, and load these again; none knows the copy
 *   calls     it hands the object on, and the last of so many calls uses it: by value each call copies
 *
 * Same on both sides:  the object, the members that are read, in which order they are added, the words written, the
 *                      calls. Only calls that write or hand on take more arguments than the object.
 * Different:           where the callee finds the members. Of an object in registers, clang 15 and later do not pass
 *                      what is not read.
 *
 * ASK_PROFILES(CALL, CALL_ON) lists the pairs; ask makes it for the type that it is asked about (ask/profiles.py), with
 * the functions that read the members. */
#include "harness/kernel.h"
#include "harness/subjects.h"

#if defined(AMP_SUBJECT) && defined(ASK_PROFILES)

#define WRITES 4

/* It may be a part of any object, as a char may; volatile, so that both sides write as often as the text says. */
typedef volatile uint64_t __attribute__((__may_alias__)) ask_word;

struct ask_called {
    subject object;
    ask_word words[WRITES];
    uint64_t calls;
};

static AMP_ALWAYS_INLINE struct ask_called *ask_fixture(void *fixture)
{
    return (struct ask_called *) __builtin_assume_aligned(fixture, AMP_OBJECT_ALIGNMENT);
}

static void *ask_called_set_up(size_t calls)
{
    struct ask_called *called = amp_object_set_up(sizeof *called);

    for (size_t k = 0; k < WRITES; k++)
        called->words[k] = k;
    called->calls = calls;
    return called;
}

#define ASK_RUN(name, side, take)                                                                                      \
    static uint64_t ask_run_##side##_##name(void *fixture, uint64_t ops)                                               \
    {                                                                                                                  \
        struct ask_called *called = ask_fixture(fixture);                                                              \
        uint64_t sum = 0;                                                                                              \
                                                                                                                       \
        for (uint64_t i = ops; i > 0; i--) {                                                                           \
            amp_keep(called); /* the compiler must believe that the object may have changed */                         \
            sum += take;                                                                                               \
        }                                                                                                              \
        return sum;                                                                                                    \
    }

/* `changes`: the pointer side makes a copy; what of a value in registers is stored as it came, the compiler decides. */
#define ASK_PAIR(name, n, changes, text)                                                                               \
    static void *ask_set_up_##name(size_t size)                                                                        \
    {                                                                                                                  \
        (void) size;                                                                                                   \
        return ask_called_set_up(n);                                                                                   \
    }                                                                                                                  \
                                                                                                                       \
    AMP_PAIR(name,                                                                                                     \
             .question = "What does an argument cost by value, and what by const pointer, if the callee " text "?",    \
             .value = { ask_run_value_##name, .calls = AMP_SUBJECT_CALLS("ask_value_" #name "*" #n, ""),               \
                        .copied_b_per_op = (changes) && !AMP_PASSED_B ? AMP_ANY : (n) * AMP_PASSED_B,                  \
                        .set_up = ask_set_up_##name, .tear_down = amp_object_tear_down },                              \
             .pointer = { ask_run_pointer_##name, .calls = AMP_SUBJECT_CALLS("ask_pointer_" #name "*" #n, ""),         \
                          .copied_b_per_op = (changes) ? sizeof(subject) : 0, .set_up = ask_set_up_##name,             \
                          .tear_down = amp_object_tear_down },                                                         \
             .sizes = AMP_SUBJECT_SIZES);

/* A function of one argument: it reads by read(), after it has changed its copy if `changes`. */
#define ASK_CALL(name, read, changes, text)                                                                            \
    static AMP_NOINLINE uint64_t ask_value_##name(subject object)                                                      \
    {                                                                                                                  \
        if (changes) {                                                                                                 \
            amp_change(&object);                                                                                       \
            amp_keep(&object); /* the whole copy must be there: others may read it */                                  \
        }                                                                                                              \
        return amp_returned(read(&object));                                                                            \
    }                                                                                                                  \
                                                                                                                       \
    static AMP_NOINLINE uint64_t ask_pointer_##name(const subject *original)                                           \
    {                                                                                                                  \
        if (changes) {                                                                                                 \
            subject object = *original;                                                                                \
                                                                                                                       \
            amp_change(&object);                                                                                       \
            amp_keep(&object);                                                                                         \
            return amp_returned(read(&object));                                                                        \
        }                                                                                                              \
        return amp_returned(read(original));                                                                           \
    }                                                                                                                  \
                                                                                                                       \
    ASK_RUN(name, value, ask_value_##name(called->object))                                                             \
    ASK_RUN(name, pointer, ask_pointer_##name(&called->object))                                                        \
    ASK_PAIR(name, 1, changes, text)

/* Read once, or each time before a word is written. */
#define ASK_USE(object, read, writes)                                                                                  \
    if (!(writes))                                                                                                     \
        return amp_returned(read(object));                                                                             \
    elsewhere[0] = read(object);                                                                                       \
    elsewhere[1] = read(object);                                                                                       \
    elsewhere[2] = read(object);                                                                                       \
    elsewhere[3] = read(object);                                                                                       \
    return elsewhere[0] + elsewhere[3]

/* A function that hands the object on until `calls` functions have had it; the last one uses it. `n` is how many that
 * are: where it is 1 there is no way on. */
#define ASK_CALL_ON(name, read, changes, writes, n, text)                                                              \
    static AMP_NOINLINE uint64_t ask_value_##name(subject object, ask_word *elsewhere, uint64_t calls)                 \
    {                                                                                                                  \
        if ((n) > 1 && calls > 1) {                                                                                    \
            uint64_t sum = ask_value_##name(object, elsewhere, calls - 1);                                             \
                                                                                                                       \
            __asm__ volatile("" : "+r"(sum)); /* work after the call, so that the compiler makes no loop of it */      \
            return sum;                                                                                                \
        }                                                                                                              \
        if (changes) {                                                                                                 \
            amp_change(&object);                                                                                       \
            amp_keep(&object);                                                                                         \
        }                                                                                                              \
        ASK_USE(&object, read, writes);                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static AMP_NOINLINE uint64_t ask_pointer_##name(const subject *original, ask_word *elsewhere, uint64_t calls)      \
    {                                                                                                                  \
        if ((n) > 1 && calls > 1) {                                                                                    \
            uint64_t sum = ask_pointer_##name(original, elsewhere, calls - 1);                                         \
                                                                                                                       \
            __asm__ volatile("" : "+r"(sum));                                                                          \
            return sum;                                                                                                \
        }                                                                                                              \
        if (changes) {                                                                                                 \
            subject object = *original;                                                                                \
                                                                                                                       \
            amp_change(&object);                                                                                       \
            amp_keep(&object);                                                                                         \
            ASK_USE(&object, read, writes);                                                                            \
        }                                                                                                              \
        ASK_USE(original, read, writes);                                                                               \
    }                                                                                                                  \
                                                                                                                       \
    ASK_RUN(name, value, ask_value_##name(called->object, called->words, called->calls))                               \
    ASK_RUN(name, pointer, ask_pointer_##name(&called->object, called->words, called->calls))                          \
    ASK_PAIR(name, n, changes, text)

ASK_PROFILES(ASK_CALL, ASK_CALL_ON)

#endif
