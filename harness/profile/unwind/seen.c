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
static void shorten(struct amp_stack *chain)
{
    for (unsigned n = 1; chain; chain = chain->next)
        if (++n == CHAIN_MOST)
            chain->next = NULL;
}

/* A copy that lasts, with what must not have changed for the stack to be the same. */
static struct amp_stack *keep(struct amp_seen *seen, const struct amp_stack_room *room)
{
    const uint32_t n_returns = room->stack.n - 1, n = n_returns + room->n_others;
    const uint32_t n_words = (n + AMP_SEEN_STEP - 1) / AMP_SEEN_STEP * AMP_SEEN_STEP;
    size_t size_b = (sizeof room->stack + n_words * sizeof(struct amp_word) + 63) / 64 * 64;
    struct amp_stack *stack, **chain = amp_seen_chain(seen, &room->stack.caller);

    if (seen->used_b + size_b > SEEN_B - offsetof(struct amp_seen, bytes))
        forget_all(seen);
    stack = (struct amp_stack *) (seen->bytes + seen->used_b);
    seen->used_b += size_b;
    *stack = room->stack;
    stack->words = (struct amp_word *) (stack + 1);
    stack->n_words = n_words;
    memcpy(stack->words, room->returns, n_returns * sizeof(struct amp_word));
    memcpy(stack->words + n_returns, room->others, room->n_others * sizeof(struct amp_word));
    for (uint32_t i = n; i < n_words; i++)
        stack->words[i] = stack->words[n - 1];
    shorten(*chain);
    stack->next = *chain;
    *chain = stack;
    return stack;
}

const struct amp_stack *amp_seen_walk(const struct amp_caller *caller, struct amp_stack_room *room)
{
    amp_stack_walk(caller, false, room);
    if (!amp_thread.seen && !amp_thread.has_ended)
        begin(&amp_thread);
    return amp_thread.seen && room->stack.can_last ? keep(amp_thread.seen, room) : &room->stack;
}
