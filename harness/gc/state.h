/* SPDX-License-Identifier: MIT
 *
 * What the parts of the collector share.
 *
 *   a type and a slot size make a kind; a kind's memory comes in spans; a span has n slots and two bits for each
 *
 *   span     [slot 0][slot 1][slot 2] ...        bits   marks  0 1 1 ...   by the marker, atomically
 *                                                       allocs 1 1 1 ...   by the mutator that owns the span
 *
 * A span is owned by one mutator that allocates from it, or on one list of its kind: `partial` (with free slots),
 * `full`, `unswept`; or by whoever sweeps it. At the end of marking, all are unswept; sweeping makes allocs = marks.
 *
 * Locks, in the order in which they are taken: gc->lock (mutators, their states, the phase), gc->heap_lock (pages,
 * kinds, lists of spans), gc->queue_lock (the mark queue). A mutator that waits for something else is away, so that no
 * stop waits for it. */
#ifndef AMP_GC_STATE_H
#define AMP_GC_STATE_H

#include "harness/gc/gc.h"
#include "harness/marks.h"

#include <pthread.h>
#include <signal.h>

/* ---- AddressSanitizer knows which slots are in use. */
#if defined(__SANITIZE_ADDRESS__)
#define AMP_GC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AMP_GC_ASAN 1
#endif
#endif
#ifdef AMP_GC_ASAN
#include <sanitizer/asan_interface.h>
#define amp_gc_hide(at, size_b) __asan_poison_memory_region((void *) (at), (size_b))
#define amp_gc_show(at, size_b) __asan_unpoison_memory_region((void *) (at), (size_b))
#else
#define AMP_GC_ASAN 0
#define amp_gc_hide(at, size_b) ((void) (at), (void) (size_b))
#define amp_gc_show(at, size_b) ((void) (at), (void) (size_b))
#endif

#pragma GCC visibility push(hidden)

#define AMP_GC_PAGE_B ((size_t) 8192)
#define AMP_GC_SMALL_B ((size_t) 32768) /* the largest slot of a span of many */
#define AMP_GC_KINDS 1024
#define AMP_GC_POISON_BYTE 0xdb
#define AMP_GC_SIGNAL_STACK_B ((size_t) 65536)
#define AMP_GC_SAVED 20 /* registers that a function must keep, and room */

#define AMP_GC_LOAD(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define AMP_GC_STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#if defined(__x86_64__)
#define AMP_GC_RELAX() __builtin_ia32_pause()
#else
#define AMP_GC_RELAX() __asm__ volatile("yield")
#endif
#define AMP_GC_ADD(p, v) __atomic_add_fetch((p), (v), __ATOMIC_RELAXED)

/* Cold counters that several threads write. */
struct amp_gc_counts {
    uint64_t objects, bytes; /* marked */
    uint64_t born_b;         /* of these, allocated while marking: black from birth */
    uint64_t scanned_b;
    uint64_t stacks_b, roots_b;
};

struct amp_gc_layout {
    struct amp_gc_type type;
    bool dense; /* every word is a pointer */
};

struct amp_gc_spans {
    struct amp_gc_span *first, *last;
};

struct amp_gc_kind {
    unsigned id, type_id;
    const struct amp_gc_layout *layout;
    size_t size_b;   /* of a slot; 0: large objects, each in a span of its own */
    unsigned class_; /* of the slot */
    struct amp_gc_spans partial, full, unswept;
};

struct amp_gc_span {
    uintptr_t base;
    size_t size_b;  /* of a slot */
    uint64_t magic; /* offset * magic >> 40 is the slot; 0 if there is only one */
    uint32_t n;     /* slots */
    uint32_t words; /* of each bit map */
    const struct amp_gc_layout *layout;
    uint64_t *allocs; /* slots beyond n are allocated, and never marked */
    struct amp_gc_kind *kind;
    struct amp_gc_span *next;
    uint32_t taken;    /* slots in use when its mutator took it */
    size_t pages;      /* how many */
    bool fresh;        /* every free slot is zero; else, with POISON, it is full of that */
    uint64_t marks[];  /* then allocs */
};

