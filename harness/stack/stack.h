/* SPDX-License-Identifier: MIT
 *
 * A contiguous stack that grows by moving, for ordinary C functions: it starts at 2 KiB, and where a frame does not
 * fit, what is on it is copied to a larger one. A local that others point to moves with it, and they follow.
 *
 *        growable stack, 2 KiB                      growable stack, 4 KiB
 *   hi   +--------------------+                hi   +--------------------+   The distance to the top stays.
 *        | where to return to |   ------------>     | where to return to |   Every aligned word that holds an address
 *        | s = "HELLO"   <--. |    copy what        | s = "HELLO"   <--. |   of the old stack gets the distance
 *        | &s  -------------' |    is in use        | &s  -------------' |   between the two added.
 *   sp   +--------------------+                sp   +--------------------+
 *        |   reserve: 928 B   |                     | the frame that did |
 *   lo   +--------------------+                     | not fit, reserve   |
 *        : canary, then a gap :                lo   +--------------------+
 *
 * A function that can run on it is written AMP_GROWS(type, name, frame, parameters...) { body }. Callers reach a
 * check of three instructions (four for frames above 128 B), which goes on to the body if `frame` bytes are free. On a
 * thread's own stack the check never fails, so such a function is also an ordinary one.
 *
 * Rules for what runs on it; check_growable.py holds an object file to those that can be seen there:
 *   - pointers to locals live in aligned words of that stack or in registers: not on the heap, not in disguise;
 *     what only looks like an address of that stack is adjusted, too
 *   - it calls what is growable, small functions whose frames fit the reserve, and all else by amp_stack_call()
 *   - no alloca(), no variable-length array, no setjmp(), no argument wider than 16 bytes in a register
 *   - signal handlers have SA_ONSTACK and a stack of their own, and call nothing growable
 *   - modules are linked with -z now: binding at the first call takes more stack than there is
 *
 * Functions here return 0 or a negative errno; what failed is left as it was. Sizes are in bytes. A stack serves one
 * thread at a time; free stacks are kept by size, first for the thread that gave them back. */
#ifndef AMP_STACK_H
#define AMP_STACK_H

#include <stddef.h>
#include <stdint.h>

#define AMP_STACK_RESERVE_B 928 /* Go's: free below every frame, for functions without a check */
#define AMP_STACK_SMALL_B 128   /* Go's: of the reserve, what a frame may use unasked */
#define AMP_STACK_MIN_B ((size_t) 2048)
#define AMP_STACK_MAX_B ((size_t) 1 << 30)

enum amp_stack_mode {
    AMP_STACK_FORCE = 1,  /* move at every check, needed or not */
    AMP_STACK_POISON = 2, /* overwrite the stack that was left */
    AMP_STACK_PROBE = 4,  /* never move: take limit_b at once, and record what is reserved at most */
    AMP_STACK_TRACE = 8,  /* tell `watch` of every check, with its depth; time growths */
    AMP_STACK_HOST = 16,  /* run on the caller's stack: for tools that follow no other. Nothing moves. */
};

/* What a check found; told on the host stack. Of `old` and `new`, the tops are addresses beyond the last byte. */
struct amp_stack_event {
    unsigned depth;    /* growable functions on the stack, this one included */
    size_t frame_b;    /* as declared */
    size_t used_b;     /* above this frame */
    size_t old_b;      /* size of the stack, before */
    size_t new_b;      /* and after; as old_b where the frame fitted */
    size_t copied_b;   /* 0: not moved */
    size_t adjusted;   /* words */
    uint64_t ns;       /* of the growth */
    uintptr_t old_top;
    uintptr_t new_top;
};

struct amp_stack_policy {
    size_t start_b;  /* a power of two, from AMP_STACK_MIN_B */
    size_t limit_b;  /* a power of two, from start_b to AMP_STACK_MAX_B; a run that needs more ends in -EOVERFLOW */
    unsigned factor; /* a power of two, from 2: the size is multiplied by it until the frame and the reserve fit */
    unsigned modes;  /* of enum amp_stack_mode */
    void (*watch)(void *watcher, const struct amp_stack_event *event);
    void *watcher;
};

/* Go's: 2 KiB, doubled until it fits, to 1 GiB. */
#define AMP_STACK_GO ((struct amp_stack_policy){ .start_b = 2048, .limit_b = (size_t) 1 << 30, .factor = 2 })

