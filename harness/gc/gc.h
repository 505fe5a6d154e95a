/* SPDX-License-Identifier: MIT
 *
 * A garbage collector for C programs that run on growable stacks: concurrent mark and sweep, paced as Go's.
 *
 *   mutators (threads)         heap: spans of objects of one type and size          worker (thread)
 *   +----------------+         +--------------------------------------+             +---------------------+
 *   | growable stack |-------->| [object][object][      ][object]     |<------------| marks what can be   |
 *   | registers      |         | mark bits, allocation bits: apart    |             | reached, then sweeps|
 *   +----------------+         +--------------------------------------+             +---------------------+
 *
 * A cycle: first stop (barrier on) - each mutator scans its own stack and goes on - the worker marks, and mutators
 * that allocate too fast help it - second stop (all is marked, barrier off) - spans are swept when they are needed, or
 * by the worker. Objects never move. A word on a stack, in a register or in a registered root that holds any address
 * within an object keeps it (conservative); within objects only the words that their type names are pointers (precise),
 * and these may point into the middle of an object, too.
 *
 * Rules for a program:
 *   - mutators run growable functions (harness/stack/stack.h); a mutator stops where such a function is entered, where
 *     it allocates, and in amp_gc_poll(). A loop that does none of these delays every stop: poll in it.
 *   - each pointer that is stored into an object or a root goes through amp_gc_store()
 *   - no pointer to an object is kept where the collector does not look: malloc'd memory, other threads, encoded
 *   - a function called by amp_stack_call() may allocate; one that waits for others is called by amp_gc_call()
 *   - other stacks that a mutator runs (coroutines) are registered with it by amp_gc_stack_add()
 *
 * Finalisers are left out: an order in which to run them cannot be had for cycles, and nothing here needs one.
 *
 * Functions return 0 or a negative errno, and say why in amp_gc_message(). Sizes are in bytes, times in nanoseconds of
 * CLOCK_MONOTONIC. A collector that has failed (-ETIMEDOUT, -EOWNERDEAD, -EXDEV, -EFAULT, -ENOMEM of its queue,
 * -ECHILD in a child of fork()) frees nothing any more: what is reachable stays intact, and as soon as a mutator needs
 * another span, allocation returns NULL. */
#ifndef AMP_GC_H
#define AMP_GC_H

#include "harness/stack/stack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amp_gc;
struct amp_gc_mutator;

enum amp_gc_mode {
    AMP_GC_COLLECT = 1, /* a whole cycle at every allocation */
    AMP_GC_POISON = 2,  /* overwrite freed memory, and see on reuse that nothing wrote there */
    AMP_GC_VERIFY = 4,  /* check the marking with a second, simple marker; with STEP also the invariant, step by step */
    AMP_GC_STEP = 8,    /* no worker: marking goes on by amp_gc_step() only. One mutator at most. */
};

/* What a cycle did, and from what its beginning was computed. */
struct amp_gc_cycle {
    uint64_t number; /* from 1 */
    const char *why; /* "trigger", "collect" (asked for), "limit" (the memory limit is near) */
    /* Times, in the order in which they happen. stop: asked for; stopped: the last mutator has stopped; go: released */
    uint64_t stop1_ns, stopped1_ns, go1_ns;
    uint64_t stop2_ns, stopped2_ns, go2_ns; /* of the attempt that ended marking */
    uint64_t stop1_cpu_ns, stop2_cpu_ns;    /* CPU time in each of the last to stop, and of the worker, which may have had
                                               its CPU; then of who makes the stop: in a long stop with little of it, who
                                               owed it had no CPU */
    unsigned stops;                         /* attempts at the second stop; each is a pause */
    uint64_t longest_stop_ns;
    /* CPU time */
    uint64_t worker_ns;  /* marking, by the worker */
    uint64_t assist_ns;  /* marking, by mutators */
    uint64_t sweep_ns;   /* of the sweep before this cycle, by all */
    uint64_t stopped_ns; /* both stops, times the CPUs */
    uint64_t waited_ns;  /* mutators waited for marking, since the heap had reached its goal */
    /* Sizes */
    size_t heap_begin_b; /* allocated when marking began */
    size_t heap_end_b;   /* and when it ended */
    size_t live_b;       /* marked: what could be reached when marking began, and */
    size_t born_b;       /* what was allocated meanwhile, which is in live_b */
    size_t goal_b, trigger_b;
    size_t stacks_b, roots_b; /* scanned */
    uint64_t objects;         /* marked */
    size_t scanned_b;         /* bytes of words that were looked at: the work */
    size_t span_b;            /* memory that spans hold, at the end */
    uint64_t process_ns;      /* CPU time of the process while it marked */
};