/* What a mutator allocates one kind from: one word of allocs at a time. */
struct amp_gc_bin {
    uint64_t *word, *mark; /* the bits of 64 slots */
    uintptr_t base;        /* of the first of these */
    size_t size_b;
    bool clear;
    struct amp_gc_span *span; /* NULL: none; then *word is full */
    struct amp_gc_kind *kind;
    struct amp_gc_bin *next; /* of this mutator's that hold a span */
};

#define AMP_GC_BLOCK 1022
struct amp_gc_block {
    struct amp_gc_block *next;
    size_t n;
    uintptr_t at[AMP_GC_BLOCK]; /* of grey objects; with bit 0: a large one, from this address on */
};

/* A thread that marks: its grey objects, and its counts until they are added up. */
struct amp_gc_marker {
    struct amp_gc *gc;
    struct amp_gc_block *block;
    struct amp_gc_counts counts;
};

enum amp_gc_state { AMP_GC_RUNNING, AMP_GC_STOPPED, AMP_GC_AWAY, AMP_GC_ENDED };

struct amp_gc_mutator {
    struct amp_gc_bin *single[AMP_GC_TYPES + 1];
    struct amp_gc *gc;
    bool slow;    /* a mode wants to see every allocation */
    bool marking; /* allocate black */
    enum amp_gc_state state;
    bool scanned; /* this cycle */
    uint64_t round; /* of the last safe point */
    struct amp_gc_marker *scanning; /* by whom, while it is away; NULL: nobody */
    uint64_t waits_since_ns; /* for the end of marking, since the heap has reached its goal; 0: it does not */
    struct amp_gc_marker marker;
    double debt; /* bytes to scan before it may allocate more */
    double price; /* of this cycle: bytes to scan for each that is allocated, when it last paid */
    clockid_t cpu_clock;
    uint64_t asked_cpu_ns; /* its CPU time when it was last asked to stop */
    struct amp_gc_bin *bins[AMP_GC_KINDS];
    struct amp_gc_bin *holding;

    const char *name;
    struct amp_stack *stack;
    struct amp_stack **others; /* that are registered */
    size_t n_others;
    const struct amp_stack *on; /* from which amp_gc_answer() was called */
    uintptr_t *limit;         /* of its thread */
    volatile uint32_t *asked; /* of its thread */
    void *signal_stack; /* growable ones are too small for handlers */
    stack_t signal_stack_before;
    uintptr_t host_base;
    uintptr_t host_sp; /* while it is stopped or away */
    uintptr_t saved[AMP_GC_SAVED];
    amp_stack_fn *fn;
    void *arg;
    uint64_t result;
    int error;
    bool entered; /* fn, and has not returned */
    pthread_t thread;
    struct amp_gc_mutator *next;
};

/* Sums over cycles, the last one most: between the ends of two, and while marking. */
struct amp_gc_rates {
    double allocated_b, mutators_ns, marking_ns, scanned_b;
    double beside_b, beside_ns, worker_ns, assist_ns, beside_scanned_b;
};

struct amp_gc_wait { /* for a mutator */
    uint64_t looked_ns, waited_ns;
};

enum amp_gc_phase { AMP_GC_OFF, AMP_GC_BEGINNING, AMP_GC_MARKING, AMP_GC_ENDING };

struct amp_gc_root {
    const char *name;
    uintptr_t at;
    size_t words;
};

