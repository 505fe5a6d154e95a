/* SPDX-License-Identifier: MIT
 *
 * A stack that grows by moving, for ordinary C functions. It starts at 2 KiB. If a frame does not fit, the content of
 * the stack is copied to a larger one. Locals move with it, and pointers to them are changed to point to the new place.
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
 * Write a function that can run on it as AMP_GROWS(type, name, frame, parameters...) { body }. A call first runs a
 * check of three instructions (four for frames above 128 B), which jumps to the body if `frame` bytes are free. On a
 * thread's own stack the check never fails, so such a function can be called like any other.
 *
 * Rules for code that runs on it; check_growable.py checks in an object file those that can be seen there:
 *   - pointers to locals are in aligned words of that stack or in registers: not on the heap, not encoded;
 *     a number that only looks like an address of that stack is changed, too
 *   - it calls growable functions, small functions whose frames fit the reserve, and all others by amp_stack_call()
 *   - no alloca(), no variable-length array, no setjmp(), no argument wider than 16 bytes in a register
 *   - signal handlers use SA_ONSTACK and a stack of their own, and call nothing growable
 *   - modules are linked with -z now: binding at the first call would need more stack than there is
 *
 * Functions here return 0 or a negative errno, and change nothing on failure. Sizes are in bytes. A stack serves one
 * thread at a time. Freed stacks are kept by size for later, first for the thread that freed them. */
#ifndef AMP_STACK_H
#define AMP_STACK_H

#include <stddef.h>
#include <stdint.h>

#define AMP_STACK_RESERVE_B 928 /* as in Go: free below every frame, for functions without a check */
#define AMP_STACK_SMALL_B 128   /* as in Go: the part of the reserve that a frame may use without a check */
#define AMP_STACK_MIN_B ((size_t) 2048)
#define AMP_STACK_MAX_B ((size_t) 1 << 30)

enum amp_stack_mode {
    AMP_STACK_FORCE = 1,  /* move at every check, needed or not */
    AMP_STACK_POISON = 2, /* overwrite the old stack after a move */
    AMP_STACK_PROBE = 4,  /* never move: take limit_b at once, and record the most that is reserved */
    AMP_STACK_TRACE = 8,  /* call `watch` at every check, with its depth; time growths */
    AMP_STACK_HOST = 16,  /* run on the caller's stack, for tools that cannot follow another. Nothing moves. */
};

