/* SPDX-License-Identifier: MIT
 *
 * Mutators: threads that run growable functions and whose stacks the collector scans. */
#include "harness/gc/state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- On its thread */

static void safe_point(void *m)
{
    amp_gc_answer_on_host(m);
    AMP_GC_NO_JUMP();
}

/* Also if its function has ended the thread: then it has not returned. */
static void end(void *arg)
{
    struct amp_gc_mutator *m = arg;

    amp_stack_answer(NULL, NULL);
    if (m->entered) {
        m->error = -ECANCELED;
        amp_stack_forsake(m->stack);
        amp_gc_note(m->gc, "mutator %s ended in the middle of its function", m->name);
    }
    amp_gc_end(m);
    amp_gc_me = NULL;
    sigaltstack(&m->signal_stack_before, NULL);
}

/* Its host stack is in use from `base` down. Until now it was away, and another thread may be scanning it. */
static void enter(struct amp_gc_mutator *m, uintptr_t base)
{
    amp_gc_me = m;
    pthread_mutex_lock(&m->gc->lock);
    while (m->gc->stop || m->scanning)
        pthread_cond_wait(&m->gc->go, &m->gc->lock);
    m->limit = amp_stack_answer(safe_point, m);
    pthread_getcpuclockid(pthread_self(), &m->cpu_clock);
    m->host_base = base;
    amp_gc_note_registers(m);
    m->asked = &amp_gc_asked;
    amp_gc_back(m);
    pthread_mutex_unlock(&m->gc->lock);
    amp_gc_at_safe_point(m);
    AMP_GC_NO_JUMP();
}

