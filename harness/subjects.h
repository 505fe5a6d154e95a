/* SPDX-License-Identifier: MIT
 *
 * For lessons that are templates over a type, the subject. Such a lesson looks like this:
 *
 *     #include "harness/kernel.h"
 *     #define AMP_LESSON "benchmarks/frames/pass.c"
 *     #include "harness/subjects.h"
 *     #ifdef AMP_SUBJECT
 *     ... kernels and AMP_PAIR(), for the type `subject`
 *     #endif
 *
 * This header includes that file again for every subject. Its functions need another name for each subject: run_value
 * and run_pointer get one by themselves; for others write `#define take_value AMP_NAME(take_value)`.
 *
 * The subjects are structs of N bytes whose members are bytes, words or doubles; a lesson says which:
 *
 *     #define AMP_SUBJECT_OF AMP_BYTES      unsigned char; AMP_DOUBLES: double; AMP_WORDS, the default: uint64_t
 *
 * Most N are near sizes at which ABIs and compilers change: 16/17 B, of words 16/24 B (registers or memory), 256/257 B,
 * of words 256/264 B (gcc changes to rep movs), about 4 KiB (a page).
 *
 * A lesson that needs only a few sizes names them: #define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024).
 *
 * If AMP_SUBJECT is defined already (-DAMP_SUBJECT='struct order'), that type is the only subject. A lesson that reads
 * or writes members then needs definitions of AMP_SUBJECT_MEMBERS, amp_member() and amp_set_member() for it, too; who
 * defines amp_ends(), amp_set_ends() and amp_fill() chooses what of the type they touch. */
#ifdef AMP_SUBJECT_B /* this header includes itself for each size of the list at its end */
#ifndef AMP_SUBJECT_READ /* the lesson includes it, too, and must not read it again */
#define AMP_SUBJECT_READ

#if AMP_SUBJECT_ONLY(AMP_SUBJECT_B) && AMP_SUBJECT_FITS(AMP_SUBJECT_B)
struct AMP_NAME(amp_members) {
    AMP_MEMBER amp_m[AMP_SUBJECT_B / sizeof(AMP_MEMBER)];
};
#include AMP_LESSON
#endif

#undef AMP_SUBJECT_READ
#undef AMP_SUBJECT_B
#endif

#elif !defined(AMP_SUBJECTS_H)
#define AMP_SUBJECTS_H

#include "harness/kernel.h"

#define AMP_BYTES 1
#define AMP_WORDS 2
#define AMP_DOUBLES 3

#ifndef AMP_SUBJECT_OF
#define AMP_SUBJECT_OF AMP_WORDS
#endif

#if AMP_SUBJECT_OF == AMP_BYTES
#define AMP_MEMBER unsigned char
#define AMP_SUBJECT_FITS(n) ((n) != 264)
#elif AMP_SUBJECT_OF == AMP_WORDS
#define AMP_MEMBER uint64_t
#define AMP_SUBJECT_FITS(n) ((n) % 8 == 0)
#else
#define AMP_MEMBER double
#define AMP_SUBJECT_FITS(n) ((n) % 8 == 0)
#endif

#ifndef AMP_SUBJECT_ONLY
#define AMP_SUBJECT_ONLY(n) 1
#endif

#ifndef AMP_SUBJECT /* the members of our own subjects: how many, the k-th of an object, and setting it */
#define AMP_SUBJECT_MEMBERS (sizeof(subject) / sizeof(AMP_MEMBER))
#define amp_member(object, k) (((const AMP_MEMBER *) (const void *) (object))[k])
#define amp_set_member(object, k, x) ((void) (((AMP_MEMBER *) (void *) (object))[k] = (AMP_MEMBER) (x)))
#endif

/* Many lessons read and write two members, the first and the last; of one word, it twice. */
#if !defined(AMP_SUBJECT) && AMP_SUBJECT_OF != AMP_BYTES

#define amp_ends(object)                                                                                               \
    ((uint64_t) (int64_t) (amp_member((object), 0) + amp_member((object), AMP_SUBJECT_MEMBERS - 1)))

/* Both, so that the object is a new one. */
#define amp_set_ends(object, number)                                                                                   \
    amp_set_ends_at((AMP_MEMBER *) (void *) (object), AMP_SUBJECT_MEMBERS - 1, (number))