struct amp_gc {
    struct amp_gc_limits limits;
    /* Heap */
    uintptr_t base; /* of the reserved addresses */
    size_t reserved_b;
    struct amp_gc_span **map; /* of each page */
    struct amp_gc_layout layouts[AMP_GC_TYPES + 1];
    unsigned types; /* ids below this are in use; at least 1 */
    pthread_mutex_t heap_lock;
    struct amp_gc_pages *pages;
    struct amp_gc_kind *kinds[AMP_GC_KINDS];
    unsigned n_kinds;
    size_t live_b, heap_b, span_b, peak_heap_b, peak_span_b;
    uint64_t allocated_b, freed_b, allocated_objects, freed_objects;
    uint32_t spans;    /* there are */
    uint32_t unswept;  /* spans on these lists */
    uint32_t sweeping; /* threads that hold one */
    struct amp_gc_root *roots;
    size_t n_roots;
    /* Marking */
    pthread_mutex_t queue_lock;
    struct amp_gc_block *queue, *spare;
    size_t queue_b;
    uint32_t queued;  /* blocks in the queue */
    bool roots_taken, roots_done;
    bool on;    /* the barrier: what is allocated is black */
    bool whole; /* no mutator runs in this cycle */
    uint64_t stale; /* words of stacks that pointed to what a cycle freed */
    int64_t unscanned; /* mutators whose stacks are grey */
    struct amp_gc_counts counts;
    int64_t credit; /* bytes that the worker has scanned and no assist has used */
    /* Control */
    pthread_mutex_t lock;
    uint64_t stop_cpu_ns; /* in this stop: struct amp_gc_cycle says whose */
    uint64_t stop_since_ns; /* first the worker's CPU time when the stop was asked for, then that of who makes it */
    pthread_cond_t stopped, go, done;
    uint32_t work; /* changes whenever there is something for the worker; it sleeps on it */
    enum amp_gc_phase phase;
    uint32_t stop;    /* mutators must stop */
    uint32_t running; /* mutators in RUNNING */
    bool dozes;       /* who makes a stop sleeps, perhaps on the CPU of who comes last, which then makes room at once */
    uint32_t waiting; /* threads that want the cycle to end */
    uint64_t round;   /* of amp_gc_flush_round() */
    struct amp_gc_wait round_wait;
    bool flushing;
    bool offered;  /* whichever mutator ends the round makes the second stop, */
    uint32_t taken; /* and one does */
    struct amp_gc_mutator *mutators;
    uint64_t cycles; /* begun */
    uint64_t ended;
    uint64_t prepared; /* the worker's: the cycle behind which it last made memory ready */
    bool quit, has_worker;
    pthread_t worker;
    clockid_t worker_clock;
    sigset_t signals, blocked; /* of its thread, while it sleeps and while it works */
    struct amp_gc_marker worker_marker;
    int error; /* it has failed, for good */
    char message[256];
    /* Pacing */
    struct amp_gc_cycle cycle;
    struct amp_gc_pace pace;
    struct amp_gc_rates rates;
    uint64_t paced_ns; /* CPU time of the process at the last decision */
    size_t paced_b;    /* and the heap */
    uint64_t gc_ns, assist_ns, sweep_ns, longest_stop_ns, process_ns;
};

extern _Thread_local struct amp_gc_mutator *amp_gc_me __attribute__((tls_model("initial-exec")));

/* The mutator that this thread is, unless it is away: then no stop waits for it, and it must be like any other
 * thread. NULL: none. */
static inline struct amp_gc_mutator *amp_gc_present(void)
{
    struct amp_gc_mutator *me = amp_gc_me;

    return me && me->state != AMP_GC_AWAY ? me : NULL;
}

/* ---- pages.c */
unsigned amp_gc_class_of(size_t size_b); /* up to AMP_GC_SMALL_B */
size_t amp_gc_class_size(unsigned class_);
size_t amp_gc_class_pages(unsigned class_);
#define AMP_GC_CLASSES 48

/* ---- pages.c, too: under heap_lock */
int amp_gc_pages_reserve(struct amp_gc *gc);
void amp_gc_pages_release(struct amp_gc *gc);
size_t amp_gc_pages_used(const struct amp_gc *gc); /* from the first on */
/* Without the lock, by the worker: else a mutator that owes a stop may wait until the system has cleared its memory. */
void amp_gc_pages_prepare(struct amp_gc *gc);
struct amp_gc_span *amp_gc_span_new(struct amp_gc *gc, struct amp_gc_kind *kind, size_t size_b);
void amp_gc_span_free(struct amp_gc *gc, struct amp_gc_span *span);

static inline struct amp_gc_span *amp_gc_span_of(const struct amp_gc *gc, uintptr_t at)
{
    return at - gc->base < gc->reserved_b ? AMP_GC_LOAD(&gc->map[(at - gc->base) / AMP_GC_PAGE_B]) : NULL;
}

/* n or more if the address lies behind the last slot. */
static inline uint32_t amp_gc_slot_of(const struct amp_gc_span *span, uintptr_t at)
{
    return (uint32_t) (((at - span->base) * span->magic) >> 40);
}

static inline uintptr_t amp_gc_slot_at(const struct amp_gc_span *span, uint32_t slot)
{
    return span->base + slot * span->size_b;
}

static inline bool amp_gc_is_set(const uint64_t *bits, uint32_t slot)
{
    return (__atomic_load_n(&bits[slot / 64], __ATOMIC_RELAXED) >> slot % 64 & 1) != 0;
}

