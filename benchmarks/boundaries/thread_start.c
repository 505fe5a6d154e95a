/* SPDX-License-Identifier: MIT
 *
 * Run a function on a stack of its own: as a coroutine, which takes turns with its caller, or as a thread.
 *
 *   value     caller --swap--> [ own stack: function ] --swap--> caller       no kernel thread, no scheduler
 *   pointer   caller --create--> kernel --> [ own stack: function ] --join--> caller
 *
 * Same on both sides:  the function, the frame of N bytes that it touches on its stack, a page apart, the number that
 *                      it is given and the one that it gives back; both stacks have been used before.
 * Different:           who switches. A thread could run beside its caller; here the caller waits, so that an operation
 *                      is one start and one end.
 *
 * The coroutine is the C library's (ucontext), which saves the signal mask, two system calls an operation. The size is
 * that of the frame.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/boundaries/thread_start.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 16384)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#include <pthread.h>
#include <ucontext.h>

#define STACK_B ((size_t) 64 * 1024)
#define PAGE_B ((size_t) 4096)
#define start AMP_NAME(start)
#define work AMP_NAME(work)
#define coroutine AMP_NAME(coroutine)
#define thread AMP_NAME(thread)
#define begin_context AMP_NAME(begin_context)
#define set_up_start AMP_NAME(set_up_start)
#define tear_down_start AMP_NAME(tear_down_start)

struct start {
    uint64_t given, back;
    ucontext_t caller, callee;
    unsigned char *stack;
};

static AMP_ALWAYS_INLINE uint64_t work(uint64_t given)
{
    subject frame;
    unsigned char *byte = (unsigned char *) &frame;

    amp_set_ends(&frame, given);
    for (size_t at = PAGE_B; at < sizeof frame - 1; at += PAGE_B)
        byte[at] = (unsigned char) given;
    amp_keep(&frame);
    return amp_ends(&frame);
}

/* makecontext() hands over ints only. */
static AMP_NOINLINE void coroutine(unsigned high, unsigned low)
{
    struct start *s = (struct start *) ((uintptr_t) high << 32 | low);

    s->back = work(s->given);
}

static AMP_NOINLINE void *thread(void *memory)
{
    struct start *s = (struct start *) memory;

    s->back = work(s->given);
    return NULL;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    struct start *s = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        s->given = i;
        makecontext(&s->callee, (void (*)(void)) coroutine, 2, (unsigned) ((uintptr_t) s >> 32),
                    (unsigned) (uintptr_t) s);
        if (swapcontext(&s->caller, &s->callee))
            _exit(AMP_EXIT_NO_MEMORY);
        sum += s->back;
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    struct start *s = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        pthread_t id;

        s->given = i;
        if (pthread_create(&id, NULL, thread, s) || pthread_join(id, NULL))
            _exit(AMP_EXIT_NO_MEMORY);
        sum += s->back;
    }
    return sum;
}

static AMP_NOINLINE void begin_context(ucontext_t *context)
{
    if (getcontext(context)) /* alone in a function: it may return twice, as far as compilers know */
        _exit(AMP_EXIT_NO_MEMORY);
}

static void *set_up_start(size_t size)
{
    struct start *s = amp_alloc(sizeof *s);

    (void) size;
    memset(s, 0, sizeof *s);
    s->stack = amp_alloc(STACK_B);
    memset(s->stack, 0, STACK_B);
    begin_context(&s->callee);
    s->callee.uc_stack.ss_sp = s->stack;
    s->callee.uc_stack.ss_size = STACK_B;
    s->callee.uc_link = &s->caller;
    return s;
}

static void tear_down_start(void *fixture)
{
    struct start *s = fixture;

    free(s->stack);
    free(s);
}

AMP_PAIR(thread_start,
         .question = "What does it cost to run a function as a coroutine, and what as a thread?",
         .value = { run_value, .calls = "makecontext swapcontext", .label = "coroutine", .set_up = set_up_start,
                    .tear_down = tear_down_start },
         .pointer = { run_pointer, .calls = "pthread_create pthread_join", .label = "thread", .set_up = set_up_start,
                      .tear_down = tear_down_start },
         .sizes = AMP_SIZES(sizeof(subject)), .threads = 1,
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Code that mostly waits can be a coroutine. Start threads for work that takes much longer than "
                      "the tens of microseconds of a start, or keep them and send them work." }));

#endif
