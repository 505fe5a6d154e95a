/* SPDX-License-Identifier: MIT
 *
 * The switch between two stacks, AArch64 (AAPCS64).
 *
 *        host stack (a thread's own)                    growable stack
 *   hi   +-------------------------+             hi     +-----------------------------+
 *        | callers of resume       |             hi-8   | unused                      |
 *        +-------------------------+             hi-16  | host_sp, for unwinders -----|--.
 *        | x19-x30, d8-d15         |                    +-----------------------------+  |
 *        +-------------------------+ <-- host_sp <---   | frames of growable          |  |
 *        | grow(), and what is     |                 `--|-functions-------------------|--'
 *        | called by amp_stack_    |                    | where a check failed: x0-x8, x10,
 *        | call(), runs from here  |                    | x19-x30, d8-d15, q0-q7       | <-- sp
 *        +-------------------------+             lo+928 +- - - - - limit - - - - - - -+
 *                                                lo     | reserve, canary             |
 *                                                       +-----------------------------+
 *
 * As on x86-64, enter, yield and the end of boot change stacks the same way, so that what the unwinder is told is right
 * on both sides. A compiler may keep an address in d8-d15, so a move must carry them along, too. Return addresses are
 * not signed (no -mbranch-protection=pac-ret): the signature contains the stack pointer.
 *
 * The limit is a thread-local variable, amp_stack_limit, and so is what the thread runs on.
 *
 * Kept by all: x19-x30, d8-d15, as the ABI wants; by more: also x0-x8 and q0-q7, since the function that was called has
 * yet to see its arguments. x9 is the frame's size, x10 where to go on. */
#if defined(__aarch64__)

#define SP_ 0
#define HOST_SP 8
#define LIMIT 16
#define HOST_LIMIT 24
#define PREVIOUS 32
#define HI 40
#define VALUE 48
#define FN 56
#define ARG 64
#define TOP_B 16

#define SWITCH_B 160           /* x29 x30 x19-x28, d8-d15 */
#define SAVED_B 384            /* SWITCH_B, x0-x8, x10, 16 B unused, q0-q7 */

        .section .tbss,"awT",%nobits
        .p2align 3
        .globl  amp_stack_limit
        .type   amp_stack_limit, %object
        .size   amp_stack_limit, 8
amp_stack_limit:               /* lo + reserve; 0 on a host stack, where no check fails */
        .zero   8
        .type   current, %object
        .size   current, 8
current:                       /* struct amp_stack *; 0 on a host stack */
        .zero   8

        .section .rodata
        .p2align 3
        .globl  amp_stack_saved_b, amp_stack_switch_b, amp_stack_boot_word
        .hidden amp_stack_saved_b, amp_stack_switch_b, amp_stack_boot_word
        .type   amp_stack_saved_b, %object
        .size   amp_stack_saved_b, 8
amp_stack_saved_b:
        .quad   SAVED_B
        .type   amp_stack_switch_b, %object
        .size   amp_stack_switch_b, 8
amp_stack_switch_b:
        .quad   SWITCH_B
        .type   amp_stack_boot_word, %object
        .size   amp_stack_boot_word, 8
amp_stack_boot_word:
        .quad   1

.macro FUNCTION name
        .text
        .p2align 4
        .globl  \name
        .type   \name, %function
\name:
        .cfi_startproc
.endm

.macro END name
        .cfi_endproc
        .size   \name, . - \name
.endm