static AMP_ALWAYS_INLINE void amp_set_ends_at(AMP_MEMBER *amp_members, size_t amp_last, uint64_t amp_number)
{
    amp_members[0] = (AMP_MEMBER) (int64_t) amp_number;
    amp_members[amp_last] = (AMP_MEMBER) (int64_t) (amp_number + 1);
}

#elif !defined(amp_ends) /* of a user's type whose members nobody names (ask does), two bytes: the first and the last
                          * one that are not padding, since a copy need not copy it */

#ifndef AMP_SUBJECT_FIRST
#define AMP_SUBJECT_FIRST 0
#endif
#ifndef AMP_SUBJECT_LAST
#define AMP_SUBJECT_LAST (sizeof(subject) - 1)
#endif
#ifndef AMP_SUBJECT_EMPTY /* GNU C has types without bytes: nothing of these is touched */
#define AMP_SUBJECT_EMPTY 0
#endif

#define amp_ends(object) (AMP_SUBJECT_EMPTY ? 0 : amp_ends_at((object), AMP_SUBJECT_FIRST, AMP_SUBJECT_LAST))

static AMP_ALWAYS_INLINE uint64_t amp_ends_at(const void *amp_whole, size_t amp_first, size_t amp_last)
{
    const unsigned char *amp_byte = (const unsigned char *) amp_whole;

    return (uint64_t) amp_byte[amp_first] + ((uint64_t) amp_byte[amp_last] << 8);
}

#define amp_set_ends(object, number) amp_set_ends_at((object), AMP_SUBJECT_FIRST, AMP_SUBJECT_LAST, (number))

static AMP_ALWAYS_INLINE void amp_set_ends_at(void *amp_whole, size_t amp_first, size_t amp_last, uint64_t amp_number)
{
    unsigned char *amp_byte = (unsigned char *) amp_whole;

    if (AMP_SUBJECT_EMPTY)
        return;
    amp_byte[amp_first] = (unsigned char) amp_number;
    amp_byte[amp_last] = (unsigned char) (amp_number >> 8);
}

#endif

/* What a side declares of calls (`.calls`): of functions that AMP_INLINE leaves to the compiler, and of others. Nothing
 * for a user's type, which a user's flags may compile otherwise; a test that holds such a lesson to its word says what
 * passing the type by value copies, AMP_SUBJECT_PASSED_B. */
#if defined(AMP_SUBJECT) && !defined(AMP_SUBJECT_PASSED_B)
#define AMP_SUBJECT_CALLS(amp_own, amp_others) NULL
#elif defined(AMP_INLINE)
#define AMP_SUBJECT_CALLS(amp_own, amp_others) amp_others
#else
#define AMP_SUBJECT_CALLS(amp_own, amp_others) amp_own " " amp_others
#endif

/* The bytes that are copied in memory if a subject is passed by value: none if the ABI has it in registers. AArch64 has
 * up to four doubles in registers of their own. */
#if defined(__aarch64__) && AMP_SUBJECT_OF == AMP_DOUBLES
#define AMP_IN_REGISTERS_B 32
#else
#define AMP_IN_REGISTERS_B 16
#endif
#ifdef AMP_SUBJECT_PASSED_B
#define AMP_PASSED_B AMP_SUBJECT_PASSED_B
#else
#define AMP_PASSED_B (sizeof(subject) <= AMP_IN_REGISTERS_B ? 0 : sizeof(subject))
#endif

/* For a function that takes one of our subjects by value, of words or doubles: if they are in registers, all members
 * count as read; clang would not pass the others. No instruction. */
#ifdef AMP_SEES_THROUGH_CALLS
#if AMP_SUBJECT_OF != AMP_DOUBLES
#define AMP_REGISTER "r"
#elif defined(__aarch64__)
#define AMP_REGISTER "w"
#else
#define AMP_REGISTER "x"
#endif
#define amp_keep_member(object, k)                                                                                     \
    __asm__ volatile("" : : AMP_REGISTER(amp_member((object), (k) % AMP_SUBJECT_MEMBERS)))
#define amp_keep_passed(object)                                                                                        \
    do {                                                                                                               \
        if (sizeof(subject) <= AMP_IN_REGISTERS_B) {                                                                   \
            amp_keep_member((object), 0);                                                                              \
            amp_keep_member((object), 1);                                                                              \
            amp_keep_member((object), 2);                                                                              \
            amp_keep_member((object), 3);                                                                              \
        }                                                                                                              \
    } while (0)
