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
 * The subjects are struct { unsigned char b[N]; } for many N, most of them near sizes at which ABIs and compilers
 * change: 16/17 B (registers or memory), 256/257 B (gcc changes to rep movs), about 4 KiB (a page).
 *
 * A lesson that needs only a few sizes names them: #define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 1024).
 *
 * If AMP_SUBJECT is defined already (-DAMP_SUBJECT='struct order'), that type is the only subject. */
#ifdef AMP_SUBJECT_B /* this header includes itself for each size of the list at its end */
#ifndef AMP_SUBJECT_READ /* the lesson includes it, too, and must not read it again */
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

/* Lessons know only the size of their subject, and read and write two bytes of it: the first and the last one that are
 * not padding, since a copy need not copy padding. GNU C has types without bytes: nothing of these is touched. */
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

/* Write both bytes, so that the object is a new one. */
#define amp_set_ends(object, number) amp_set_ends_at((object), AMP_SUBJECT_FIRST, AMP_SUBJECT_LAST, (number))

static AMP_ALWAYS_INLINE void amp_set_ends_at(void *amp_whole, size_t amp_first, size_t amp_last, uint64_t amp_number)
{
    unsigned char *amp_byte = (unsigned char *) amp_whole;

    amp_byte[amp_first] = (unsigned char) amp_number;
    amp_byte[amp_last] = (unsigned char) (amp_number >> 8);
}

/* The size of a row about one subject; 0 would end the list, so an empty type counts as 1. */
#define AMP_SUBJECT_SIZES AMP_SIZES(sizeof(subject) > 0 ? sizeof(subject) : 1)

/* The object in a fixture, declared as aligned to 16 B: without that, clang 14 copies an object of bytes twice. */
#define AMP_OBJECT_ALIGNMENT 16
#define amp_object(fixture) ((subject *) __builtin_assume_aligned((fixture), AMP_OBJECT_ALIGNMENT))

/* The fixture of a lesson that needs one object: all bytes are 1. Not by malloc(), since jemalloc aligns 8 bytes to
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