struct amp_stack_stats {
    size_t size_b;     /* of the stack, now */
    size_t reserved_b; /* most that frames took by their declarations, return addresses included; with PROBE or TRACE
                          over all checks, else over those that failed */
    uint64_t checks;   /* that took the slow way: failed, or were watched */
    uint64_t moves;    /* growths, and with FORCE moves to a stack of the same size */
    uint64_t copied_b;
    uint64_t adjusted; /* words */
    uint64_t ns;       /* of moves; with TRACE, else 0 */
};

struct amp_stack;
#define AMP_STACK_OBJECT_B 216 /* malloc() is asked for so much, for each stack */
typedef uint64_t amp_stack_fn(void *arg);

/* policy   NULL: AMP_STACK_GO; copied
 * out      the caller owns it, until amp_stack_destroy()
 * why      on failure, in words; static text
 * errors   -EINVAL for a policy that breaks a rule above, -ENOMEM */
int amp_stack_create(const struct amp_stack_policy *policy, struct amp_stack **out, const char **why);

/* A suspended coroutine may be destroyed: nothing that it would still do is done. NULL is allowed.
 * errors   -EBUSY while it runs, -EFAULT if something wrote below the stack: that memory is not used again */
int amp_stack_destroy(struct amp_stack *stack);

/* Call fn(arg) on the stack and wait for it. A stack keeps its size from run to run: the first is fresh, the next warm.
 *
 * result   filled on success; NULL: not wanted
 * errors   -EBUSY if the stack is in use, -EOVERFLOW beyond limit_b, -ENOMEM, -EFAULT if the canary is broken.
 *          After the last three what ran is abandoned where it was; amp_stack_message() says more. */
int amp_stack_run(struct amp_stack *stack, amp_stack_fn *fn, void *arg, uint64_t *result);

/* Coroutines: start prepares, resume goes on until the function yields (returns 1) or returns (returns 0); *value is
 * what it yielded or returned. errors of resume: as run, and -EINVAL for a stack with nothing to go on with. */
int amp_stack_start(struct amp_stack *stack, amp_stack_fn *fn, void *arg);
int amp_stack_resume(struct amp_stack *stack, uint64_t *value);

/* From a growable function: give the host a value and wait to be resumed. No effect on a host stack. */
void amp_stack_yield(uint64_t value);

/* From a growable function: fn(arg) on the host stack, where it may use all of libc. It may read and write locals
 * of its callers, which stand still meanwhile. On a host stack an ordinary call. */
uint64_t amp_stack_call(amp_stack_fn *fn, void *arg);

void amp_stack_stats(const struct amp_stack *stack, struct amp_stack_stats *out);

/* Whether every stack is as with AMP_STACK_HOST: under AddressSanitizer, or because AMPERSAND_STACK=host is in the
 * environment, as for valgrind. */
int amp_stack_hosted(void);

/* Begin or end this, for every run from now on, of stacks that are there already, too. */
void amp_stack_host_all(int hosted);

/* Why the last run failed, "" if it did not; good until this thread asks again. */
const char *amp_stack_message(const struct amp_stack *stack);

/* Give free stacks back to the system: this thread's, and those of threads that ended, where a stack has its mapping
 * for itself (from 64 KiB). Returns how many bytes. */
size_t amp_stack_trim(void);

/* ---- AMP_GROWS */

#if defined(__clang__)
#define AMP_STACK_BODY __attribute__((noinline, used, disable_tail_calls))
#else
#define AMP_STACK_BODY __attribute__((noinline, noclone, noipa, used))
#endif

/* frame    bytes below the return address that the body takes, by-value arguments that it hands on included; an
 *          expression of numbers and + - * that the assembler can read. Rather too much than too little. */
