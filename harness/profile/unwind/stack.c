/* SPDX-License-Identifier: MIT
 *
 * A frame costs a look into a cache and two loads: which register leads to the caller's frame, and at what distance, is
 * read from the unwind tables once for each return address. So it does not matter which functions have frame pointers.
 * A function without an unwind table (code made at run time, assembly) is believed to have one; the stack is then
 * marked.
 */
#include "harness/profile/unwind/stack.h"

#include "harness/profile/unwind/cfi.h"
#include "harness/profile/unwind/thread.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

__thread struct amp_thread amp_thread __attribute__((tls_model("initial-exec")));

#define CACHED 16384 /* return addresses; a power of two */

/* Threads write here without a lock. An entry that two of them mixed fits no address. */
static struct {
    _Atomic uint64_t key, row; /* key: pc ^ row ^ generation */
} cache[CACHED];
AMP_HOT uint64_t amp_stack_generation; /* above the bits of an address */

union packed {
    struct amp_row row;
    uint64_t word;
};

_Static_assert(sizeof(union packed) == 8, "a row is one word");

void amp_stack_forget(void)
{
    __atomic_fetch_add(&amp_stack_generation, (uint64_t) 1 << 48, __ATOMIC_RELAXED);
}

static struct amp_row row_at(uintptr_t pc)
{
    size_t i = (pc * 0x9e3779b97f4a7c15u) >> 50;
    union packed packed = { .word = atomic_load_explicit(&cache[i].row, memory_order_relaxed) };
    uint64_t key = pc ^ __atomic_load_n(&amp_stack_generation, __ATOMIC_RELAXED);

    _Static_assert(CACHED == 1 << (64 - 50), "the hash has as many bits");
    if (__builtin_expect((atomic_load_explicit(&cache[i].key, memory_order_relaxed) ^ packed.word) == key, 1))
        return packed.row;
    packed.word = 0;
    packed.row = amp_cfi_row(pc);
    atomic_store_explicit(&cache[i].row, packed.word, memory_order_relaxed);
    atomic_store_explicit(&cache[i].key, packed.word ^ key, memory_order_relaxed);
    return packed.row;
}

/* A hexadecimal number; moves *at behind it. */
static uintptr_t number(const char **at)
{
    uintptr_t value = 0;

    for (;; ++*at) {
        unsigned digit = (unsigned char) **at;

        if (digit - '0' < 10)
            digit -= '0';
        else if (digit - 'a' < 6)
            digit -= 'a' - 10;
        else
            return value;
        value = value << 4 | digit;
    }
}

/* Find the mapping that holds an address, in /proc/self/maps. By system calls: the C library's functions may lock. */
static void find_stack(uintptr_t sp, struct amp_thread *thread)
{
    char text[4096 + 1];
    size_t n = 0;
    long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC), got;

    thread->low = thread->high = 0;
    if (fd < 0)
        return;
    while ((got = syscall(SYS_read, fd, text + n, sizeof text - 1 - n)) > 0) {
        char *line = text, *end;

        text[n += (size_t) got] = '\0';
        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            const char *at = line;
            uintptr_t low = number(&at), high = (at++, number(&at));

            if (sp < low || sp >= high)
                continue;
            thread->low = low;
            thread->high = high;
            break;
        }
        if (end)
            break;
        n = strlen(line);
        memmove(text, line, n);
        if (n == sizeof text - 1)
            n = 0; /* the path of a file fills it all: no stack's line */
    }
    syscall(SYS_close, fd);
}

struct registers {
    uintptr_t pc, sp, fp;
    bool is_exact;            /* pc is the next instruction, not behind a call */
    const uintptr_t *fp_from; /* where fp was saved; NULL: it is still the caller's */
    bool fp_matters;          /* it has led to a frame */
};

static bool on_stack(uintptr_t address, const struct amp_thread *thread)
{
    return address >= thread->low && address <= thread->high - sizeof(uintptr_t) && address % sizeof(uintptr_t) == 0;
}

struct amp_caller amp_stack_interrupted(const void *context)
{
    const ucontext_t *saved = context;
#if defined(__x86_64__)
    const greg_t *gregs = saved->uc_mcontext.gregs;

    return (struct amp_caller){ (uintptr_t) gregs[REG_RIP], (uintptr_t) gregs[REG_RSP], (uintptr_t) gregs[REG_RBP] };
#else
    return (struct amp_caller){ (uintptr_t) saved->uc_mcontext.pc, (uintptr_t) saved->uc_mcontext.sp,
                                (uintptr_t) saved->uc_mcontext.regs[29] };
#endif
}

/* Below a signal handler's first frame lies what the kernel saved of the interrupted code. */
static void leave_handler(struct registers *r)
{
#if defined(__x86_64__)
    const uintptr_t context = r->sp;
#else
    const uintptr_t context = r->sp + 128; /* struct rt_sigframe: siginfo_t comes first */
#endif
    const struct amp_caller interrupted = amp_stack_interrupted((const void *) context);

    r->pc = interrupted.pc;
    r->sp = interrupted.sp;
    r->fp = interrupted.fp;
    r->is_exact = true;
}

