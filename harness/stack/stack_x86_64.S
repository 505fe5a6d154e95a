/* SPDX-License-Identifier: MIT
 *
 * The switch between two stacks, x86-64 System V.
 *
 *        host stack (a thread's own)                    growable stack
 *   hi   +-------------------------+             hi     +-----------------------------+
 *        | callers of resume       |             hi-8   | unused                      |
 *        +-------------------------+             hi-16  | host_sp, for unwinders -----|--.
 *        | return address          |                    +-----------------------------+  |
 *        | rbp rbx r12 r13 r14 r15 |                    | return address into boot    |  |
 *        | 8 B for alignment       |                    | frames of growable          |  |
 *        +-------------------------+ <-- host_sp <---   | functions                   |  |
 *        | grow(), and what is     |                 `--|-----------------------------|--'
 *        | called by amp_stack_    |                    | where a check failed: return address,
 *        | call(), runs from here  |                    | rax ... r15, xmm0 ... xmm7   | <-- sp
 *        +-------------------------+             lo+928 +- - - - - limit - - - - - - -+
 *                                                lo     | reserve, canary             |
 *                                                       +-----------------------------+
 *
 * enter, yield and the end of boot change stacks the same way: push the callee-saved registers, change rsp, pop. So
 * what the unwinder is told (.cfi) is right on both sides of the change. A waiting coroutine has the same seven words
 * on its top. Of the limit and of `current` each side sets what the other is to find.
 *
 * Kept by all: rbx, rbp, r12-r15, as the ABI wants; by more: everything but r11 and the flags, since the function
 * that was called has yet to see its arguments, and no more of vector registers than 16 B of the eight for
 * arguments. */
#if defined(__x86_64__)

#define SP 0
#define HOST_SP 8
#define LIMIT 16
#define HOST_LIMIT 24
#define PREVIOUS 32
#define HI 40
#define VALUE 48
#define FN 56
#define ARG 64
#define TOP_B 16

#define SWITCH_B 64            /* return address, six registers, alignment */

/* Of the thread's limit: see stack.h. Where it is a variable, `at` is spent on the way to it. */
#include <features.h>
#if defined(__GLIBC__) && !defined(AMP_STACK_LIMIT_IS_VARIABLE)
#define GET_LIMIT(value) movq %fs:0x70, value
#define SET_LIMIT(value, at) movq value, %fs:0x70
#else
#define WITH_VARIABLE
#define GET_LIMIT(value) movq amp_stack_limit@gottpoff(%rip), value; movq %fs:(value), value
#define SET_LIMIT(value, at) movq amp_stack_limit@gottpoff(%rip), at; movq value, %fs:(at)
#endif

        .section .tbss,"awT",@nobits
        .p2align 3
#ifdef WITH_VARIABLE
        .globl amp_stack_limit
        .type amp_stack_limit, @object
        .size amp_stack_limit, 8
amp_stack_limit:               /* lo + reserve; 0 on a host stack, where no check fails */
        .zero 8
#endif
        .type current, @object
        .size current, 8
current:                       /* struct amp_stack *: what this thread runs on; 0 on a host stack */
        .zero 8

        .section .rodata
        .p2align 3
        .globl amp_stack_saved_b, amp_stack_switch_b, amp_stack_boot_word
        .hidden amp_stack_saved_b, amp_stack_switch_b, amp_stack_boot_word
        .type amp_stack_saved_b, @object
        .size amp_stack_saved_b, 8
amp_stack_saved_b:
        .quad 8 + 15 * 8 + 8 + 8 * 16
        .type amp_stack_switch_b, @object
        .size amp_stack_switch_b, 8
amp_stack_switch_b:
        .quad SWITCH_B
        .type amp_stack_boot_word, @object
        .size amp_stack_boot_word, 8
amp_stack_boot_word:
        .quad SWITCH_B / 8 - 1

.macro FUNCTION name
        .text
        .p2align 4
        .globl \name
        .type \name, @function
\name:
        .cfi_startproc
.endm

.macro END name
        .cfi_endproc
        .size \name, . - \name
.endm

/* to = &current, as an offset for %fs */
.macro CURRENT to
        movq    current@gottpoff(%rip), \to
