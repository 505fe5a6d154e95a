/* SPDX-License-Identifier: MIT
 *
 * A thread remembers its last stacks; if nothing on the way has changed, no more is to be done. Else a frame costs a look
 * into a cache and two loads: which register leads to the caller's frame, and at what distance, is
 * read from the unwind tables once for each return address. So it does not matter which functions have frame pointers. A
 * function without an unwind table (code made at run time, assembly) is believed to have one; the stack is then marked.
 */
#include "harness/profile/unwind/stack.h"

#include "harness/profile/unwind/cfi.h"
#include "harness/profile/unwind/thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

__thread struct amp_thread amp_thread __attribute__((tls_model("initial-exec")));

#define SET_BITS 3
#define WAYS 4 /* callers at one depth of the stack reach malloc() through the same function: they share a set */
#define SEEN (WAYS << SET_BITS) /* stacks that a thread remembers */
#define CACHED 16384 /* return addresses; a power of two */

/* Threads write here without a lock. An entry that two of them mixed fits no address. */
static struct {
    _Atomic uint64_t key, row; /* key: pc ^ row ^ generation */
} cache[CACHED];
static _Atomic uint64_t generation;

union packed {
    struct amp_row row;
    uint64_t word;
};

_Static_assert(sizeof(union packed) == 8, "a row is one word");

void amp_stack_forget(void)
{
    atomic_fetch_add_explicit(&generation, (uint64_t) 1 << 48, memory_order_relaxed);
}

static struct amp_row row_at(uintptr_t pc)
{
    size_t i = (pc * 0x9e3779b97f4a7c15u) >> 50;
    union packed packed = { .word = atomic_load_explicit(&cache[i].row, memory_order_relaxed) };
    uint64_t key = pc ^ atomic_load_explicit(&generation, memory_order_relaxed);

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
    bool is_exact; /* pc is the next instruction, not behind a call */
};

static bool on_stack(uintptr_t address, const struct amp_thread *thread)
{
    return address >= thread->low && address <= thread->high - sizeof(uintptr_t) && address % sizeof(uintptr_t) == 0;
}

