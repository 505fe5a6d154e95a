/* SPDX-License-Identifier: MIT
 *
 * How to get from a function's frame to its caller's, at one place in its code: read from the unwind tables (.eh_frame)
 * that every object carries on x86-64 and AArch64, with or without frame pointers. */
#ifndef AMP_PROFILE_CFI_H
#define AMP_PROFILE_CFI_H

#include <stdbool.h>
#include <stdint.h>

/* Where the canonical frame address (CFA: the stack pointer before the call) is found. */
enum amp_cfa {
    AMP_CFA_NONE,
    AMP_CFA_SP,
    AMP_CFA_FP,
    AMP_CFA_AT_FP,
    AMP_CFA_SIGNAL,
    AMP_CFA_OUTERMOST,
    AMP_CFA_UNKNOWN
};
/* Where the caller's frame pointer is found. */
enum amp_fp { AMP_FP_KEPT, AMP_FP_AT_CFA, AMP_FP_AT_FP };

/* In one word, so that a cache of them needs no lock. */
struct amp_row {
    int32_t cfa_offset;
    int16_t fp_offset;
    int8_t ra_offset; /* of the return address from the CFA, in words */
    uint8_t cfa : 4, fp : 4;
};

/* The row of the code that is at `pc`. cfa is AMP_CFA_NONE if no table describes it, AMP_CFA_UNKNOWN if the table says
 * it in a form that compilers do not use where they call functions. Takes no lock of ours, allocates nothing. */
struct amp_row amp_cfi_row(uintptr_t pc);

#endif