#else
#define amp_keep_passed(object) ((void) (object))
#endif

/* The size of a row about one subject; 0 would end the list, so an empty type counts as 1. */
#define AMP_SUBJECT_SIZES AMP_SIZES(sizeof(subject) > 0 ? sizeof(subject) : 1)

/* The object in a fixture, declared as aligned to 16 B: without that, clang 14 copies an object of bytes twice. */
#define AMP_OBJECT_ALIGNMENT 16
#define amp_object(fixture) ((subject *) __builtin_assume_aligned((fixture), AMP_OBJECT_ALIGNMENT))

/* The fixture of a lesson that needs one object, or several of `size` bytes together: all bytes are 1; of words and
 * doubles, the k-th is k + 1. Not by malloc(), since jemalloc aligns 8 bytes to 8. */
static inline void *amp_object_set_up(size_t amp_size)
{
    void *amp_made = aligned_alloc(AMP_OBJECT_ALIGNMENT, (amp_size + AMP_OBJECT_ALIGNMENT - 1) / AMP_OBJECT_ALIGNMENT *
                                                             AMP_OBJECT_ALIGNMENT);

    if (!amp_made)
        _exit(AMP_EXIT_NO_MEMORY);
    memset(amp_made, 1, amp_size);
#if !defined(AMP_SUBJECT) && AMP_SUBJECT_OF != AMP_BYTES
    for (size_t amp_k = 0; amp_k < amp_size / sizeof(AMP_MEMBER); amp_k++)
        amp_set_member(amp_made, amp_k, amp_k + 1);
#elif defined(amp_fill) /* ask's, which sets an object's members */
    for (size_t amp_at = 0; amp_at + sizeof(AMP_SUBJECT) <= amp_size; amp_at += sizeof(AMP_SUBJECT))
        amp_fill((AMP_SUBJECT *) (void *) ((char *) amp_made + amp_at));
#endif
    return amp_made;
}

static inline void amp_object_tear_down(void *amp_fixture)
{
    free(amp_fixture);
}

#define subject AMP_SUBJECT
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)

#if defined(AMP_LESSON) && !defined(AMP_SUBJECT)

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, AMP_SUBJECT_B)
#define AMP_SUBJECT struct AMP_NAME(amp_members)

#define AMP_SUBJECT_B 8
#include "harness/subjects.h"
#define AMP_SUBJECT_B 16
#include "harness/subjects.h"
#define AMP_SUBJECT_B 17
#include "harness/subjects.h"
#define AMP_SUBJECT_B 24
#include "harness/subjects.h"
#define AMP_SUBJECT_B 32
#include "harness/subjects.h"
#define AMP_SUBJECT_B 48
#include "harness/subjects.h"
#define AMP_SUBJECT_B 64
#include "harness/subjects.h"
#define AMP_SUBJECT_B 96
#include "harness/subjects.h"
#define AMP_SUBJECT_B 128
#include "harness/subjects.h"
#define AMP_SUBJECT_B 192
#include "harness/subjects.h"
#define AMP_SUBJECT_B 256
#include "harness/subjects.h"
#define AMP_SUBJECT_B 257
#include "harness/subjects.h"
#define AMP_SUBJECT_B 264
#include "harness/subjects.h"
#define AMP_SUBJECT_B 384
#include "harness/subjects.h"
#define AMP_SUBJECT_B 512
#include "harness/subjects.h"
#define AMP_SUBJECT_B 1024
#include "harness/subjects.h"
#define AMP_SUBJECT_B 1536
#include "harness/subjects.h"
#define AMP_SUBJECT_B 2048
#include "harness/subjects.h"
#define AMP_SUBJECT_B 4096
#include "harness/subjects.h"
#define AMP_SUBJECT_B 4112
#include "harness/subjects.h"
#define AMP_SUBJECT_B 8192
#include "harness/subjects.h"
#define AMP_SUBJECT_B 16384
#include "harness/subjects.h"
#define AMP_SUBJECT_B 32768
#include "harness/subjects.h"
#define AMP_SUBJECT_B 65536
#include "harness/subjects.h"

#undef AMP_SUBJECT

#endif
#endif