.endm

.macro SAVE register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
.endm

.macro RESTORE register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
.endm

.macro SAVE_SWITCH
        SAVE    rbp
        SAVE    rbx
        SAVE    r12
        SAVE    r13
        SAVE    r14
        SAVE    r15
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
.endm

.macro RESTORE_SWITCH
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        RESTORE r15
        RESTORE r14
        RESTORE r13
        RESTORE r12
        RESTORE rbx
        RESTORE rbp
.endm

/* What SAVE_SWITCH leaves, for code that comes to such a frame by changing rsp. */
.macro CFI_SWITCH
        .cfi_def_cfa rsp, SWITCH_B
        .cfi_offset rbp, -16
        .cfi_offset rbx, -24
        .cfi_offset r12, -32
        .cfi_offset r13, -40
        .cfi_offset r14, -48
        .cfi_offset r15, -56
.endm

/* From a stack to its host: rbx is the stack; uses rcx and rdx. */
.macro TO_HOST
        movq    HOST_LIMIT(%rbx), %rcx
        SET_LIMIT(%rcx, %rdx)
        CURRENT %rcx
        pushq   PREVIOUS(%rbx)
        popq    %fs:(%rcx)
.endm

/* int amp_stack_enter(struct amp_stack *stack): rdi */
FUNCTION amp_stack_enter
        .hidden amp_stack_enter
        SAVE_SWITCH
        movq    %rsp, HOST_SP(%rdi)
        movq    HI(%rdi), %rax
        movq    %rsp, -TOP_B(%rax)
        GET_LIMIT(%rax)
        movq    %rax, HOST_LIMIT(%rdi)
        CURRENT %rcx
        movq    %fs:(%rcx), %rax
        movq    %rax, PREVIOUS(%rdi)
        movq    %rdi, %fs:(%rcx)
        movq    LIMIT(%rdi), %rax
        SET_LIMIT(%rax, %rcx)
        movq    SP(%rdi), %rsp
        RESTORE_SWITCH
        ret
END amp_stack_enter

/* struct amp_stack *amp_stack_current(void) */
FUNCTION amp_stack_current
        CURRENT %rax
        movq    %fs:(%rax), %rax
        ret
END amp_stack_current

/* void amp_stack_yield(uint64_t value): rdi */
FUNCTION amp_stack_yield
        CURRENT %rax
        movq    %fs:(%rax), %rax
        testq   %rax, %rax
        jz      1f
        SAVE_SWITCH
        movq    %rax, %rbx
        movq    %rsp, SP(%rbx)
        movq    %rdi, VALUE(%rbx)
        TO_HOST
        movq    HOST_SP(%rbx), %rsp
        movl    $1, %eax
        RESTORE_SWITCH
1:      ret
END amp_stack_yield

/* void amp_stack_boot(void): comes out of enter's `ret`, with rsp = hi - 16. Its caller's frame is on the host stack,
 * where the word at rsp points: cfa = *rsp + SWITCH_B. */
FUNCTION amp_stack_boot
        .hidden amp_stack_boot
        CFI_SWITCH
        .cfi_escape 0x0f, 5, 0x77, 0, 0x06, 0x23, SWITCH_B /* def_cfa_expression: breg7(rsp)+0; deref; plus_uconst */
        CURRENT %rbx
        movq    %fs:(%rbx), %rbx
        movq    ARG(%rbx), %rdi
        call    *FN(%rbx)
        CURRENT %rbx            /* it has kept rbx, but the value is the same */
        movq    %fs:(%rbx), %rbx
        movq    %rax, VALUE(%rbx)
        TO_HOST
        movq    HOST_SP(%rbx), %rsp
        CFI_SWITCH
        xorl    %eax, %eax
        RESTORE_SWITCH
        ret
END amp_stack_boot

#define SAVED_B (16 * 8 + 8 + 8 * 16) /* with the return address that the call of more pushed */