/* Below a signal handler's first frame lies what the kernel saved of the interrupted code. */
static void leave_handler(struct registers *r)
{
#if defined(__x86_64__)
    const ucontext_t *context = (const ucontext_t *) r->sp;

    r->pc = (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
    r->fp = (uintptr_t) context->uc_mcontext.gregs[REG_RBP];
    r->sp = (uintptr_t) context->uc_mcontext.gregs[REG_RSP];
#else
    const ucontext_t *context = (const ucontext_t *) (r->sp + 128); /* struct rt_sigframe: siginfo_t comes first */

    r->pc = (uintptr_t) context->uc_mcontext.pc;
    r->fp = (uintptr_t) context->uc_mcontext.regs[29];
    r->sp = (uintptr_t) context->uc_mcontext.sp;
#endif
    r->is_exact = true;
}

/* The word at an address of the stack, remembered in `word`. False: it is none of the stack's. */
static bool read_word(uintptr_t address, const struct amp_thread *thread, struct amp_word *word)
{
    if (!on_stack(address, thread))
        return false;
    word->at = (const uintptr_t *) address;
    word->value = *word->at;
    return true;
}

/* Go to the caller's frame by a row. False: the tables or the registers are wrong. */
static bool ascend(struct registers *r, struct amp_row row, const struct amp_thread *thread, struct amp_stack *out)
{
    struct amp_word *fp = &out->fps[out->n_fps], *ra = &out->returns[out->n];
    uintptr_t cfa = (row.cfa == AMP_CFA_SP ? r->sp : r->fp) + (uintptr_t) (intptr_t) row.cfa_offset;

    if (row.cfa == AMP_CFA_AT_FP) {
        if (!on_stack(cfa, thread))
            return false;
        cfa = *(uintptr_t *) cfa;
    }
    if (cfa <= r->sp || !read_word(cfa + (uintptr_t) ((intptr_t) row.ra_offset * (intptr_t) sizeof cfa), thread, ra))
        return false;
    if (row.fp != AMP_FP_KEPT) {
        if (!read_word((row.fp == AMP_FP_AT_CFA ? cfa : r->fp) + (uintptr_t) (intptr_t) row.fp_offset, thread, fp))
            return false;
        out->n_fps++;
        r->fp = fp->value;
    }
    r->sp = cfa;
    r->pc = ra->value;
    r->is_exact = false;
    return true;
}

/* One frame further. False: the stack ends here. */
static bool step(struct registers *r, struct amp_thread *thread, struct amp_stack *out)
{
    struct amp_row row = row_at(r->is_exact ? r->pc : r->pc - 1);
    bool goes_on;

    out->pcs[out->n] = r->is_exact ? r->pc + 1 : r->pc; /* readers take 1 off, to be within the call */
    out->returns[out->n].at = NULL;
    if (row.cfa == AMP_CFA_NONE) { /* believed to have a frame pointer */
        row = (struct amp_row){ .cfa = r->fp < r->sp ? AMP_CFA_UNKNOWN : AMP_CFA_FP, .cfa_offset = 16, .ra_offset = -1,
                                .fp = AMP_FP_AT_CFA, .fp_offset = -16 };
        out->ending = AMP_STACK_GUESSED;
    }
    goes_on = row.cfa != AMP_CFA_OUTERMOST;
    if (row.cfa == AMP_CFA_SIGNAL) {
        leave_handler(r);
        out->high = 0; /* in two pieces: it is not remembered */
        if (r->sp < thread->low || r->sp >= thread->high)
            find_stack(r->sp, thread);
    } else if (goes_on && (row.cfa == AMP_CFA_UNKNOWN || !ascend(r, row, thread, out))) {
        out->ending = AMP_STACK_BROKEN;
        goes_on = false;
    }
    out->n++;
    return goes_on && r->pc;
}

static void walk(const struct amp_caller *caller, struct amp_thread *thread, struct amp_stack *out)
{
    struct registers r = { caller->pc, caller->sp, caller->fp, false };

    memset(out->notes, 0, sizeof out->notes);
    out->n = out->n_fps = 0;
    out->ending = AMP_STACK_WHOLE;
    out->high = thread->high;
    while (step(&r, thread, out))
        if (out->n == AMP_STACK_FRAMES) {
            out->ending = AMP_STACK_CUT;
            break;
        }
    out->caller = *caller;
    out->generation = atomic_load_explicit(&generation, memory_order_relaxed);
    out->hash = 0;
    for (unsigned i = 0; i < out->n; i++) {
        out->hash = (out->hash ^ out->pcs[i]) * 0xff51afd7ed558ccdu;
        out->hash ^= out->hash >> 32;
    }
}

/* Whether all that led from `caller` outwards then is still the same. Cheaper than to walk: no load waits for another. */
static bool is_same(const struct amp_stack *seen, const struct amp_caller *caller, const struct amp_thread *thread)
{
    uintptr_t differs = (seen->caller.pc ^ caller->pc) | (seen->caller.sp ^ caller->sp) |
                        (seen->caller.fp ^ caller->fp) | (seen->high ^ thread->high) |
                        (seen->generation ^ atomic_load_explicit(&generation, memory_order_relaxed));

    if (differs)
        return false;
    for (unsigned i = 0; i + 1 < seen->n; i++)
        if (*seen->returns[i].at != seen->returns[i].value)
            return false;
    for (unsigned i = 0; i < seen->n_fps; i++)
        if (*seen->fps[i].at != seen->fps[i].value)
            return false;
    return true;
}

/* The stack that the thread remembers, or the place for it: one of a set, of which another is dropped each time. */
static struct amp_stack *find_seen(const struct amp_caller *caller, struct amp_thread *thread, bool *is_known)
{
    size_t set = ((caller->pc ^ caller->sp) * 0x9e3779b97f4a7c15u) >> (64 - SET_BITS);
    struct amp_stack *first = &thread->seen[set * WAYS];

    *is_known = true;
    for (unsigned way = 0; way < WAYS; way++)
        if (is_same(&first[way], caller, thread))
            return &first[way];
    *is_known = false;
    return &first[thread->n_dropped++ % WAYS];
}

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void end_thread(void *seen)
{
    amp_thread.seen = NULL;
    amp_thread.has_ended = true;
    munmap(seen, SEEN * sizeof *amp_thread.seen);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, end_thread) == 0;
}

/* Memory for the stacks that a thread had lately. */
static void remember_from_now_on(struct amp_thread *thread)
{
    void *seen;

    thread->has_ended = true; /* where there is none, it is not tried again */
    pthread_once(&once, make_key);
    if (!has_key)
        return;
    seen = mmap(NULL, SEEN * sizeof *thread->seen, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return;
    if (madvise(seen, SEEN * sizeof *thread->seen, MADV_WIPEONFORK)) { /* notes are those of this process */
        munmap(seen, SEEN * sizeof *thread->seen);
        return;
    }
    thread->seen = seen;
    thread->has_ended = false;
    pthread_setspecific(key, seen);
}

struct amp_stack *amp_stack_walk(const struct amp_caller *caller, struct amp_stack *scratch)
{
    struct amp_thread *thread = &amp_thread;
    struct amp_stack *seen;
    bool is_known;

    if (caller->sp < thread->low || caller->sp >= thread->high)
        find_stack(caller->sp, thread);
    if (!thread->seen && !thread->has_ended)
        remember_from_now_on(thread);
    if (!thread->seen) {
        walk(caller, thread, scratch);
        return scratch;
    }
    seen = find_seen(caller, thread, &is_known);
    if (!is_known)
        walk(caller, thread, seen);
    return seen;
}