/* to = address of a thread-local variable; uses x15 */
.macro LOCAL to, variable
        mrs     x15, tpidr_el0
        adrp    \to, :gottprel:\variable
        ldr     \to, [\to, #:gottprel_lo12:\variable]
        add     \to, \to, x15
.endm

/* Where the registers of a switch lie, from the frame's address (cfa) of whoever saved them. */
.macro CFI_REGISTERS
        .cfi_offset x29, -160
        .cfi_offset x30, -152
        .cfi_offset x19, -144
        .cfi_offset x20, -136
        .cfi_offset x21, -128
        .cfi_offset x22, -120
        .cfi_offset x23, -112
        .cfi_offset x24, -104
        .cfi_offset x25, -96
        .cfi_offset x26, -88
        .cfi_offset x27, -80
        .cfi_offset x28, -72
        .cfi_offset d8, -64
        .cfi_offset d9, -56
        .cfi_offset d10, -48
        .cfi_offset d11, -40
        .cfi_offset d12, -32
        .cfi_offset d13, -24
        .cfi_offset d14, -16
        .cfi_offset d15, -8
.endm

.macro SAVE_SWITCH
        stp     x29, x30, [sp, #-SWITCH_B]!
        .cfi_def_cfa_offset SWITCH_B
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        CFI_REGISTERS
.endm

.macro RESTORE_SWITCH
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        ldp     x29, x30, [sp], #SWITCH_B
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore d8
        .cfi_restore d9
        .cfi_restore d10
        .cfi_restore d11
        .cfi_restore d12
        .cfi_restore d13
        .cfi_restore d14
        .cfi_restore d15
.endm

/* The host's limit and `current`: x19 is the stack; uses x9, x10, x15. */
.macro TO_HOST
        LOCAL   x9, amp_stack_limit
        ldr     x10, [x19, #HOST_LIMIT]
        str     x10, [x9]
        LOCAL   x9, current
        ldr     x10, [x19, #PREVIOUS]
        str     x10, [x9]
.endm

/* int amp_stack_enter(struct amp_stack *stack): x0 */
FUNCTION amp_stack_enter
        .hidden amp_stack_enter
        SAVE_SWITCH
        mov     x9, sp
        str     x9, [x0, #HOST_SP]
        ldr     x10, [x0, #HI]
        stur    x9, [x10, #-TOP_B]
        LOCAL   x9, amp_stack_limit
        ldr     x10, [x9]
        str     x10, [x0, #HOST_LIMIT]
        ldr     x10, [x0, #LIMIT]
        str     x10, [x9]
        LOCAL   x9, current
        ldr     x10, [x9]
        str     x10, [x0, #PREVIOUS]
        str     x0, [x9]
        ldr     x9, [x0, #SP_]
        mov     sp, x9
        RESTORE_SWITCH
        ret
END amp_stack_enter

/* struct amp_stack *amp_stack_current(void) */
FUNCTION amp_stack_current
        LOCAL   x9, current
        ldr     x0, [x9]
        ret
END amp_stack_current

/* void amp_stack_yield(uint64_t value): x0 */
FUNCTION amp_stack_yield
        LOCAL   x9, current
        ldr     x9, [x9]
        cbz     x9, 1f
        SAVE_SWITCH
        mov     x19, x9
        mov     x9, sp
        str     x9, [x19, #SP_]
        str     x0, [x19, #VALUE]
        TO_HOST
        ldr     x9, [x19, #HOST_SP]
        mov     sp, x9
        mov     w0, #1
        RESTORE_SWITCH
1:      ret
END amp_stack_yield

/* void amp_stack_boot(void): comes out of enter's `ret`, with sp = hi - 16. Its caller's frame is on the host stack,
 * where the word at sp points: cfa = *sp + SWITCH_B. */
FUNCTION amp_stack_boot
        .hidden amp_stack_boot
        .cfi_escape 0x0f, 6, 0x8f, 0, 0x06, 0x23, 0xa0, 0x01 /* def_cfa_expression: breg31(sp)+0; deref; plus_uconst */
        CFI_REGISTERS
        LOCAL   x19, current
        ldr     x19, [x19]
        ldr     x0, [x19, #ARG]
        ldr     x9, [x19, #FN]
        blr     x9
        str     x0, [x19, #VALUE]
        TO_HOST
        ldr     x9, [x19, #HOST_SP]
        mov     sp, x9
        .cfi_def_cfa sp, SWITCH_B
        mov     w0, #0
        RESTORE_SWITCH
        ret
END amp_stack_boot

.macro RESTORE_MORE
        ldp     q0, q1, [sp]
        ldp     q2, q3, [sp, #32]
        ldp     q4, q5, [sp, #64]
        ldp     q6, q7, [sp, #96]
        ldp     x0, x1, [sp, #128]
        ldp     x2, x3, [sp, #144]
        ldp     x4, x5, [sp, #160]
        ldp     x6, x7, [sp, #176]
        ldp     x8, x10, [sp, #192]
        add     sp, sp, #SAVED_B - SWITCH_B
        .cfi_def_cfa_offset SWITCH_B
        RESTORE_SWITCH
.endm

/* Gone to by a check that failed: x9 is the frame's size, x10 the function's body, x30 the function's caller. A signal
 * frame to unwinders: such frames may stand on another stack than what they called. */
FUNCTION amp_stack_more
        .cfi_signal_frame
        SAVE_SWITCH
        sub     sp, sp, #SAVED_B - SWITCH_B
        .cfi_def_cfa_offset SAVED_B
        stp     q0, q1, [sp]
        stp     q2, q3, [sp, #32]
        stp     q4, q5, [sp, #64]
        stp     q6, q7, [sp, #96]
        stp     x0, x1, [sp, #128]
        stp     x2, x3, [sp, #144]
        stp     x4, x5, [sp, #160]
        stp     x6, x7, [sp, #176]
        stp     x8, x10, [sp, #192]
        stp     xzr, xzr, [sp, #208]
        mov     x20, x9
        LOCAL   x19, current
        ldr     x19, [x19]
        .cfi_remember_state
        cbz     x19, 3f
        mov     x29, sp
        .cfi_def_cfa_register x29
        str     x29, [x19, #SP_]
        LOCAL   x9, amp_stack_limit
        ldr     x10, [x19, #HOST_LIMIT]
        str     x10, [x9]
        ldr     x9, [x19, #HOST_SP]
        mov     sp, x9
        mov     x0, x19
        mov     x1, x29
        mov     x2, x20
        bl      amp_stack_grow
        cbz     x0, 2f
        LOCAL   x9, amp_stack_limit
        ldr     x10, [x19, #LIMIT]
        str     x10, [x9]
        .cfi_remember_state
        mov     sp, x0
        .cfi_def_cfa_register sp
        RESTORE_MORE
        br      x10
2:      /* abandon: what ran on the stack is left as it is, enter returns -1 */
        .cfi_restore_state
        TO_HOST
        ldr     x9, [x19, #HOST_SP]
        mov     sp, x9
        .cfi_def_cfa sp, SWITCH_B
        mov     w0, #-1
        RESTORE_SWITCH
        ret
3:      /* on a host stack: another thread asks for this one, or something is wrong */
        .cfi_restore_state
        LOCAL   x9, amp_stack_limit
        str     xzr, [x9]
        bl      amp_stack_stray
        RESTORE_MORE
        br      x10
END amp_stack_more

/* uint64_t amp_stack_call(amp_stack_fn *fn, void *arg): x0, x1 */
FUNCTION amp_stack_call
        .cfi_signal_frame
        mov     x9, x0
        mov     x0, x1
        LOCAL   x10, current
        ldr     x10, [x10]
        cbz     x10, 1f
        stp     x29, x30, [sp, #-32]!
        .cfi_def_cfa_offset 32
        .cfi_offset x29, -32
        .cfi_offset x30, -24
        str     x19, [sp, #16]
        .cfi_offset x19, -16
        mov     x29, sp
        .cfi_def_cfa_register x29
        mov     x19, x10
        str     x29, [x19, #SP_]
        mov     x11, x9
        TO_HOST
        ldr     x9, [x19, #HOST_SP]
        mov     sp, x9
        blr     x11
        LOCAL   x9, current
        str     x19, [x9]
        LOCAL   x9, amp_stack_limit
        ldr     x10, [x19, #LIMIT]
        str     x10, [x9]
        mov     sp, x29
        ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #32
        .cfi_def_cfa sp, 0
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore x19
        ret
1:      br      x9
END amp_stack_call

#endif
        .section .note.GNU-stack,"",%progbits