.macro RESTORE_MORE
        movaps  (%rsp), %xmm0
        movaps  16(%rsp), %xmm1
        movaps  32(%rsp), %xmm2
        movaps  48(%rsp), %xmm3
        movaps  64(%rsp), %xmm4
        movaps  80(%rsp), %xmm5
        movaps  96(%rsp), %xmm6
        movaps  112(%rsp), %xmm7
        addq    $136, %rsp
        .cfi_adjust_cfa_offset -136
        RESTORE r15
        RESTORE r14
        RESTORE r13
        RESTORE r12
        RESTORE r11
        RESTORE r10
        RESTORE r9
        RESTORE r8
        RESTORE rdi
        RESTORE rsi
        RESTORE rdx
        RESTORE rcx
        RESTORE rbx
        RESTORE rax
        RESTORE rbp
.endm

/* Called by a check that failed: r11 is the frame's size. All registers go onto the old stack, so that the move
 * adjusts those that point into it like any other word. A signal frame to unwinders (.cfi_signal_frame): such frames
 * may stand on another stack than what they called. */
FUNCTION amp_stack_more
        .cfi_signal_frame
        SAVE    rbp
        SAVE    rax
        SAVE    rbx
        SAVE    rcx
        SAVE    rdx
        SAVE    rsi
        SAVE    rdi
        SAVE    r8
        SAVE    r9
        SAVE    r10
        SAVE    r11
        SAVE    r12
        SAVE    r13
        SAVE    r14
        SAVE    r15
        subq    $136, %rsp
        .cfi_adjust_cfa_offset 136
        movaps  %xmm0, (%rsp)
        movaps  %xmm1, 16(%rsp)
        movaps  %xmm2, 32(%rsp)
        movaps  %xmm3, 48(%rsp)
        movaps  %xmm4, 64(%rsp)
        movaps  %xmm5, 80(%rsp)
        movaps  %xmm6, 96(%rsp)
        movaps  %xmm7, 112(%rsp)
        CURRENT %rbx
        movq    %fs:(%rbx), %rbx
        .cfi_remember_state
        testq   %rbx, %rbx
        jz      2f
        movq    %rsp, SP(%rbx)
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    HOST_SP(%rbx), %rsp
        movq    HOST_LIMIT(%rbx), %rcx /* whatever is called on the host stack finds the host's limit */
        SET_LIMIT(%rcx, %rdi)
        movq    %rbx, %rdi
        movq    %rbp, %rsi
        movl    %r11d, %edx
        call    amp_stack_grow
        testq   %rax, %rax
        jz      1f
        movq    LIMIT(%rbx), %rcx
        SET_LIMIT(%rcx, %rdx)
        .cfi_remember_state
        movq    %rax, %rsp
        .cfi_def_cfa_register rsp
        RESTORE_MORE
        ret
1:      /* abandon: what ran on the stack is left as it is, enter returns -1 */
        .cfi_restore_state
        TO_HOST
        movq    HOST_SP(%rbx), %rsp
        CFI_SWITCH
        movl    $-1, %eax
        RESTORE_SWITCH
        ret
2:      /* on a host stack: another thread asks for this one, or something is wrong */
        .cfi_restore_state
        SET_LIMIT(%rbx, %rdx)   /* 0 */
        call    amp_stack_stray
        RESTORE_MORE
        ret
END amp_stack_more

/* uint64_t amp_stack_call(amp_stack_fn *fn, void *arg): rdi, rsi */
FUNCTION amp_stack_call
        .cfi_signal_frame
        CURRENT %rax
        movq    %fs:(%rax), %rax
        testq   %rax, %rax
        jz      1f
        SAVE    rbp
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rbx
        .cfi_offset rbx, -24
        movq    %rax, %rbx
        movq    %rsp, SP(%rbx)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        TO_HOST
        movq    HOST_SP(%rbx), %rsp
        call    *%rax
        CURRENT %rcx
        movq    %rbx, %fs:(%rcx)
        movq    LIMIT(%rbx), %rcx
        SET_LIMIT(%rcx, %rdx)
        movq    -8(%rbp), %rbx
        .cfi_restore rbx
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
1:      .cfi_def_cfa rsp, 8
        movq    %rdi, %rax
        movq    %rsi, %rdi
        jmp     *%rax
END amp_stack_call

#endif
        .section .note.GNU-stack,"",@progbits
