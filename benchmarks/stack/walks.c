/* SPDX-License-Identifier: MIT
 *
 * The walk, timed on every kind of stack side by side. */
#include "benchmarks/stack/clock.h"
#include "benchmarks/stack/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 4
#define DEPTH 10

static const unsigned depths[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 };
#define N_DEPTHS (sizeof depths / sizeof *depths)
#define SWEPT_SIZE 2 /* the depths are swept with 64 elements */

/* Between each two of these a fresh stack of 1024 elements grows: at the third call and at the seventh. */
static const unsigned around[] = { 2, 3, 6, 7 };
#define N_AROUND (sizeof around / sizeof *around)
#define LARGEST 4

static int64_t elements[4096];
static struct walk walks[2 * KINDS_MAX];

struct one {
    const struct kind *kind;
    uint64_t (*ops)(void *);
    struct walk *walk;
};

static uint64_t run_one(void *context, uint64_t ops)
{
    struct one *one = context;

    return one->kind->run(one->ops, one->walk, ops);
}

static void time_row(const struct kind *kinds, size_t n_kinds, size_t size, unsigned depth, unsigned rounds)
{
    static struct arm arms[2 * KINDS_MAX];
    struct one ones[2 * KINDS_MAX];
    uint64_t sum = 0;

    for (size_t i = 0; i < 2 * n_kinds; i++) {
        const struct kind *kind = &kinds[i / 2];

        walks[i].depth = depth;
        walks[i].elements = elements;
        if (i % 2 == 0 && kind->prepare)
            kind->prepare();
        ones[i] = (struct one){ kind, i % 2 ? kind->walkers[size].pointer : kind->walkers[size].value, &walks[i] };
        arms[i] = (struct arm){ .run = run_one, .context = &ones[i] };
        if (i == 0)
            sum = run_one(&ones[0], 3);
        if (run_one(&ones[i], 3) != sum) {
            fprintf(stderr, "ampersand: stack: %s: the kinds of stack disagree\n", kind->name);
            exit(1);
        }
    }
    clock_rounds(arms, 2 * n_kinds, 1, rounds);
    for (size_t i = 0; i < 2 * n_kinds; i++)
        printf("%s\n  {\"kind\": \"%s\", \"side\": \"%s\", \"elements\": %zu, \"depth\": %u, \"ns\": %.3f}",
               i || size || depth != DEPTH ? "," : "", ones[i].kind->name, i % 2 ? "pointer" : "value",
               kinds[0].walkers[size].elements, depth, clock_median(arms[i].ns, rounds));
}

void measure_walks(const struct kind *kinds, size_t n_kinds, unsigned rounds)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        elements[i] = (int64_t) i + 1;
    printf("\"walks\": [");
    for (size_t size = 0; size < WALK_SIZES - 1; size++)
        time_row(kinds, n_kinds, size, DEPTH, rounds);
    for (size_t d = 0; d < N_DEPTHS; d++)
        if (depths[d] != DEPTH)
            time_row(kinds, n_kinds, SWEPT_SIZE, depths[d], rounds);
    for (size_t d = 0; d < N_AROUND; d++)
        time_row(kinds, n_kinds, LARGEST, around[d], rounds);
    printf("]");
}

/* Where the string was at each call of one fresh operation, by value. */
void measure_trails(const struct kind *kinds, size_t n_kinds)
{
    printf("\"trails\": [");
    for (size_t size = 0; size < WALK_SIZES; size++)
        for (size_t i = 0; i < n_kinds; i++) {
            walks[i].depth = DEPTH;
            walks[i].elements = elements;
            if (kinds[i].prepare)
                kinds[i].prepare();
            kinds[i].run(kinds[i].walkers[size].value, &walks[i], 1);
            printf("%s\n  {\"kind\": \"%s\", \"elements\": %zu, \"addresses\": [", size || i ? "," : "", kinds[i].name,
                   kinds[i].walkers[size].elements);
            for (unsigned depth = 0; depth < DEPTH; depth++)
                printf("%s%zu", depth ? ", " : "", (size_t) (uintptr_t) walks[i].seen[depth]);
            printf("]}");
        }
    printf("]");
}