/* A decision of the pacer, at the end of each cycle, for the next. */
struct amp_gc_pace {
    uint64_t cycle; /* for which it is made */
    int gogc;
    size_t live_b;          /* reachable when marking began */
    size_t roots_b;         /* stacks included */
    size_t goal_b;          /* live + (live + roots) * GOGC / 100, at least minimum_b * GOGC / 100 */
    bool limited;            /* the memory limit made the goal smaller */
    double allocated_per_work; /* bytes that a CPU allocates while another scans one, smoothed over cycles */
    double beside;             /* that mutators allocate while the worker scans one, if they do not help; likewise */
    size_t work_b;           /* expected: what the last cycle scanned */
    size_t runway_b;         /* to be allocated while that is done; trigger = goal - runway, within bounds */
    size_t trigger_b;
    double assist_ratio; /* bytes that a mutator scans for each that it allocates, if the trigger is right */
    double share;        /* of the CPUs, for the worker */
    unsigned cpus;
};

/* Called by whichever thread ended the cycle, on its host stack, while mutators run. Allocate nothing there. */
struct amp_gc_trace {
    void (*cycle)(void *arg, const struct amp_gc_cycle *cycle);
    void (*pace)(void *arg, const struct amp_gc_pace *pace);
    void *arg;
};

/* Besides, tell this one of every collector of the process: for a tracer that made none of them. NULL: no more. What it
 * points to stays as it is. */
void amp_gc_watch(const struct amp_gc_trace *watcher);

struct amp_gc_limits {
    int gogc;             /* 1 to 10000; 25 to 800 make sense */
    size_t heap_b;        /* memory limit: spans never hold more. 0: none but `reserve_b` */
    size_t reserve_b;     /* of addresses; 0: 64 GiB, or as much as there is */
    size_t minimum_b;     /* the goal is at least this, times GOGC / 100. 0: 4 MiB, as in Go */
    size_t queue_b;       /* memory for the mark queue; 0: no limit */
    unsigned cpus;        /* 0: those that this process may use */
    unsigned patience_ms; /* how long a stop waits for a mutator; 0: 10,000 */
    unsigned modes;       /* of enum amp_gc_mode */
    struct amp_gc_trace trace;
};

#define AMP_GC_DEFAULTS ((struct amp_gc_limits){ .gogc = 100 })

/* The words of an object that are pointers. Word k is at byte 8 k. An array repeats its element's. */
struct amp_gc_type {
    const char *name;         /* static */
    size_t size_b;            /* of one; with pointers, a multiple of 8 */
    const uint16_t *pointers; /* their words, in ascending order; static */
    size_t n_pointers;        /* 0: the object is never scanned */
};

#define AMP_GC_TYPES 255 /* at most, for each collector; with some forty sizes of arrays, up to 1024 kinds of objects */

