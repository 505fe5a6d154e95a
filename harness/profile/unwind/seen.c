/* SPDX-License-Identifier: MIT
 *
 * When a thread's memory is full, it forgets all of them: those that it still has come back within a walk each. */
#include "harness/profile/unwind/seen.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define SEEN_B ((size_t) 1 << 20) /* for a thread; of which only what is used takes memory */
#define CHAIN_MOST 16

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void end_thread(void *seen)
{
    amp_thread.seen = NULL;
    amp_thread.has_ended = true;
    munmap(seen, SEEN_B);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, end_thread) == 0;
}

static void begin(struct amp_thread *thread)
{
    void *seen;

    thread->has_ended = true; /* where there is none, it is not tried again */
    pthread_once(&once, make_key);
    if (!has_key)
        return;
    seen = mmap(NULL, SEEN_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return;
    if (madvise(seen, SEEN_B, MADV_WIPEONFORK)) { /* notes are those of this process */
        munmap(seen, SEEN_B);
        return;
    }
    thread->seen = seen;
    thread->has_ended = false;
    pthread_setspecific(key, seen);
}

static void forget_all(struct amp_seen *seen)
{
    memset(seen, 0, offsetof(struct amp_seen, bytes));
}

/* How many are in a chain; no more than CHAIN_MOST are kept. */
static void shorten(struct amp_seen_stack *chain)
{
    for (unsigned n = 1; chain; chain = chain->next)
        if (++n == CHAIN_MOST)
            chain->next = NULL;
}

/* Room in the thread's memory; NULL: it is full. */
static void *take(struct amp_seen *seen, size_t size_b)
{
    void *at = seen->bytes + seen->used_b;

    size_b = (size_b + 63) / 64 * 64;
    if (seen->used_b + size_b > SEEN_B - offsetof(struct amp_seen, bytes))
        return NULL;
    seen->used_b += size_b;
    return at;
}

/* A copy that lasts; NULL: the memory is full. */
static struct amp_stack *keep_stack(struct amp_seen *seen, const struct amp_stack *stack)
{
    const size_t words_b = (stack->n - 1) * sizeof(struct amp_word);
    struct amp_stack *copy = take(seen, sizeof *copy + words_b);

    if (!copy)
        return NULL;
    *copy = *stack;
    copy->words = memcpy(copy + 1, stack->words, words_b);
    return copy;
}

static struct amp_check check_of(const struct amp_word *word, uintptr_t sp)
{
    return (struct amp_check){ (uint32_t) ((uintptr_t) word->at - sp), (uint32_t) word->value };
}

/* Remember a stack; NULL: the memory is full. */
static const struct amp_stack *keep(struct amp_seen *seen, const struct amp_stack_room *room)
{
    const struct amp_caller *caller = &room->stack.caller;
    const uint32_t n_returns = room->stack.n - 1, n = n_returns + room->n_others;
    const uint32_t n_checks = (n + AMP_SEEN_STEP - 1) / AMP_SEEN_STEP * AMP_SEEN_STEP;
    struct amp_seen_stack *kept = take(seen, sizeof *kept + n_checks * sizeof *kept->checks);
    struct amp_seen_stack **chain = amp_seen_chain(seen, caller);
    const struct amp_stack *stack = keep_stack(seen, &room->stack);

    if (!kept || !stack)
        return NULL;
    *kept = (struct amp_seen_stack){ .caller = *caller, .n_checks = n_checks, .stamp = room->stack.stamp,
                                     .next = *chain, .stack = stack,
                                     .fp_matters = room->stack.fp_mask ? UINT32_MAX : 0 };
    for (uint32_t i = 0; i < n_checks; i++) { /* the last one fills the rest */
        const uint32_t k = i < n ? i : n - 1;

        kept->checks[i] = check_of(k < n_returns ? &room->returns[k] : &room->others[k - n_returns], caller->sp);
    }
    kept->quick = kept->checks[0];
    shorten(*chain);
    *chain = kept;
    return stack;
}

void amp_seen_learn(struct amp_seen_stack *seen, const struct amp_caller *caller)
{
    for (uint32_t i = 0; i < seen->n_checks; i++)
        if (amp_seen_change(caller->sp, seen->checks[i])) {
            seen->quick = seen->checks[i];
            return;
        }
}

static bool can_be_kept(const struct amp_stack *stack)
{
    return amp_thread.seen && stack->can_last && amp_thread.high - stack->caller.sp <= UINT32_MAX;
}

const struct amp_stack *amp_seen_walk(const struct amp_caller *caller, struct amp_stack_room *room)
{
    const struct amp_stack *kept;

    amp_stack_walk(caller, false, room);
    if (!amp_thread.seen && !amp_thread.has_ended)
        begin(&amp_thread);
    if (!can_be_kept(&room->stack))
        return &room->stack;
    kept = keep(amp_thread.seen, room);
    if (kept)
        return kept;
    forget_all(amp_thread.seen);
    kept = keep(amp_thread.seen, room);
    return kept ? kept : &room->stack;
}
