/* SPDX-License-Identifier: MIT
 *
 * The life of a collector, its types and roots, its numbers, and why something failed. */
#include "harness/gc/state.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000
#define COLLECTORS 64

/* ---- Reasons */

static _Thread_local char said[256];
static pthread_mutex_t reasons = PTHREAD_MUTEX_INITIALIZER;

void amp_gc_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
}

void amp_gc_note(struct amp_gc *gc, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&reasons);
    va_start(args, format);
    if (!gc->message[0])
        vsnprintf(gc->message, sizeof gc->message, format, args);
    va_end(args);
    pthread_mutex_unlock(&reasons);
}

void amp_gc_fail(struct amp_gc *gc, int error, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&reasons);
    if (!gc->error) {
        va_start(args, format);
        vsnprintf(gc->message, sizeof gc->message, format, args);
        va_end(args);
        AMP_GC_STORE(&gc->error, error);
    }
    pthread_mutex_unlock(&reasons);
}

const char *amp_gc_message(struct amp_gc *gc)
{
    static _Thread_local char text[sizeof gc->message];

    if (!gc)
        return said;
    pthread_mutex_lock(&reasons);
    memcpy(text, gc->message, sizeof text);
    pthread_mutex_unlock(&reasons);
    return text[0] ? text : said;
}

/* ---- All collectors of the process, so that a pointer into another's heap is recognised */

static struct {
    struct amp_gc *gc;
    uintptr_t base;
    size_t size_b;
} others[COLLECTORS];
static pthread_mutex_t others_lock = PTHREAD_MUTEX_INITIALIZER;

bool amp_gc_is_others(const struct amp_gc *gc, uintptr_t at)
{
    for (unsigned i = 0; i < COLLECTORS; i++) {
        const uintptr_t base = AMP_GC_LOAD(&others[i].base);

        if (base && base != gc->base && at - base < AMP_GC_LOAD(&others[i].size_b))
            return true;
    }
    return false;
}

static int enrol(struct amp_gc *gc)
{
    unsigned i = 0;

    pthread_mutex_lock(&others_lock);
    while (i < COLLECTORS && others[i].base)
        i++;
    if (i < COLLECTORS) {
        others[i].gc = gc;
        AMP_GC_STORE(&others[i].size_b, gc->reserved_b);
        AMP_GC_STORE(&others[i].base, gc->base);
    }
    pthread_mutex_unlock(&others_lock);
    return i < COLLECTORS ? 0 : -ENOMEM;
}

static void strike(const struct amp_gc *gc)
{
    pthread_mutex_lock(&others_lock);
    for (unsigned i = 0; gc->base && i < COLLECTORS; i++)
        if (others[i].base == gc->base)
            AMP_GC_STORE(&others[i].base, 0);
    pthread_mutex_unlock(&others_lock);
}

/* ---- fork(): the child has neither the worker nor other mutators. Its collectors have failed; nothing waits. */

static void init_locks(struct amp_gc *gc)
{
    pthread_condattr_t monotonic;
    pthread_mutexattr_t checked;
    pthread_cond_t *conditions[] = { &gc->stopped, &gc->go, &gc->done };
    pthread_mutex_t *locks[] = { &gc->lock, &gc->heap_lock, &gc->queue_lock };

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutexattr_init(&checked);
    pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    for (unsigned i = 0; i < 3; i++) {
        pthread_cond_init(conditions[i], &monotonic);
        pthread_mutex_init(locks[i], &checked);
    }
    pthread_condattr_destroy(&monotonic);
    pthread_mutexattr_destroy(&checked);
}

static void before_fork(void)
{
    pthread_mutex_lock(&others_lock);
    for (unsigned i = 0; i < COLLECTORS; i++)
        if (others[i].base) {
            pthread_mutex_lock(&others[i].gc->lock);
            pthread_mutex_lock(&others[i].gc->heap_lock);
            pthread_mutex_lock(&others[i].gc->queue_lock);
        }
    pthread_mutex_lock(&reasons);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&reasons);
    for (unsigned i = 0; i < COLLECTORS; i++)
        if (others[i].base) {
            pthread_mutex_unlock(&others[i].gc->queue_lock);
            pthread_mutex_unlock(&others[i].gc->heap_lock);
            pthread_mutex_unlock(&others[i].gc->lock);
        }
    pthread_mutex_unlock(&others_lock);
}