/* ---- heap.c */
struct amp_gc_kind *amp_gc_kind_of(struct amp_gc *gc, unsigned type, size_t size_b); /* under heap_lock; or NULL */
size_t amp_gc_bins_release(struct amp_gc_mutator *mutator); /* under heap_lock; bytes of slots that are still free */
void amp_gc_list(struct amp_gc_spans *list, struct amp_gc_span *span); /* under heap_lock */
struct amp_gc_span *amp_gc_unlist(struct amp_gc_spans *list);           /* under heap_lock; NULL: none */
int amp_gc_refill(struct amp_gc_mutator *mutator, struct amp_gc_bin *bin);
struct amp_gc_span *amp_gc_large(struct amp_gc_mutator *mutator, unsigned type, size_t size_b); /* NULL: no memory */
struct amp_gc_bin *amp_gc_bin_of(struct amp_gc_mutator *mutator, unsigned type, size_t size_b);
void amp_gc_unsweep(struct amp_gc *gc); /* all spans, at the end of marking */

/* ---- sweep.c */
bool amp_gc_sweep_some(struct amp_gc *gc, struct amp_gc_kind *kind); /* one span, NULL: of any kind; false: none left */
void amp_gc_sweep_all(struct amp_gc *gc);

/* ---- queue.c */
struct amp_gc_block *amp_gc_block_new(struct amp_gc *gc); /* NULL: the collector has failed */
void amp_gc_block_give(struct amp_gc *gc, struct amp_gc_block *block);
struct amp_gc_block *amp_gc_block_take(struct amp_gc *gc);
void amp_gc_block_free(struct amp_gc *gc, struct amp_gc_block *block);
void amp_gc_queue_free(struct amp_gc *gc);

/* ---- mark.c: on a host stack, but for the store */
void amp_gc_push(struct amp_gc_marker *marker, uintptr_t at);
void amp_gc_shade_word(struct amp_gc_marker *marker, uintptr_t word); /* any value */
void amp_gc_shade_words(struct amp_gc_marker *marker, uintptr_t from, uintptr_t to);
uint64_t amp_gc_drain(struct amp_gc_marker *marker, uint64_t objects); /* at most; returns how many were scanned */
void amp_gc_counts_add(struct amp_gc *gc, struct amp_gc_marker *marker);
void amp_gc_marker_flush(struct amp_gc_marker *marker); /* to the queue */
void amp_gc_black(struct amp_gc_mutator *mutator, uint64_t *mark, unsigned bit, size_t size_b); /* a new object */

/* ---- roots.c */

/* Before a mutator stops or goes away: the registers that a function must keep, and how far down its host stack is in
 * use. In the function itself, whose frame holds what it has saved of them, and which must not end by a jump. */
static inline __attribute__((always_inline)) void amp_gc_note_registers(struct amp_gc_mutator *mutator)
{
#if defined(__x86_64__)
    __asm__ volatile("movq %%rbx, (%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\tmovq %%r13, 24(%0)\n\t"
                     "movq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)\n\tmovq %%rsp, (%1)"
                     :
                     : "r"(mutator->saved), "r"(&mutator->host_sp)
                     : "memory");
#else
    uintptr_t sp;

    /* d8 to d15, too: a compiler that has no other register left keeps an address there */
    __asm__ volatile("stp x19, x20, [%1]\n\tstp x21, x22, [%1, #16]\n\tstp x23, x24, [%1, #32]\n\t"
                     "stp x25, x26, [%1, #48]\n\tstp x27, x28, [%1, #64]\n\tstr x29, [%1, #80]\n\t"
                     "stp d8, d9, [%1, #88]\n\tstp d10, d11, [%1, #104]\n\tstp d12, d13, [%1, #120]\n\t"
                     "stp d14, d15, [%1, #136]\n\tmov %0, sp"
                     : "=&r"(sp)
                     : "r"(mutator->saved)
                     : "memory");
    mutator->host_sp = sp;
#endif
}

#define AMP_GC_NO_JUMP() __asm__ volatile("" : : : "memory") /* behind the last call: it is none then */

