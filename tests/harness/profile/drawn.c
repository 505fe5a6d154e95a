/* SPDX-License-Identifier: MIT
 *
 * Calls that are drawn at random, and allocations among them: through frames of any size, out of signal handlers and
 * coroutines, and after longjmp() to an outer frame. So what is left of old frames lies within new ones, at the same
 * depth other callers come, and a stack goes on where it was left. Each function notes that it runs; for each
 * allocation the noted path is counted. At the end a line for each path: its functions from the outside inwards, and
 * how many.
 *
 *   drawn TURNS SEED */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))
#define INLINED static inline __attribute__((always_inline))
#define AFTER() __asm__ volatile("" ::: "memory") /* what follows a call: it becomes no jump */
#define MOST 60                                   /* functions of a path */
#define PATHS 65536
#define COROUTINES 5
#define STACK_B 65536

struct line { /* of execution: the program's own, or a coroutine's */
    char path[MOST + 1];
    unsigned n;
    jmp_buf *outer;
    ucontext_t context;
    char *stack;
};

static struct line lines[1 + COROUTINES], *now = &lines[0];
static struct {
    char path[MOST + 1];
    unsigned n;
} counts[PATHS];
static void *volatile sink;
static uint64_t state;

static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned) (state >> 20) % below;
}

static void count(void)
{
    unsigned hash = 0;

    now->path[now->n] = '\0';
    for (const char *c = now->path; *c; c++)
        hash = hash * 31 + (unsigned char) *c;
    for (hash %= PATHS; counts[hash].n > 0 && strcmp(counts[hash].path, now->path) != 0;)
        hash = (hash + 1) % PATHS;
    strcpy(counts[hash].path, now->path);
    counts[hash].n++;
}

KEEP void leaf(void)
{
    count();
    sink = malloc(24);
    if (draw(8) > 0)
        free(sink);
    AFTER();
}

KEEP void on_signal(int number)
{
    (void) number;
    now->path[now->n++] = 's';
    leaf();
    now->n--;
}

static void yield(void)
{
    struct line *self = now;

    now = &lines[0];
    swapcontext(&self->context, &lines[0].context);
}

static void (*const volatile others[6])(int);

INLINED void step(int depth)
{
    const unsigned what = draw(16);

    if (what == 0)
        leaf();
    else if (what == 1)
        raise(draw(2) == 0 ? SIGUSR1 : SIGUSR2);
    else if (what == 2 && now->outer && draw(3) == 0)
        longjmp(*now->outer, 1);
    else if (what == 3 && now != &lines[0])
        yield();
    if (depth > 0 && what > 6)
        others[draw(6)](depth - 1);
    leaf();
    if (depth > 0 && what > 12)
        others[draw(6)](depth - 1);
}

/* A frame of any size, in which what earlier calls left stays. */
#define FUNCTION(name, letter)                                                                                         \
    KEEP void name(int depth)                                                                                          \
    {                                                                                                                  \
        const unsigned n = now->n;                                                                                     \
        char *volatile room = alloca(draw(4) * 16);                                                                    \
                                                                                                                       \
        (void) room;                                                                                                   \
        now->path[now->n++] = letter;                                                                                  \
        step(depth);                                                                                                   \
        now->n = n;                                                                                                    \
        AFTER();                                                                                                       \
    }
FUNCTION(alpha, 'a')
FUNCTION(beta, 'b')
FUNCTION(gamma_, 'c')

/* Of one size. */
#define PLAIN(name, letter)                                                                                            \
    KEEP void name(int depth)                                                                                          \
    {                                                                                                                  \
        const unsigned n = now->n;                                                                                     \
                                                                                                                       \
        now->path[now->n++] = letter;                                                                                  \
        step(depth);                                                                                                   \
        now->n = n;                                                                                                    \
        AFTER();                                                                                                       \
    }
PLAIN(delta, 'd')
PLAIN(epsilon, 'e')

KEEP void jumped_to(int depth)
{
    jmp_buf here, *volatile saved = now->outer;
    volatile unsigned n = now->n;

    now->path[now->n++] = 'j';
    now->outer = &here;
    if (setjmp(here) == 0) {
        step(depth);
    } else {
        now->n = n + 1;
        leaf();
    }
    now->outer = saved;
    now->n = n;
    AFTER();
}

static void (*const volatile others[6])(int) = { alpha, beta, gamma_, delta, epsilon, jumped_to };

KEEP void coroutine(void)
{
    now->path[now->n++] = 'o';
    for (;;) {
        others[draw(6)](4);
        yield();
    }
}

static void go_on(struct line *line)
{
    if (!line->stack) {
        line->stack = malloc(STACK_B);
        getcontext(&line->context);
        line->context.uc_stack.ss_sp = line->stack;
        line->context.uc_stack.ss_size = STACK_B;
        makecontext(&line->context, coroutine, 0);
    }
    now = line;
    swapcontext(&lines[0].context, &line->context);
}

static void handle_signals(void)
{
    static char other_stack[STACK_B];
    const stack_t other = { .ss_sp = other_stack, .ss_size = sizeof other_stack };
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = SA_ONSTACK;
    sigaltstack(&other, NULL);
    sigaction(SIGUSR2, &action, NULL);
}

KEEP void by_turns(unsigned turns)
{
    now->path[now->n++] = 'm';
    for (unsigned i = 0; i < turns; i++)
        if (draw(3) == 0)
            go_on(&lines[1 + draw(COROUTINES)]);
        else
            others[draw(6)](5);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 95;
    state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    handle_signals();
    by_turns((unsigned) atoi(argv[1]));
    for (unsigned i = 0; i < PATHS; i++)
        if (counts[i].n > 0)
            printf("%s %u\n", counts[i].path, counts[i].n);
    return 0;
}