struct amp_gc_stats {
    uint64_t cycles;
    size_t heap_b;    /* allocated since the last sweep, and what lived then; whole free slots of spans in use count */
    size_t live_b;    /* marked by the last cycle */
    size_t goal_b, trigger_b;
    size_t span_b;    /* memory that spans hold */
    size_t peak_heap_b, peak_span_b;
    uint64_t allocated_b, freed_b; /* ever, in whole slots; freed: by the sweeps that are done */
    uint64_t allocated_objects, freed_objects;
    uint64_t stale_words; /* with VERIFY: of stacks, that pointed to what a cycle freed: never read again */
    uint64_t gc_ns;      /* CPU time of marking, sweeping and stops */
    uint64_t assist_ns;  /* the part of mutators in marking */
    uint64_t longest_stop_ns;
    bool marking;
};

/* limits   NULL: AMP_GC_DEFAULTS; copied
 * why      the reason of a failure, in words; static storage
 * errors   -EINVAL for limits that break a rule above, -ENOMEM */
int amp_gc_create(const struct amp_gc_limits *limits, struct amp_gc **out, const char **why);

/* errors   -EBUSY while mutators run. NULL is allowed. All objects are gone. */
int amp_gc_destroy(struct amp_gc *gc);

/* id       filled on success, from 1; what amp_gc_alloc() wants
 * errors   -EINVAL for a type without a name or size, with words beyond its end or out of order; -ENOSPC */
int amp_gc_type_add(struct amp_gc *gc, const struct amp_gc_type *type, unsigned *id);

/* Memory outside the heap that may hold pointers, looked at conservatively. Aligned to 8.
 * errors   -EINVAL, -ENOMEM, -EBUSY while a cycle runs in which it would be missed */
int amp_gc_root_add(struct amp_gc *gc, const char *name, void *at, size_t size_b);

/* ---- Mutators */

/* A thread with a growable stack, which calls fn(arg). arg may point into the heap.
 *
 * name     for messages; static
 * policy   of its stack; NULL: AMP_STACK_GO
 * errors   those of amp_stack_create() and pthread_create(), -EINVAL with STEP beside another mutator */
int amp_gc_mutator_start(struct amp_gc *gc, const char *name, const struct amp_stack_policy *policy, amp_stack_fn *fn,
                         void *arg, struct amp_gc_mutator **out);

/* Wait for it, and free it. Until then, what its result points to is kept.
 * errors   those of amp_stack_run(), -ECANCELED if the thread ended in the middle of fn, -ECHILD: it is the parent's */
int amp_gc_mutator_join(struct amp_gc_mutator *mutator, uint64_t *result);

/* start and join, for one. */
int amp_gc_run(struct amp_gc *gc, const char *name, amp_stack_fn *fn, void *arg, uint64_t *result);

/* A mutator without a thread of its own: each run calls fn(arg) on the calling thread, on this mutator's stack, which
 * stays as large as it has become. Between two runs no stack holds an object.
 *
 * errors   of make: those of amp_stack_create(); of run: those of start and join, -EINVAL in a thread that runs one
 *          already, -EBUSY if this one runs; free() wants none that runs */
int amp_gc_mutator_make(struct amp_gc *gc, const char *name, const struct amp_stack_policy *policy,
                        struct amp_gc_mutator **out);
int amp_gc_mutator_run(struct amp_gc_mutator *mutator, amp_stack_fn *fn, void *arg, uint64_t *result);
void amp_gc_mutator_free(struct amp_gc_mutator *mutator);

/* The following are called by mutators only, in growable functions or functions called by amp_stack_call(). In any
 * other thread, allocation returns NULL with the reason in amp_gc_message(NULL). */

/* An object, or n in a row, cleared. NULL: see amp_gc_message(); -ENOMEM and -EINVAL leave all as it was. */
void *amp_gc_alloc(unsigned type);
void *amp_gc_alloc_array(unsigned type, size_t n);

/* A safe point, for loops that call nothing. A load and a branch. */
static inline void amp_gc_poll(void);

/* Store a pointer (or NULL) into a field of an object, or into a root. Off, the barrier is a load and a branch. */
static inline void amp_gc_store(void *field, const void *pointer);