void amp_gc_each_range(struct amp_gc_mutator *mutator, void (*fn)(void *arg, uintptr_t from, uintptr_t to), void *arg);
void amp_gc_scan_stack(struct amp_gc_marker *marker, struct amp_gc_mutator *mutator);
bool amp_gc_scan_away(struct amp_gc_marker *marker); /* a mutator that is away; false: none to do */
bool amp_gc_knows(struct amp_gc_mutator *mutator, const struct amp_stack *stack); /* false: the collector has failed */
bool amp_gc_scan_roots(struct amp_gc_marker *marker);

/* ---- stop.c */
struct amp_gc_outside {
    amp_stack_fn *fn;
    void *arg;
    const struct amp_stack *from;
};
uint64_t amp_gc_go_outside(void *outside);
uint64_t amp_gc_answer_on_host(void *mutator);
void amp_gc_at_safe_point(struct amp_gc_mutator *mutator); /* on a host stack, below amp_gc_note_registers() */
void amp_gc_end(struct amp_gc_mutator *mutator);           /* it runs no more */
int amp_gc_stop(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t *asked_ns, uint64_t *stopped_ns);
/* Returns when. cpu_ns: of the process in this stop; may be NULL. */
uint64_t amp_gc_go(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t asked_ns, uint64_t *cpu_ns);
void amp_gc_hurry(struct amp_gc *gc);

/* Has every mutator handed over what its barrier found, since a round began? Begins one if the last one is over. A second
 * stop before that would find too much to do. The mutator that ends a round makes that stop itself, while the worker,
 * which calls this, sleeps: a mutator that the worker keeps from its CPU would be late. */
bool amp_gc_flush_round(struct amp_gc *gc);
void amp_gc_away(struct amp_gc_mutator *mutator); /* under gc->lock */
void amp_gc_back(struct amp_gc_mutator *mutator); /* under gc->lock; at_safe_point() must follow */
void amp_gc_wait_a_little(struct amp_gc *gc, pthread_cond_t *condition, uint64_t ns); /* under gc->lock */

/* ---- where.c */
void amp_gc_where(const struct amp_gc_mutator *mutator, char *out, size_t out_b); /* the function that it is in */

/* ---- cycle.c */
bool amp_gc_begin(struct amp_gc *gc, struct amp_gc_mutator *self, const char *why);
bool amp_gc_mark_some(struct amp_gc_marker *marker, uint64_t objects); /* false: nothing to do */
bool amp_gc_try_end(struct amp_gc *gc, struct amp_gc_mutator *self);   /* by whoever uses worker_marker */
void amp_gc_wait_done(struct amp_gc *gc, struct amp_gc_mutator *self, uint64_t ended);
int amp_gc_cycle_whole(struct amp_gc *gc, struct amp_gc_mutator *self);

/* ---- worker.c */
int amp_gc_worker_start(struct amp_gc *gc);
void amp_gc_worker_end(struct amp_gc *gc);
void amp_gc_wake(struct amp_gc *gc);
void amp_gc_sleep(struct amp_gc *gc, uint32_t seen, uint64_t ns); /* at most, and until gc->work is not `seen` */

/* ---- pace.c */
uint64_t amp_gc_now_ns(void);
uint64_t amp_gc_thread_ns(void);
uint64_t amp_gc_process_ns(void);
uint64_t amp_gc_clock_ns(clockid_t clock); /* of a thread, exact at any time; the process's lags behind */
void amp_gc_pace_next(struct amp_gc *gc);
void amp_gc_assist(struct amp_gc_mutator *mutator, size_t bytes); /* before so many are allocated, while marking */
uint64_t amp_gc_rest_ns(const struct amp_gc *gc, uint64_t worked_ns);

/* ---- verify.c: aborts with the reason if the collector is wrong. All mutators are stopped. */
void amp_gc_verify_marks(struct amp_gc *gc); /* at the end of marking */
void amp_gc_verify_invariant(struct amp_gc *gc); /* while marking, with STEP */
_Noreturn void amp_gc_broken(const char *what, uintptr_t at);

/* ---- create.c */
bool amp_gc_is_others(const struct amp_gc *gc, uintptr_t at); /* in the heap of another collector */
void amp_gc_fail(struct amp_gc *gc, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void amp_gc_note(struct amp_gc *gc, const char *format, ...) __attribute__((format(printf, 2, 3))); /* it goes on */
void amp_gc_say(const char *format, ...) __attribute__((format(printf, 1, 2))); /* of this call only */

#pragma GCC visibility pop

#endif