/* What a check found; `watch` gets it, on the host stack. old_top and new_top are the addresses after the last byte. */
struct amp_stack_event {
    unsigned depth;    /* growable functions on the stack, this one included */
    size_t frame_b;    /* as declared */
    size_t used_b;     /* above this frame */
    size_t old_b;      /* size of the stack, before */
    size_t new_b;      /* and after; the same if the frame fitted */
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

/* As in Go: 2 KiB, doubled until the frame fits, up to 1 GiB. */
#define AMP_STACK_GO ((struct amp_stack_policy){ .start_b = 2048, .limit_b = (size_t) 1 << 30, .factor = 2 })

struct amp_stack_stats {
    size_t size_b;     /* of the stack, now */
    size_t reserved_b; /* the most that frames took, as declared, with return addresses; seen at all checks with PROBE
                          or TRACE, else at those that failed */
    uint64_t checks;   /* those that failed or were watched */
    uint64_t moves;    /* growths, and with FORCE moves to a stack of the same size */
    uint64_t copied_b;
    uint64_t adjusted; /* words */
    uint64_t ns;       /* of moves; with TRACE, else 0 */
};

struct amp_stack;
#define AMP_STACK_OBJECT_B 216 /* what each stack takes from malloc() */
typedef uint64_t amp_stack_fn(void *arg);

/* policy   NULL: AMP_STACK_GO; it is copied
 * out      the caller owns it, until amp_stack_destroy()
 * why      the reason of a failure, in words; static storage
 * errors   -EINVAL for a policy that breaks a rule above, -ENOMEM */
int amp_stack_create(const struct amp_stack_policy *policy, struct amp_stack **out, const char **why);

/* A suspended coroutine may be destroyed; it never goes on. NULL is allowed.
 * errors   -EBUSY while it runs, -EFAULT if something wrote below the stack: that memory is not used again */
int amp_stack_destroy(struct amp_stack *stack);

/* Call fn(arg) on the stack and wait for it. A stack keeps its size from run to run: the first is fresh, the next warm.
 *
 * result   filled on success; may be NULL
 * errors   -EBUSY if the stack is in use, -EOVERFLOW beyond limit_b, -ENOMEM, -EFAULT if the canary is broken.
 *          After the last three, fn is abandoned where it was; amp_stack_message() says more. */
int amp_stack_run(struct amp_stack *stack, amp_stack_fn *fn, void *arg, uint64_t *result);

/* Coroutines. start() prepares fn; resume() runs it until it yields (resume() returns 1) or returns (0). *value is what
 * it yielded or returned. errors of resume(): as of run, and -EINVAL if there is nothing to resume. */
int amp_stack_start(struct amp_stack *stack, amp_stack_fn *fn, void *arg);
int amp_stack_resume(struct amp_stack *stack, uint64_t *value);

/* In a growable function: give the host a value and wait to be resumed. Does nothing on a host stack. */
void amp_stack_yield(uint64_t value);

/* In a growable function: call fn(arg) on the host stack, where it may use all of libc. It may read and write the
 * locals of its callers, which do not move meanwhile. On a host stack this is an ordinary call. */
uint64_t amp_stack_call(amp_stack_fn *fn, void *arg);

void amp_stack_stats(const struct amp_stack *stack, struct amp_stack_stats *out);

/* Whether every stack works as with AMP_STACK_HOST: under AddressSanitizer, or with AMPERSAND_STACK=host in the
 * environment, which valgrind needs. */
int amp_stack_hosted(void);

/* Switch that on or off, for every run from now on, also of existing stacks. */
void amp_stack_host_all(int hosted);

/* Why the last run failed, "" if it did not; valid until this thread calls it again. */
const char *amp_stack_message(const struct amp_stack *stack);

/* Give free stacks back to the system: those of this thread and of threads that have ended, if the stack has a mapping
 * of its own (from 64 KiB). Returns how many bytes. */
size_t amp_stack_trim(void);

/* ---- Safe points: a thread asks another to call a function of that thread's choice, at its next check.
 *
 * The check fails, since its limit was raised above every address; it costs nothing until then. A request may get lost
 * where that thread changes stacks at this moment: ask again until there is an answer. */
typedef void amp_stack_asked_fn(void *arg);

/* For the calling thread: what to call, on its host stack, whenever a check fails; NULL: nothing any more. It may have
 * failed for another reason, too. Returns what amp_stack_ask() wants of this thread. */
uintptr_t *amp_stack_answer(amp_stack_asked_fn *fn, void *arg);

/* From any thread. stack: what that thread runs on, or NULL: none, as with AMP_STACK_HOST. */
void amp_stack_ask(struct amp_stack *stack, uintptr_t *limit);

/* The bytes in use, [*low, *top), of a stack whose thread is on the host stack: in amp_stack_call(), in the answer.
 * Registers that a function must keep are in them, or still in registers, or saved on the host stack. */
void amp_stack_in_use(const struct amp_stack *stack, uintptr_t *low, uintptr_t *top);

/* What a coroutine that has not been resumed yet begins with; else NULL. */
void *amp_stack_argument(const struct amp_stack *stack);

/* Whether it has been resumed, and has neither yielded nor returned. */
int amp_stack_runs(const struct amp_stack *stack);

/* In growable code: the stack that it runs on, or NULL: a host stack. */
struct amp_stack *amp_stack_current(void);

/* The thread of this stack has ended in the middle of a run: the stack may be destroyed, as if it were idle. */
void amp_stack_forsake(struct amp_stack *stack);

/* ---- AMP_GROWS */

#if defined(__clang__)
#define AMP_STACK_BODY __attribute__((noinline, used, disable_tail_calls))
#else
#define AMP_STACK_BODY __attribute__((noinline, noclone, noipa, used))
#endif

/* frame    how many bytes the body takes below the return address, with the by-value arguments that it passes on: an
 *          expression of numbers and + - * that the assembler can read. If in doubt, declare more. */
#define AMP_GROWS(type, name, frame, ...) AMP_GROWS_(type, name, frame, __VA_ARGS__)
#define AMP_GROWS_(type, name, frame, ...)                                                                             \
    __attribute__((visibility("hidden"))) type name(__VA_ARGS__);                                                      \
    __asm__(AMP_STACK_CHECK(#name, #frame));                                                                           \
    static type name##_body(__VA_ARGS__) AMP_STACK_BODY;                                                               \
    static type name##_body(__VA_ARGS__)

/* Here check_growable.py reads which functions are growable, and the frame that each declares. */
#define AMP_STACK_DECLARE(name, frame)                                                                                 \
    ".pushsection .amp_growable,\"\",%progbits\n\t.quad " frame "\n\t.asciz \"" name "\"\n\t.popsection\n"

#if defined(__x86_64__)

/* The limit is lo + reserve, and 0 on a thread's own stack. With glibc it is in the thread's control block, in the word
 * that split stacks use for theirs: that costs no register and no load of an offset. Without glibc it is a thread-local
 * variable of the library. r10 and r11 are free at a function's entry. stack_x86_64.S does the same. */
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
    "1:\tmovl $(" frame "), %r11d\n\tcall *amp_stack_more@GOTPCREL(%rip)\n\tjmp " name "_body\n"                       \
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