static void leave_alone(struct amp_gc *gc)
{
    init_locks(gc); /* the child is another thread, which could not unlock them */
    gc->has_worker = false;
    gc->stop = gc->running = gc->sweeping = 0;
    for (struct amp_gc_mutator *m = gc->mutators; m; m = m->next) {
        m->scanning = NULL;
        if (m == amp_gc_me)
            gc->running = m->state == AMP_GC_RUNNING;
        else if (m->state != AMP_GC_ENDED)
            m->state = AMP_GC_AWAY;
    }
    amp_gc_fail(gc, -ECHILD, "this process was forked: only its parent can collect");
}

static void in_child(void)
{
    pthread_mutex_unlock(&reasons);
    for (unsigned i = 0; i < COLLECTORS; i++)
        if (others[i].base)
            leave_alone(others[i].gc);
    pthread_mutex_unlock(&others_lock);
}

static void note_forks(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- Create and destroy */

static const char *refuse(const struct amp_gc_limits *l)
{
    if (l->gogc < 1 || l->gogc > 10000)
        return "GOGC is from 1 to 10000";
    if (l->heap_b && l->heap_b < (size_t) 1 << 20)
        return "a memory limit is 1 MiB at least";
    if (l->reserve_b && l->reserve_b < (size_t) 1 << 20)
        return "the heap has 1 MiB of addresses at least";
    if (l->reserve_b && l->heap_b > l->reserve_b)
        return "the memory limit is beyond the addresses that are reserved";
    if (l->reserve_b > (size_t) 1 << 44)
        return "the heap has 16 TiB of addresses at most";
    if (l->modes & ~(unsigned) (AMP_GC_COLLECT | AMP_GC_POISON | AMP_GC_VERIFY | AMP_GC_STEP))
        return "no such mode";
    return NULL;
}

static unsigned count_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned) CPU_COUNT(&set) : 1;
}

static void prepare(struct amp_gc *gc)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, note_forks);
    init_locks(gc);
    gc->types = 1;
    gc->worker_marker.gc = gc;
    if (!gc->limits.cpus)
        gc->limits.cpus = count_cpus();
    if (!gc->limits.patience_ms)
        gc->limits.patience_ms = PATIENCE_MS;
}

static void tear_down(struct amp_gc *gc)
{
    strike(gc);
    amp_gc_queue_free(gc);
    free(gc->worker_marker.block);
    for (unsigned i = 0; i < gc->n_kinds; i++)
        free(gc->kinds[i]);
    free(gc->roots);
    amp_gc_pages_release(gc);
    pthread_mutex_destroy(&gc->lock);
    pthread_mutex_destroy(&gc->heap_lock);
    pthread_mutex_destroy(&gc->queue_lock);
    free(gc);
}

int amp_gc_create(const struct amp_gc_limits *limits, struct amp_gc **out, const char **why)
{
    const struct amp_gc_limits chosen = limits ? *limits : AMP_GC_DEFAULTS;
    struct amp_gc *gc;
    int error;

    *why = refuse(&chosen);
    if (*why)
        return -EINVAL;
    *why = "no memory for a collector";
    gc = calloc(1, sizeof *gc);
    if (!gc)
        return -ENOMEM;
    gc->limits = chosen;
    prepare(gc);
    gc->worker_marker.block = amp_gc_block_new(gc);
    error = gc->worker_marker.block ? amp_gc_pages_reserve(gc) : -ENOMEM;
    if (!error) {
        error = enrol(gc);
        *why = error ? "there are 64 collectors at most" : *why;
    }
    amp_gc_pace_next(gc);
    if (!error && !(chosen.modes & AMP_GC_STEP)) {
        error = amp_gc_worker_start(gc);
        *why = error ? "no thread for the collector's worker" : *why;
    }
    if (error) {
        tear_down(gc);
        return error;
    }
    *out = gc;
    *why = NULL;
    return 0;
}