/* A stack that the calling mutator resumes, as a coroutine: from now on it is scanned whenever the mutator is. No other
 * thread may resume it, nor this one in amp_gc_call(). A collector finds a stack that is not registered at the
 * first safe point there, and fails (-EFAULT).
 * errors   -EINVAL in a thread that is no mutator or without a stack, -EEXIST, -ENOMEM */
int amp_gc_stack_add(struct amp_stack *stack);

/* Before amp_stack_destroy(); what is on it keeps nothing any more.
 * errors   -EINVAL in a thread that is no mutator, -ENOENT if it is not registered, -EBUSY while it runs */
int amp_gc_stack_remove(struct amp_stack *stack);

/* As amp_stack_call(), for what blocks: no stop waits for it. fn touches no object and allocates none; it may start and
 * join mutators, and collect. */
uint64_t amp_gc_call(amp_stack_fn *fn, void *arg);

/* A whole cycle, and its sweep. May be called by any thread. With STEP, by the mutator. */
int amp_gc_collect(struct amp_gc *gc);

/* STEP: begin a cycle if none runs, else mark n objects; when none is left, end the cycle and sweep. By the mutator.
 * returns  1: marking goes on, 0: the cycle has ended, or an error */
int amp_gc_step(struct amp_gc *gc, uint64_t n);

/* ---- What it knows */

void amp_gc_stats(struct amp_gc *gc, struct amp_gc_stats *out); /* any thread, at any time */

/* Why something failed: the first failure of the collector, else this thread's last; "" if none. */
const char *amp_gc_message(struct amp_gc *gc);

int amp_gc_gogc_set(struct amp_gc *gc, int gogc); /* from the next decision on */

enum amp_gc_colour { AMP_GC_WHITE, AMP_GC_GREY, AMP_GC_BLACK };

/* Of the object that this address lies in; -EINVAL if there is none. Grey and black while marking; black: marked. */
int amp_gc_colour(struct amp_gc *gc, const void *at);

struct amp_gc_object {
    const void *at;
    size_t size_b; /* the slot */
    unsigned type;
    const struct amp_gc_type *layout;
    enum amp_gc_colour colour;
};

struct amp_gc_visitor {
    /* First each root: the object that a word points to; where: a root's name, or a mutator's. */
    void (*root)(void *arg, const char *where, const void *object);
    /* Then each object that is allocated, followed by its edges; `to` is the start of an object. */
    void (*object)(void *arg, const struct amp_gc_object *object);
    void (*edge)(void *arg, const void *from, size_t field_b, const void *to);
    void *arg;
};

/* Stop all mutators, and visit the heap. Any function may be NULL. What is dead and not yet swept is not visited;
 * what died since the last cycle is: call amp_gc_collect() before.
 * errors   -EBUSY while a cycle marks (except with STEP), -ETIMEDOUT as of a cycle */
int amp_gc_walk(struct amp_gc *gc, const struct amp_gc_visitor *visitor);

/* ---- What the inline functions use */

extern _Thread_local volatile uint32_t amp_gc_asked __attribute__((tls_model("initial-exec")));
extern uint32_t amp_gc_barrier; /* how many collectors mark */
void amp_gc_answer(void);
void amp_gc_store_marking(void *field, const void *pointer);

static inline void amp_gc_poll(void)
{
    if (__builtin_expect(__atomic_load_n(&amp_gc_asked, __ATOMIC_RELAXED) != 0, 0))
        amp_gc_answer();
}

static inline void amp_gc_store(void *field, const void *pointer)
{
    if (__builtin_expect(__atomic_load_n(&amp_gc_barrier, __ATOMIC_RELAXED) != 0, 0))
        amp_gc_store_marking(field, pointer);
    else
        __atomic_store_n((const void **) field, pointer, __ATOMIC_RELEASE);
}

#endif
