/* SPDX-License-Identifier: MIT
 *
 * Decides when a stack grows and to what size, and counts moves. The switch between stacks is assembly. */
#include "harness/stack/state.h"

#include "harness/marks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(offsetof(struct amp_stack, sp) == 0, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, host_sp) == 8, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, limit) == 16, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, host_limit) == 24, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, previous) == 32, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, hi) == 40, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, value) == 48, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, fn) == 56, "known to the assembly");
_Static_assert(offsetof(struct amp_stack, arg) == 64, "known to the assembly");

_Static_assert(sizeof(struct amp_stack) == AMP_STACK_OBJECT_B, "as users are told");

#define POISON_BYTE 0xdb

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

static bool hosted = WITH_ASAN; /* it makes frames larger than declared, and its shadow memory does not move */

__attribute__((constructor)) static void read_environment(void)
{
    const char *wish = getenv("AMPERSAND_STACK");

    if (wish && strcmp(wish, "host") == 0)
        hosted = true;
}

int amp_stack_hosted(void)
{
    return hosted;
}

void amp_stack_host_all(int wish)
{
    hosted = wish;
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static const char *refuse(const struct amp_stack_policy *p)
{
    if (!is_power_of_two(p->start_b) || !is_power_of_two(p->limit_b))
        return "sizes of a stack are powers of two";
    if (p->start_b < AMP_STACK_MIN_B)
        return "a stack has 2 KiB at least";
    if (p->start_b > AMP_STACK_MAX_B || p->limit_b > AMP_STACK_MAX_B)
        return "a stack has 1 GiB at most";
    if (p->limit_b < p->start_b)
        return "the limit is below the size to start with";
    if (p->factor < 2 || !is_power_of_two(p->factor))
        return "the factor of growth is a power of two, and 2 at least";
    if ((p->modes & AMP_STACK_PROBE) && (p->modes & AMP_STACK_FORCE))
        return "a stack cannot both move at every check and never";
    if (p->modes &
        ~(unsigned) (AMP_STACK_FORCE | AMP_STACK_POISON | AMP_STACK_PROBE | AMP_STACK_TRACE | AMP_STACK_HOST))
        return "no such mode";
    return NULL;
}

static bool every_check(const struct amp_stack *s)
{
    return (s->policy.modes & (AMP_STACK_FORCE | AMP_STACK_PROBE | AMP_STACK_TRACE)) != 0;
}

static uintptr_t limit_of(const struct amp_stack *s)
{
    return every_check(s) ? UINTPTR_MAX : s->lo + AMP_STACK_RESERVE_B;
}

static void settle(struct amp_stack *s, uintptr_t low, size_t size_b)
{
    s->lo = low;
    s->hi = low + size_b;
    __atomic_store_n(&s->limit, limit_of(s), __ATOMIC_RELAXED);
    s->stats.size_b = size_b;
}

int amp_stack_create(const struct amp_stack_policy *policy, struct amp_stack **out, const char **why)
{
    const struct amp_stack_policy chosen = policy ? *policy : AMP_STACK_GO;
    struct amp_stack *s;
    uintptr_t low;
    size_t size_b;

    *why = refuse(&chosen);
    if (*why)
        return -EINVAL;
    *why = "no memory for a stack";
    size_b = chosen.modes & AMP_STACK_PROBE ? chosen.limit_b : chosen.start_b;
    s = malloc(sizeof *s);
    if (!s)
        return -ENOMEM;
    if (amp_slab_take(size_b, &low)) {
        free(s);
        return -ENOMEM;
    }
    memset(s, 0, sizeof *s);
    s->policy = chosen;
    settle(s, low, size_b);
    *out = s;
    *why = NULL;
    return 0;
}

int amp_stack_destroy(struct amp_stack *s)
{
    int error;

    if (!s)
        return 0;
    if (s->state == AMP_STACK_RUNNING)
        return -EBUSY;
    error = amp_slab_give(s->lo, s->hi - s->lo);
    free(s->on_stack);
    free(s);
    return error;
}

void amp_stack_stats(const struct amp_stack *s, struct amp_stack_stats *out)
{
    *out = s->stats;
}

const char *amp_stack_message(const struct amp_stack *s)
{
    static _Thread_local char text[160];

    if (s->error == -EOVERFLOW)
        snprintf(text, sizeof text, "a frame of %zu B does not fit: %zu B are in use, and the limit is %zu B",
                 s->failed_frame_b, s->failed_used_b, s->policy.limit_b);
    else
        snprintf(text, sizeof text, "%s",
                 s->error == -EFAULT   ? "something wrote below the stack: a frame was declared too small"
                 : s->error == -ENOMEM ? "no memory for a larger stack"
                                       : "");
    return text;
}

/* ---- Safe points */

static _Thread_local struct {
    amp_stack_asked_fn *fn;
    void *arg;
} answer __attribute__((tls_model("initial-exec")));

#if !defined(__x86_64__) || !defined(__GLIBC__) || defined(AMP_STACK_LIMIT_IS_VARIABLE)
extern _Thread_local uintptr_t amp_stack_limit __attribute__((tls_model("initial-exec")));
#endif

uintptr_t *amp_stack_answer(amp_stack_asked_fn *fn, void *arg)
{
    answer.fn = fn;
    answer.arg = arg;
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(AMP_STACK_LIMIT_IS_VARIABLE)
    uintptr_t block;

    __asm__("movq %%fs:0, %0" : "=r"(block)); /* the thread's control block begins with its own address */
    return (uintptr_t *) (block + 0x70);
#else
    return &amp_stack_limit;
#endif
}

void amp_stack_ask(struct amp_stack *s, uintptr_t *limit)
{
    if (s)
        __atomic_store_n(&s->limit, UINTPTR_MAX, __ATOMIC_RELAXED);
    __atomic_store_n(limit, UINTPTR_MAX, __ATOMIC_RELEASE);
}

void amp_stack_in_use(const struct amp_stack *s, uintptr_t *low, uintptr_t *top)
{
    *top = s->hi;
    *low = s->state == AMP_STACK_IDLE ? s->hi : s->sp;
}

void *amp_stack_argument(const struct amp_stack *s)
{
    return s->state == AMP_STACK_READY ? s->arg : NULL;
}

int amp_stack_runs(const struct amp_stack *s)
{
    return s->state == AMP_STACK_RUNNING;
}

void amp_stack_forsake(struct amp_stack *s)
{
    s->state = AMP_STACK_IDLE;
}

void amp_stack_stray(void)
{
    if (!answer.fn)
        amp_stack_lost();
    answer.fn(answer.arg);
}

/* ---- Runs */

int amp_stack_start(struct amp_stack *s, amp_stack_fn *fn, void *arg)
{
    uint64_t *top;

    if (s->state != AMP_STACK_IDLE)
        return -EBUSY;
    if (!amp_slab_intact(s->lo))
        return s->error = -EFAULT;
    s->fn = fn;
    s->arg = arg;
    s->error = 0;
    s->depth = 0;
    /* What the switch pops from the stack: registers, whose values do not matter, and the address to go to. */
    s->sp = s->hi - AMP_STACK_TOP_B - amp_stack_switch_b;
    top = (uint64_t *) s->sp;
    memset(top, 0, amp_stack_switch_b);
    top[amp_stack_boot_word] = (uint64_t) (uintptr_t) amp_stack_boot;
    s->state = AMP_STACK_READY;
    return 0;
}

int amp_stack_resume(struct amp_stack *s, uint64_t *value)
{
    int more;

    if (s->state == AMP_STACK_RUNNING)
        return -EBUSY;
    if (s->state == AMP_STACK_IDLE)
        return -EINVAL;
    s->state = AMP_STACK_RUNNING;
    if (hosted || s->policy.modes & AMP_STACK_HOST) {
        s->value = s->fn(s->arg);
        more = 0;
    } else {
        more = amp_stack_enter(s);
    }
    s->state = more > 0 ? AMP_STACK_SUSPENDED : AMP_STACK_IDLE;
    if (more >= 0 && !amp_slab_intact(s->lo)) {
        s->state = AMP_STACK_IDLE;
        s->error = -EFAULT;
        more = -1;
    }
    if (more < 0)
        return s->error;
    if (value)
        *value = s->value;
    return more;
}

int amp_stack_run(struct amp_stack *s, amp_stack_fn *fn, void *arg, uint64_t *result)
{
    int more = amp_stack_start(s, fn, arg);

    if (more)
        return more;
    do
        more = amp_stack_resume(s, result);
    while (more > 0);
    return more;
}

_Noreturn void amp_stack_lost(void)
{
    fputs("ampersand: stack: a growable function was called on memory that is not its thread's growable stack, as by a "
          "signal handler\n",
          stderr);
    abort();
}

/* ---- Growth */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

/* The return value of grow() on failure. */
static uintptr_t abandon(struct amp_stack *s, int error, size_t used_b, size_t frame_b)
{
    s->error = error;
    s->failed_used_b = used_b;
    s->failed_frame_b = frame_b;
    return 0;
}

/* The size into which frame and reserve fit, by Go's rule. 0: beyond the limit. */
static size_t size_for(const struct amp_stack *s, size_t used_b, size_t frame_b)
{
    size_t size_b = s->hi - s->lo;

    while (size_b - used_b < frame_b + AMP_STACK_RESERVE_B) {
        if (size_b > s->policy.limit_b / s->policy.factor)
            return 0;
        size_b *= s->policy.factor;
    }
    return size_b;
}

/* How many growable functions are on the stack: those whose checks were seen and that lie above. */
static unsigned note_depth(struct amp_stack *s, size_t used_b)
{
    while (s->depth > 0 && s->on_stack[s->depth - 1] >= used_b)
        s->depth--;
    if (s->depth == s->depth_max) {
        unsigned most = s->depth_max ? 2 * s->depth_max : 64;
        size_t *longer = realloc(s->on_stack, most * sizeof *longer);

        if (!longer)
            return s->depth; /* no deeper number is known */
        s->on_stack = longer;
        s->depth_max = most;
    }
    s->on_stack[s->depth++] = used_b;
    return s->depth;
}

/* Copy the part in use, from `sp` upwards, to a stack of this size, and free the old one, unless its canary is
 * broken. */
static int move(struct amp_stack *s, uintptr_t sp, size_t size_b, struct amp_stack_event *event)
{
    const uintptr_t old = s->lo, old_hi = s->hi;
    const size_t old_b = old_hi - old, n = old_hi - sp;
    uintptr_t low;

    if (amp_slab_take(size_b, &low))
        return -ENOMEM;
    AMP_TRACE_BEGIN("stack grows");
    AMP_TRACE_COUNT("stack, bytes", size_b);
    settle(s, low, size_b);
    event->adjusted = amp_stack_relocate((void *) (s->hi - n), (const void *) sp, n, old, old_b, s->hi - old_hi);
    event->copied_b = n;
    s->stats.moves++;
    s->stats.copied_b += n;
    s->stats.adjusted += event->adjusted;
    if (s->policy.modes & AMP_STACK_POISON)
        memset((void *) (old + AMP_SLAB_CANARY_B), POISON_BYTE, old_b - AMP_SLAB_CANARY_B);
    AMP_TRACE_END("stack grows");
    return amp_slab_give(old, old_b);
}

/* A check of a stack with special modes: watched, moved every time, or never moved. */
static uintptr_t grow_watched(struct amp_stack *s, uintptr_t sp, size_t frame_b, size_t used_b, bool fits)
{
    struct amp_stack_event event = { .frame_b = frame_b, .used_b = used_b, .old_b = s->hi - s->lo, .old_top = s->hi };
    const bool trace = s->policy.modes & AMP_STACK_TRACE, stays = fits && !(s->policy.modes & AMP_STACK_FORCE);
    size_t size_b = stays || s->policy.modes & AMP_STACK_PROBE ? event.old_b : size_for(s, used_b, frame_b);
    uint64_t begin_ns = trace ? now_ns() : 0;
    int error = (s->policy.modes & AMP_STACK_PROBE && !fits) || size_b == 0 ? -EOVERFLOW : 0;

    if (trace)
        event.depth = note_depth(s, used_b);
    if (!error && !stays && !(s->policy.modes & AMP_STACK_PROBE)) {
        error = move(s, sp, size_b, &event);
        event.ns = trace ? now_ns() - begin_ns : 0;
    }
    if (error)
        return abandon(s, error, used_b, frame_b);
    event.new_b = s->hi - s->lo;
    event.new_top = s->hi;
    s->stats.ns += event.ns;
    if (s->policy.watch)
        s->policy.watch(s->policy.watcher, &event);
    return sp + (s->hi - event.old_top);
}

uintptr_t amp_stack_grow(struct amp_stack *s, uintptr_t sp, size_t frame_b)
{
    const uintptr_t entry = sp + amp_stack_saved_b, hi = s->hi;
    const size_t used_b = hi - entry, take_b = frame_b > AMP_STACK_SMALL_B ? frame_b - AMP_STACK_SMALL_B : 0;
    const bool fits = entry - s->lo > take_b + AMP_STACK_RESERVE_B;
    struct amp_stack_event event;
    size_t size_b;
    int error;

    if (sp < s->lo + AMP_SLAB_CANARY_B || entry > hi)
        amp_stack_lost();
    s->stats.checks++;
    if (used_b + frame_b - AMP_STACK_TOP_B > s->stats.reserved_b)
        s->stats.reserved_b = used_b + frame_b - AMP_STACK_TOP_B;
    if (answer.fn) {
        __atomic_store_n(&s->limit, limit_of(s), __ATOMIC_RELAXED); /* before: who asks again meanwhile is heard */
        answer.fn(answer.arg);
    }
    if (every_check(s))
        return grow_watched(s, sp, frame_b, used_b, fits);
    if (fits)
        return sp;
    size_b = size_for(s, used_b, frame_b);
    error = size_b ? move(s, sp, size_b, &event) : -EOVERFLOW;
    if (error)
        return abandon(s, error, used_b, frame_b);
    return sp + (s->hi - hi);
}