int amp_gc_destroy(struct amp_gc *gc)
{
    bool busy;

    if (!gc)
        return 0;
    pthread_mutex_lock(&gc->lock);
    busy = gc->mutators != NULL;
    pthread_mutex_unlock(&gc->lock);
    if (busy) {
        amp_gc_say("mutators have not been joined yet");
        return -EBUSY;
    }
    amp_gc_worker_end(gc);
    if (gc->on)
        __atomic_sub_fetch(&amp_gc_barrier, 1, __ATOMIC_SEQ_CST);
    tear_down(gc);
    return 0;
}

/* ---- Types and roots */

static const char *refuse_type(const struct amp_gc_type *t)
{
    if (!t->name || t->size_b == 0)
        return "a type has a name and a size";
    if (t->n_pointers > 0 && t->size_b % 8 != 0)
        return "the size of a type with pointers is a multiple of 8";
    for (size_t i = 0; i < t->n_pointers; i++) {
        if ((t->pointers[i] + (size_t) 1) * 8 > t->size_b)
            return "a pointer lies beyond the end of its type";
        if (i > 0 && t->pointers[i] <= t->pointers[i - 1])
            return "the pointers of a type are in ascending order";
    }
    return NULL;
}

int amp_gc_type_add(struct amp_gc *gc, const struct amp_gc_type *type, unsigned *id)
{
    const char *why = refuse_type(type);
    int error = why ? -EINVAL : 0;

    pthread_mutex_lock(&gc->heap_lock);
    if (!error && gc->types > AMP_GC_TYPES) {
        why = "there are 255 types at most";
        error = -ENOSPC;
    }
    if (error) {
        amp_gc_say("type %s: %s", type->name ? type->name : "without a name", why);
    } else {
        *id = gc->types;
        gc->layouts[*id] = (struct amp_gc_layout){ .type = *type, .dense = 8 * type->n_pointers == type->size_b };
        AMP_GC_STORE(&gc->types, gc->types + 1);
    }
    pthread_mutex_unlock(&gc->heap_lock);
    return error;
}

int amp_gc_root_add(struct amp_gc *gc, const char *name, void *at, size_t size_b)
{
    struct amp_gc_root *more;
    int error = 0;

    if ((uintptr_t) at % 8 || size_b < 8) {
        amp_gc_say("root %s: roots are aligned to 8, and not empty", name);
        return -EINVAL;
    }
    pthread_mutex_lock(&gc->lock);
    if (gc->phase != AMP_GC_OFF) {
        amp_gc_say("root %s: a cycle runs, which would miss it", name);
        error = -EBUSY;
    } else {
        more = realloc(gc->roots, (gc->n_roots + 1) * sizeof *more);
        error = more ? 0 : -ENOMEM;
        gc->roots = more ? more : gc->roots;
        if (more)
            gc->roots[gc->n_roots++] = (struct amp_gc_root){ name, (uintptr_t) at, size_b / 8 };
    }
    pthread_mutex_unlock(&gc->lock);
    return error;
}

int amp_gc_gogc_set(struct amp_gc *gc, int gogc)
{
    if (gogc < 1 || gogc > 10000) {
        amp_gc_say("GOGC is from 1 to 10000");
        return -EINVAL;
    }
    AMP_GC_STORE(&gc->limits.gogc, gogc);
    return 0;
}

/* ---- Numbers */

void amp_gc_stats(struct amp_gc *gc, struct amp_gc_stats *out)
{
    pthread_mutex_lock(&gc->lock);
    pthread_mutex_lock(&gc->heap_lock);
    *out = (struct amp_gc_stats){
        .cycles = gc->ended,
        .heap_b = gc->heap_b,
        .live_b = gc->live_b,
        .goal_b = gc->pace.goal_b,
        .trigger_b = gc->pace.trigger_b,
        .span_b = gc->span_b,
        .peak_heap_b = gc->peak_heap_b,
        .peak_span_b = gc->peak_span_b,
        .allocated_b = gc->allocated_b,
        .freed_b = gc->freed_b,
        .allocated_objects = gc->allocated_objects,
        .freed_objects = gc->freed_objects,
        .stale_words = gc->stale,
        .gc_ns = AMP_GC_LOAD(&gc->gc_ns),
        .assist_ns = AMP_GC_LOAD(&gc->assist_ns),
        .longest_stop_ns = gc->longest_stop_ns,
        .marking = AMP_GC_LOAD(&gc->on),
    };
    pthread_mutex_unlock(&gc->heap_lock);
    pthread_mutex_unlock(&gc->lock);
}
