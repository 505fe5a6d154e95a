/* SPDX-License-Identifier: MIT
 *
 * ampersand-stack-split [rounds]: the walk on segmented stacks, as JSON. It runs on a thread, of whose stack
 * libgcc uses the first 16000 B, so that segments are needed then. All of this program but libc is compiled with
 * -fsplit-stack.
 *
 * Where a loop's call happens to need a segment that its return gives back, each call pays for one: the hot split. It
 * is looked for by going down further and further before the loop. */
#include "benchmarks/stack/clock.h"
#include "benchmarks/stack/measure.h"
#include "harness/kernel.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#define THREAD_B ((size_t) 64 << 10)
#define STARTS 160 /* of 128 B each: more than the thread's stack has */
#define HOT_ROUNDS 12

/* Of libgcc. A thread's free segments are used again if they hold the frame, whether or not they hold the by-value
 * arguments, too (gcc 12, __generic_morestack): so what one walk left is freed before the next. */
struct stack_segment;
extern __thread struct stack_segment *__morestack_segments;
struct dynamic_allocation_blocks;
struct dynamic_allocation_blocks *__morestack_release_segments(struct stack_segment **segments, int free_dynamic);

static uint64_t run_here(uint64_t (*ops)(void *), struct walk *walk, uint64_t n)
{
    walk->ops = n;
    return ops(walk);
}

static void prepare(void)
{
    __morestack_release_segments(&__morestack_segments, 1);
}

static const struct kind kind = { "split", walk_split, run_here, prepare };

void measure_must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "ampersand: stack: %s: %s\n", what, strerror(-error));
    exit(1);
}

static AMP_NOINLINE uint64_t descend(unsigned n, struct arm *arm)
{
    char room[96];
    uint64_t sum = 0;

    amp_keep(room);
    if (n > 0)
        sum = descend(n - 1, arm);
    else
        clock_rounds(arm, 1, 1, HOT_ROUNDS);
    amp_keep(room);
    return sum + n;
}

static uint64_t run_pointer(void *context, uint64_t ops)
{
    return run_here(walk_split[0].pointer, context, ops);
}

static void measure_hot(void)
{
    static const int64_t element = 1;
    static struct walk walk = { .depth = 10, .elements = &element }; /* 480 B: more than one start to the next */
    static struct arm arm = { .run = run_pointer, .context = &walk };
    double most = 0, least = 1e12;

    for (unsigned n = 0; n < STARTS; n++) {
        double ns;

        descend(n, &arm);
        ns = clock_median(arm.ns, HOT_ROUNDS);
        most = ns > most ? ns : most;
        least = ns < least ? ns : least;
    }
    printf("\"hot_split_op_ns\": {\"least\": %.3f, \"most\": %.3f}", least, most);
}

static void *measure(void *rounds)
{
    printf("{");
    measure_trails(&kind, 1);
    printf(",\n");
    measure_walks(&kind, 1, *(unsigned *) rounds);
    printf(",\n");
    measure_hot();
    printf("}\n");
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned) atoi(argv[1]) : 100;
    pthread_attr_t small;
    pthread_t thread;

    if (rounds < 1 || rounds > ARM_ROUNDS_MAX) {
        fprintf(stderr, "ampersand: stack: %s: rounds from 1 to %d\n", argv[1], ARM_ROUNDS_MAX);
        return 2;
    }
    measure_must(-pthread_attr_init(&small), "a thread");
    measure_must(-pthread_attr_setstacksize(&small, THREAD_B), "a thread");
    measure_must(-pthread_create(&thread, &small, measure, &rounds), "a thread");
    measure_must(-pthread_join(thread, NULL), "a thread");
    return 0;
}
