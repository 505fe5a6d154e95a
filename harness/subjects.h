/* SPDX-License-Identifier: MIT
 *
 * Lessons that are templates over a subject type. Such a lesson has the shape
 *
 *     #include "harness/kernel.h"
 *     #define AMP_LESSON "benchmarks/pass.c"
 *     #include "harness/subjects.h"
 *     #ifdef AMP_SUBJECT
 *     ... kernels and AMP_PAIR(), for the type `subject`
 *     #endif
 *
 * This header reads that file once more for every subject. What the file defines must differ from subject to
 * subject: run_value and run_pointer do so by themselves, for other functions the lesson writes
 * `#define take_value AMP_NAME(take_value)`.
 *
 * A size sweep is asking about struct { unsigned char b[N]; }, densest where compilers and ABIs change their
 * minds: 16/17 B (registers or memory), 256/257 B (gcc changes to rep movs), about 4 KiB (a page).
 *
 * A lesson that needs no full sweep names its sizes: #define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024).
 *
 * Where AMP_SUBJECT is defined beforehand (-DAMP_SUBJECT='struct order'), that type is the only subject. */
#ifdef AMP_SUBJECT_B /* for each size of the list at the end this header includes itself */
#ifndef AMP_SUBJECT_READ /* the lesson includes it, too, and must find nothing then */
#define AMP_SUBJECT_READ

#if AMP_SUBJECT_ONLY(AMP_SUBJECT_B)
struct AMP_NAME(amp_bytes) {
    unsigned char b[AMP_SUBJECT_B];
};
#include AMP_LESSON
#endif

#undef AMP_SUBJECT_READ
#undef AMP_SUBJECT_B
#endif

#elif !defined(AMP_SUBJECTS_H)
#define AMP_SUBJECTS_H

#include "harness/kernel.h"

/* Lessons know nothing of their subject but its size, and touch it through its first and its last byte: the first and
 * the last that are not padding, since a copy need not carry padding along. GNU C has types of no bytes at all: nothing
 * of them is touched. */
#ifndef AMP_SUBJECT_FIRST
#define AMP_SUBJECT_FIRST 0
#endif
#ifndef AMP_SUBJECT_LAST
#define AMP_SUBJECT_LAST (sizeof(subject) - 1)
#endif
#ifndef AMP_SUBJECT_EMPTY
#define AMP_SUBJECT_EMPTY 0
#endif

#ifndef AMP_SUBJECT_ONLY
#define AMP_SUBJECT_ONLY(n) 1
#endif

#define amp_ends(object) (AMP_SUBJECT_EMPTY ? 0 : amp_ends_at((object), AMP_SUBJECT_FIRST, AMP_SUBJECT_LAST))

static AMP_ALWAYS_INLINE uint64_t amp_ends_at(const void *amp_whole, size_t amp_first, size_t amp_last)
{
    const unsigned char *amp_byte = (const unsigned char *) amp_whole;

    return (uint64_t) amp_byte[amp_first] + ((uint64_t) amp_byte[amp_last] << 8);
}

/* Change both, so that the object is none that was there before. */
#define amp_set_ends(object, number) amp_set_ends_at((object), AMP_SUBJECT_FIRST, AMP_SUBJECT_LAST, (number))

static AMP_ALWAYS_INLINE void amp_set_ends_at(void *amp_whole, size_t amp_first, size_t amp_last, uint64_t amp_number)
{
    unsigned char *amp_byte = (unsigned char *) amp_whole;

    amp_byte[amp_first] = (unsigned char) amp_number;
    amp_byte[amp_last] = (unsigned char) (amp_number >> 8);
}

/* The one size of a row about a subject; a size of 0 would end the list. */
#define AMP_SUBJECT_SIZES AMP_SIZES(sizeof(subject) > 0 ? sizeof(subject) : 1)

/* The object in a fixture, aligned as a struct of ints or pointers is at most: of bytes that may stand anywhere clang
 * 14 makes two copies where one is wanted. */
#define AMP_OBJECT_ALIGNMENT 16
#define amp_object(fixture) ((subject *) __builtin_assume_aligned((fixture), AMP_OBJECT_ALIGNMENT))

/* The fixture of a lesson that needs one object, all of its bytes set. Not by malloc(): jemalloc aligns 8 bytes to
 * 8. */
static inline void *amp_object_set_up(size_t amp_size)
{
    void *amp_made = aligned_alloc(AMP_OBJECT_ALIGNMENT, (amp_size + AMP_OBJECT_ALIGNMENT - 1) / AMP_OBJECT_ALIGNMENT *
                                                             AMP_OBJECT_ALIGNMENT);

    if (!amp_made)
        _exit(AMP_EXIT_NO_MEMORY);
    return memset(amp_made, 1, amp_size);
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
#define AMP_SUBJECT struct AMP_NAME(amp_bytes)

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