static void *run(void *arg)
{
    struct amp_gc_mutator *m = arg;
    const stack_t aside = { .ss_sp = m->signal_stack, .ss_size = AMP_GC_SIGNAL_STACK_B };

    sigaltstack(&aside, &m->signal_stack_before);
    pthread_cleanup_push(end, m);
    enter(m, (uintptr_t) __builtin_frame_address(0)); /* what this function calls lies below */
    m->entered = true;
    m->error = amp_stack_run(m->stack, m->fn, m->arg, &m->result);
    m->entered = false;
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- Start and join */

static struct amp_gc_mutator *make(struct amp_gc *gc, const struct amp_stack_policy *policy, int *error)
{
    struct amp_gc_mutator *m = calloc(1, sizeof *m);
    const char *why;

    *error = -ENOMEM;
    if (!m)
        return NULL;
    m->gc = gc;
    m->marker.gc = gc;
    m->slow = AMP_GC_ASAN || gc->limits.modes & (AMP_GC_COLLECT | AMP_GC_POISON);
    m->signal_stack = malloc(AMP_GC_SIGNAL_STACK_B);
    m->marker.block = amp_gc_block_new(gc);
    if (m->marker.block && m->signal_stack) {
        *error = amp_stack_create(policy, &m->stack, &why);
        if (*error)
            amp_gc_say("%s", why);
    }
    if (*error) {
        if (m->marker.block)
            amp_gc_block_free(gc, m->marker.block);
        free(m->signal_stack);
        free(m);
        return NULL;
    }
    return m;
}

static void unmake(struct amp_gc_mutator *m)
{
    for (unsigned i = 0; i < AMP_GC_KINDS; i++)
        free(m->bins[i]);
    amp_gc_block_free(m->gc, m->marker.block);
    amp_stack_destroy(m->stack);
    free(m->others);
    free(m->signal_stack);
    free(m);
}

static bool is_listed(const struct amp_gc *gc, const struct amp_gc_mutator *m)
{
    const struct amp_gc_mutator *at = gc->mutators;

    while (at && at != m)
        at = at->next;
    return at != NULL;
}

static int refuse(const struct amp_gc *gc, const struct amp_gc_mutator *m)
{
    if (is_listed(gc, m)) {
        amp_gc_say("mutator %s runs already", m->name);
        return -EBUSY;
    }
    if (gc->limits.modes & AMP_GC_STEP && gc->mutators) {
        amp_gc_say("with STEP, there is one mutator at a time");
        return -EINVAL;
    }
    return 0;
}

/* Into the list, away, to be scanned if a cycle marks. */
static int join_in(struct amp_gc *gc, struct amp_gc_mutator *m, amp_stack_fn *fn, void *arg)
{
    int error;

    pthread_mutex_lock(&gc->lock);
    while (gc->stop)
        pthread_cond_wait(&gc->go, &gc->lock);
    error = refuse(gc, m);
    if (!error) {
        m->fn = fn;
        m->arg = arg;
        m->state = AMP_GC_AWAY;
        m->marking = gc->on;
        m->scanned = false;
        m->debt = 0;
        if (gc->on)
            __atomic_add_fetch(&gc->unscanned, 1, __ATOMIC_RELEASE);
        m->next = gc->mutators;
        gc->mutators = m;
        __atomic_store_n(&gc->running, gc->running, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&gc->lock);
    return error;
}

static void leave(struct amp_gc_mutator *m)
{
    struct amp_gc *gc = m->gc;
    struct amp_gc_mutator **at = &gc->mutators;

    pthread_mutex_lock(&gc->lock);
    while (gc->stop || m->scanning)
        pthread_cond_wait(&gc->go, &gc->lock);
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    if (m->marking && !m->scanned)
        __atomic_sub_fetch(&gc->unscanned, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&gc->lock);
}

struct launched {
    struct amp_gc_mutator *mutator;
    amp_stack_fn *fn;
    void *arg;
};

static uint64_t launch(void *launched)
{
    const struct launched *l = launched;
    struct amp_gc_mutator *m = l->mutator;
    int error = join_in(m->gc, m, l->fn, l->arg);

    if (error)
        return (uint64_t) error;
    error = -pthread_create(&m->thread, NULL, run, m);
    if (error) {
        amp_gc_say("no thread for mutator %s: %s", m->name, strerror(-error));
        leave(m);
    }
    return (uint64_t) error;
}

int amp_gc_mutator_start(struct amp_gc *gc, const char *name, const struct amp_stack_policy *policy, amp_stack_fn *fn,
                         void *arg, struct amp_gc_mutator **out)
{
    struct launched launched = { NULL, fn, arg };
    struct amp_gc_mutator *m;
    int error;

    m = launched.mutator = make(gc, policy, &error);
    if (!m)
        return error;
    m->name = name;
    error = (int) amp_gc_call(launch, &launched); /* it may wait for a stop: a mutator is away then */
    if (error)
        unmake(m);
    else
        *out = m;
    return error;
}

int amp_gc_mutator_make(struct amp_gc *gc, const char *name, const struct amp_stack_policy *policy,
                        struct amp_gc_mutator **out)
{
    int error;
    struct amp_gc_mutator *m = make(gc, policy, &error);

    if (!m)
        return error;
    m->name = name;
    *out = m;
    return 0;
}

void amp_gc_mutator_free(struct amp_gc_mutator *m)
{
    unmake(m);
}

int amp_gc_mutator_run(struct amp_gc_mutator *m, amp_stack_fn *fn, void *arg, uint64_t *result)
{
    int error;

    if (amp_gc_me) {
        amp_gc_say("this thread runs mutator %s already", amp_gc_me->name);
        return -EINVAL;
    }
    error = join_in(m->gc, m, fn, arg);
    if (error)
        return error;
    m->thread = pthread_self();
    run(m);
    if (!m->error && result)
        *result = m->result;
    leave(m);
    return m->error;
}

struct awaited {
    struct amp_gc_mutator *mutator;
    uint64_t *result;
};

static uint64_t wait_for(void *awaited)
{
    const struct awaited *a = awaited;

    pthread_join(a->mutator->thread, NULL);
    if (!a->mutator->error && a->result)
        *a->result = a->mutator->result; /* before it leaves: one of the two places is scanned */
    leave(a->mutator);
    return 0;
}

int amp_gc_mutator_join(struct amp_gc_mutator *m, uint64_t *result)
{
    struct awaited awaited = { m, result };
    int error;

    if (AMP_GC_LOAD(&m->gc->error) == -ECHILD)
        return -ECHILD; /* its thread is in the parent */
    amp_gc_call(wait_for, &awaited);
    error = m->error;
    if (error && error != -ECANCELED)
        amp_gc_note(m->gc, "mutator %s: %s", m->name, amp_stack_message(m->stack));
    unmake(m);
    return error;
}

int amp_gc_run(struct amp_gc *gc, const char *name, amp_stack_fn *fn, void *arg, uint64_t *result)
{
    struct amp_gc_mutator *m = NULL;
    int error = amp_gc_mutator_start(gc, name, NULL, fn, arg, &m);

    return error ? error : amp_gc_mutator_join(m, result);
}
