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
 * minds: 16/17 B (registers or memory), 256/257 B (gcc changes to rep movs), about 4 KiB (a page). */
#ifndef AMP_SUBJECTS_H
#define AMP_SUBJECTS_H

#include "harness/kernel.h"

#define AMP_SUBJECT struct AMP_NAME(amp_bytes)
#define subject AMP_SUBJECT
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)

#undef AMP_SUFFIX
#define AMP_SUFFIX _8
struct amp_bytes_8 {
    unsigned char b[8];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _16
struct amp_bytes_16 {
    unsigned char b[16];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _17
struct amp_bytes_17 {
    unsigned char b[17];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _24
struct amp_bytes_24 {
    unsigned char b[24];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _32
struct amp_bytes_32 {
    unsigned char b[32];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _40
struct amp_bytes_40 {
    unsigned char b[40];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _48
struct amp_bytes_48 {
    unsigned char b[48];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _64
struct amp_bytes_64 {
    unsigned char b[64];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _80
struct amp_bytes_80 {
    unsigned char b[80];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _96
struct amp_bytes_96 {
    unsigned char b[96];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _128
struct amp_bytes_128 {
    unsigned char b[128];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _192
struct amp_bytes_192 {
    unsigned char b[192];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _256
struct amp_bytes_256 {
    unsigned char b[256];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _257
struct amp_bytes_257 {
    unsigned char b[257];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _320
struct amp_bytes_320 {
    unsigned char b[320];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _384
struct amp_bytes_384 {
    unsigned char b[384];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _512
struct amp_bytes_512 {
    unsigned char b[512];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _768
struct amp_bytes_768 {
    unsigned char b[768];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _1024
struct amp_bytes_1024 {
    unsigned char b[1024];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _1536
struct amp_bytes_1536 {
    unsigned char b[1536];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _2048
struct amp_bytes_2048 {
    unsigned char b[2048];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _3072
struct amp_bytes_3072 {
    unsigned char b[3072];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _4096
struct amp_bytes_4096 {
    unsigned char b[4096];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _4112
struct amp_bytes_4112 {
    unsigned char b[4112];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _6144
struct amp_bytes_6144 {
    unsigned char b[6144];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _8192
struct amp_bytes_8192 {
    unsigned char b[8192];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _16384
struct amp_bytes_16384 {
    unsigned char b[16384];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _32768
struct amp_bytes_32768 {
    unsigned char b[32768];
};
#include AMP_LESSON
#undef AMP_SUFFIX
#define AMP_SUFFIX _65536
struct amp_bytes_65536 {
    unsigned char b[65536];
};
#include AMP_LESSON

#undef AMP_SUBJECT

#endif