/* The frame pointer leads to a frame: what it was read from must not change for the stack to be the same. */
static void use_fp(struct registers *r, struct amp_stack_room *out)
{
    if (r->fp_matters)
        return;
    r->fp_matters = true;
    if (r->fp_from)
        out->others[out->n_others++] = (struct amp_word){ r->fp_from, r->fp };
    else
        out->stack.fp_mask = ~(uintptr_t) 0;
}

/* The CFA by a row; 0: the tables or the registers are wrong. */
static uintptr_t find_cfa(struct registers *r, struct amp_row row, const struct amp_thread *thread,
                          struct amp_stack_room *out)
{
    uintptr_t cfa = (row.cfa == AMP_CFA_SP ? r->sp : r->fp) + (uintptr_t) (intptr_t) row.cfa_offset;

    if (row.cfa != AMP_CFA_SP)
        use_fp(r, out);
    if (row.cfa == AMP_CFA_AT_FP) {
        const uintptr_t *at = (const uintptr_t *) cfa;

        if (!on_stack(cfa, thread))
            return 0;
        cfa = *at;
        out->others[out->n_others++] = (struct amp_word){ at, cfa };
    }
    return cfa > r->sp ? cfa : 0;
}

/* Go to the caller's frame by a row. False: the tables or the registers are wrong. */
static bool ascend(struct registers *r, struct amp_row row, const struct amp_thread *thread, struct amp_stack_room *out)
{
    uintptr_t cfa = find_cfa(r, row, thread, out);
    uintptr_t ra = cfa + (uintptr_t) ((intptr_t) row.ra_offset * (intptr_t) sizeof cfa);

    if (!cfa || !on_stack(ra, thread))
        return false;
    if (row.fp != AMP_FP_KEPT) {
        uintptr_t fp = (row.fp == AMP_FP_AT_CFA ? cfa : r->fp) + (uintptr_t) (intptr_t) row.fp_offset;

        if (!on_stack(fp, thread))
            return false;
        if (row.fp == AMP_FP_AT_FP)
            use_fp(r, out);
        r->fp_from = (const uintptr_t *) fp;
        r->fp_matters = false;
        r->fp = *r->fp_from;
    }
    r->sp = cfa;
    r->pc = *(const uintptr_t *) ra;
    r->is_exact = false;
    out->returns[out->stack.n] = (struct amp_word){ (const uintptr_t *) ra, r->pc };
    return true;
}

/* What a function without unwind table is believed to do. */
static struct amp_row guess(struct registers *r, struct amp_stack_room *out)
{
    use_fp(r, out);
    out->stack.ending = AMP_STACK_GUESSED;
    return (struct amp_row){ .cfa = r->fp < r->sp ? AMP_CFA_UNKNOWN : AMP_CFA_FP, .cfa_offset = 16, .ra_offset = -1,
                             .fp = AMP_FP_AT_CFA, .fp_offset = -16 };
}

/* Whether no call returns there, but a function begins: as makecontext() lays it below a stack's first frame. */
static bool is_made(const struct registers *r)
{
    return !r->is_exact && row_at(r->pc).cfa != AMP_CFA_NONE;
}

/* One frame further. False: the stack ends here. */
static bool step(struct registers *r, struct amp_thread *thread, struct amp_stack_room *out)
{
    struct amp_row row = row_at(r->is_exact ? r->pc : r->pc - 1);
    bool goes_on;

    if (row.cfa == AMP_CFA_NONE)
        row = is_made(r) ? (struct amp_row){ .cfa = AMP_CFA_OUTERMOST } : guess(r, out);
    goes_on = row.cfa != AMP_CFA_OUTERMOST;
    if (row.cfa == AMP_CFA_SIGNAL) {
        leave_handler(r);
        out->stack.can_last = false;
        out->returns[out->stack.n] = (struct amp_word){ NULL, r->pc + 1 };
        if (r->sp < thread->low || r->sp >= thread->high)
            find_stack(r->sp, thread);
    } else if (goes_on && (row.cfa == AMP_CFA_UNKNOWN || !ascend(r, row, thread, out))) {
        out->stack.ending = AMP_STACK_BROKEN;
        goes_on = false;
    }
    out->stack.n++;
    return goes_on && r->pc;
}

static uint64_t hash_of(const struct amp_stack *stack)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < stack->n; i++) {
        hash = (hash ^ (i == 0 ? stack->caller.pc : stack->words[i - 1].value)) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

void amp_stack_walk(const struct amp_caller *caller, bool is_exact, struct amp_stack_room *room)
{
    struct amp_thread *thread = &amp_thread;
    struct registers r = { .pc = caller->pc, .sp = caller->sp, .fp = caller->fp, .is_exact = is_exact };

    if (caller->sp < thread->low || caller->sp >= thread->high)
        find_stack(caller->sp, thread);
    room->stack = (struct amp_stack){ .caller = *caller, .words = room->returns, .ending = AMP_STACK_WHOLE };
    room->stack.stamp = thread->high + __atomic_load_n(&amp_stack_generation, __ATOMIC_RELAXED);
    room->stack.caller.pc += is_exact; /* readers take 1 off */
    room->stack.can_last = !is_exact;
    room->n_others = 0;
    while (step(&r, thread, room))
        if (room->stack.n == AMP_STACK_FRAMES) {
            room->stack.ending = AMP_STACK_CUT;
            break;
        }
    room->stack.hash = hash_of(&room->stack);
}
