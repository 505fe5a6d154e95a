/* SPDX-License-Identifier: MIT */
#include "benchmarks/stack/measure.h"

#include "benchmarks/stack/clock.h"
#include "benchmarks/stack/grow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void measure_must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "ampersand: stack: %s: %s\n", what, strerror(-error));
    exit(1);
}

/* ---- The kinds of stack that need no other compiler */

static struct amp_stack *warm;

static uint64_t run_native(uint64_t (*ops)(void *), struct walk *walk, uint64_t n)
{
    walk->ops = n;
    return ops(walk);
}

static uint64_t run_warm(uint64_t (*ops)(void *), struct walk *walk, uint64_t n)
{
    uint64_t sum = 0;

    walk->ops = n;
    measure_must(amp_stack_run(warm, ops, walk, &sum), "a warm stack");
    return sum;
}

static uint64_t run_fresh(uint64_t (*ops)(void *), struct walk *walk, uint64_t n)
{
    uint64_t sum = 0;

    walk->ops = 1;
    for (uint64_t i = n; i > 0; i--) {
        struct amp_stack *stack;
        const char *why;
        uint64_t one = 0;

        measure_must(amp_stack_create(NULL, &stack, &why), "a fresh stack");
        measure_must(amp_stack_run(stack, ops, walk, &one), "a fresh stack");
        measure_must(amp_stack_destroy(stack), "a fresh stack");
        sum += one;
    }
    return sum;
}

static const struct kind kinds[] = {
    { "native", walk_native, run_native, NULL },
    { "growable", walk_growable, run_warm, NULL },
    { "fresh", walk_growable, run_fresh, NULL },
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

/* ---- One growth */

struct growth {
    amp_stack_fn *fill;
    int deep;
};

static uint64_t run_growth(void *context, uint64_t ops)
{
    struct growth *g = context;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct amp_stack *stack;
        const char *why;
        uint64_t one = 0;

        measure_must(amp_stack_create(NULL, &stack, &why), "a growth");
        measure_must(amp_stack_run(stack, g->fill, &g->deep, &one), "a growth");
        measure_must(amp_stack_destroy(stack), "a growth");
        sum += one;
    }
    return sum;
}

struct copy {
    char *to, *from;
    size_t n;
};

static uint64_t run_copy(void *context, uint64_t ops)
{
    struct copy *c = context;

    for (uint64_t i = ops; i > 0; i--) {
        memcpy(c->to, c->from, c->n);
        __asm__ volatile("" : : "r"(c->to) : "memory");
    }
    return (uint64_t) c->to[0];
}

/* What the last move copies, and that there is one more with the calls than without. */
static size_t copied_b(const struct grower *grower)
{
    size_t copied[2], moves[2];

    for (unsigned i = 0; i < 2; i++) {
        struct growth g = { grower->fill, i != 0 };
        struct amp_stack_stats stats;
        struct amp_stack *stack;
        const char *why;

        measure_must(amp_stack_create(NULL, &stack, &why), "a growth");
        measure_must(amp_stack_run(stack, g.fill, &g.deep, NULL), "a growth");
        amp_stack_stats(stack, &stats);
        measure_must(amp_stack_destroy(stack), "a growth");
        copied[i] = stats.copied_b;
        moves[i] = stats.moves;
        if (stats.size_b != grower->to_b / (i ? 1 : 2))
            measure_must(-EPROTO, "a stack did not grow as it should");
    }
    if (moves[1] != moves[0] + 1)
        measure_must(-EPROTO, "a stack did not grow once");
    return copied[1] - copied[0];
}

static void measure_growths(unsigned rounds)
{
    static struct arm arms[3];

    printf("\"growths\": [");
    for (size_t k = 0; k < GROW_SIZES; k++) {
        const size_t n = copied_b(&growers[k]);
        struct growth with = { growers[k].fill, 1 }, without = { growers[k].fill, 0 };
        struct copy copy = { aligned_alloc(4096, growers[k].to_b), aligned_alloc(4096, growers[k].to_b), n };
        double ns[3];

        if (!copy.to || !copy.from)
            measure_must(-ENOMEM, "a copy");
        memset(copy.to, 1, growers[k].to_b);
        memset(copy.from, 2, growers[k].to_b);
        arms[0] = (struct arm){ .run = run_growth, .context = &with };
        arms[1] = (struct arm){ .run = run_growth, .context = &without };
        arms[2] = (struct arm){ .run = run_copy, .context = &copy };
        clock_rounds(arms, 3, 2, rounds);
        for (unsigned r = 0; r < rounds; r++)
            arms[0].ns[r] -= arms[1].ns[r]; /* neighbours in time: what they share goes out */
        for (size_t i = 0; i < 3; i++)
            ns[i] = clock_median(arms[i].ns, rounds);
        printf("%s\n  {\"to_b\": %zu, \"copied_b\": %zu, \"ns\": %.2f, \"memcpy_ns\": %.2f}", k ? "," : "",
               growers[k].to_b, n, ns[0], ns[2]);
        free(copy.to);
        free(copy.from);
    }
    printf("]");
}

int measure_all(unsigned rounds)
{
    const char *why;

    measure_must(amp_stack_create(NULL, &warm, &why), "a warm stack");
    printf("{");
    measure_trails(kinds, N_KINDS);
    printf(",\n");
    measure_walks(kinds, N_KINDS, rounds);
    printf(",\n");
    measure_growths(rounds);
    printf("}\n");
    measure_must(amp_stack_destroy(warm), "a warm stack");
    return 0;
}