#define AMP_GROWS(type, name, frame, ...) AMP_GROWS_(type, name, frame, __VA_ARGS__)
#define AMP_GROWS_(type, name, frame, ...)                                                                             \
    __attribute__((visibility("hidden"))) type name(__VA_ARGS__);                                                      \
    __asm__(AMP_STACK_CHECK(#name, #frame));                                                                           \
    static type name##_body(__VA_ARGS__) AMP_STACK_BODY;                                                               \
    static type name##_body(__VA_ARGS__)

/* check_growable.py reads which functions are growable, and what they declare. */
#define AMP_STACK_DECLARE(name, frame)                                                                                 \
    ".pushsection .amp_growable,\"\",%progbits\n\t.quad " frame "\n\t.asciz \"" name "\"\n\t.popsection\n"

#if defined(__x86_64__)

/* The limit is lo + reserve, and 0 on a thread's own stack. With glibc it is in the thread's control block, in the word
 * kept for the limit of split stacks: no register is spent on it, and no load of an offset. Elsewhere it is a
 * thread-local variable of the library; r10 and r11 are free at a function's entry. As in stack_x86_64.S. */
#if defined(__GLIBC__) && !defined(AMP_STACK_LIMIT_IS_VARIABLE)
#define AMP_STACK_COMPARE(frame)                                                                                       \
    "\t.if (" frame ") <= 128\n\tcmpq %fs:0x70, %rsp\n"                                                                \
    "\t.else\n\tleaq 128-(" frame ")(%rsp), %r11\n\tcmpq %fs:0x70, %r11\n\t.endif\n"
#else
#define AMP_STACK_COMPARE(frame)                                                                                       \
    "\tmovq amp_stack_limit@gottpoff(%rip), %r11\n"                                                                    \
    "\t.if (" frame ") <= 128\n\tcmpq %fs:(%r11), %rsp\n"                                                              \
    "\t.else\n\tleaq 128-(" frame ")(%rsp), %r10\n\tcmpq %fs:(%r11), %r10\n\t.endif\n"
#endif
#define AMP_STACK_CHECK(name, frame)                                                                                   \
    AMP_STACK_DECLARE(name, frame)                                                                                     \
    "\t.pushsection .text." name ",\"ax\",@progbits\n"                                                                 \
    "\t.p2align 4\n\t.globl " name "\n\t.hidden " name "\n\t.type " name ", @function\n"                               \
    name ":\n\t.cfi_startproc\n"                                                                                       \
    AMP_STACK_COMPARE(frame)                                                                                           \
    "\tjbe 1f\n\tjmp " name "_body\n"                                                                                  \
    "1:\tmovl $(" frame "), %r11d\n\tcall *amp_stack_more@GOTPCREL(%rip)\n\tjmp " name "_body\n"                                   \
    "\t.cfi_endproc\n\t.size " name ", . - " name "\n\t.popsection\n"

#elif defined(__aarch64__)

/* x9 to x17 are free at a function's entry, x16 and x17 also for the linker. The limit is a thread-local variable of
 * the library. */
#define AMP_STACK_CHECK(name, frame)                                                                                   \
    AMP_STACK_DECLARE(name, frame)                                                                                     \
    "\t.pushsection .text." name ",\"ax\",%progbits\n"                                                                 \
    "\t.p2align 4\n\t.globl " name "\n\t.hidden " name "\n\t.type " name ", %function\n"                               \
    name ":\n\t.cfi_startproc\n"                                                                                       \
    "\tadrp x16, :gottprel:amp_stack_limit\n\tldr x16, [x16, #:gottprel_lo12:amp_stack_limit]\n"                       \
    "\tmrs x17, tpidr_el0\n\tldr x16, [x17, x16]\n"                                                                    \
    "\t.if (" frame ") <= 128\n\tcmp sp, x16\n"                                                                        \
    "\t.else\n\tmovz x17, #(((" frame ") - 128) >> 16) & 0xffff, lsl #16\n"                                            \
    "\tmovk x17, #((" frame ") - 128) & 0xffff\n\tsub x17, sp, x17\n\tcmp x17, x16\n\t.endif\n"                        \
    "\tb.ls 1f\n\tb " name "_body\n"                                                                                   \
    "1:\tmovz x9, #((" frame ") >> 16) & 0xffff, lsl #16\n\tmovk x9, #(" frame ") & 0xffff\n"                          \
    "\tadrp x10, " name "_body\n\tadd x10, x10, :lo12:" name "_body\n\tb amp_stack_more\n"                             \
    "\t.cfi_endproc\n\t.size " name ", . - " name "\n\t.popsection\n"

#else
#error "growable stacks know x86-64 and AArch64"
#endif

#endif
