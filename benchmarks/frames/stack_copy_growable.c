/* SPDX-License-Identifier: MIT
 *
 * stack_copy on a stack that grows by moving (harness/stack/stack.h): the same ten calls, and in each a check whether
 * the frame fits. If it does not, everything on the stack is copied to one of twice the size. The string at the top
 * moves, and all its addresses change.
 *
 *   stack_copy_growable   one stack for all operations, grown in the first: ten checks, no copy of the stack
 *   stack_copy_fresh      a stack of 2 KiB for each operation (stack_copy_fresh.c, which includes this file)
 *
 *     2K  [s]          doubled until the next     16K  [s a a]       ...     128K  [s a a a a a a a a a a a]
 *                      array and 928 B fit -->
 *
 * Same on both sides:  ten calls and checks, the string, the two elements that each call reads, the note of the
 * address.
 * Different:           10 * N elements copied, and a stack that has to grow for them; or ten pointers and no growth
 *                      (N = 1024: four growths, to 16, 32, 64 and 128 KiB, 92 KB moved). The check of a frame over
 *                      128 B takes one instruction more. */
#ifndef ELEMENTS

#include "harness/kernel.h"
#include "harness/stack/stack.h"

#define DEPTH 10

struct string {
    const char *text;
    size_t length;
};

/* The first member of every fixture here. */
struct trail {
    const struct string *seen[DEPTH]; /* the string's address as each call was given it, in the last walk */
};

static inline uint64_t visit(struct trail *trail, unsigned depth, const struct string *s)
{
    trail->seen[depth] = s;
    return depth + (unsigned char) s->text[0] + s->length;
}

static inline void must(int error)
{
    if (__builtin_expect(error != 0, 0))
        _exit(AMP_EXIT_NO_MEMORY);
}

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, ELEMENTS)
#define array AMP_NAME(array)
#define fixture AMP_NAME(fixture)
#define job AMP_NAME(job)
#define walk_value AMP_NAME(walk_value)
#define walk_pointer AMP_NAME(walk_pointer)
#define loop_value AMP_NAME(loop_value)
#define loop_pointer AMP_NAME(loop_pointer)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)
#define run AMP_NAME(run)
#define set_up_array AMP_NAME(set_up_array)
#define tear_down_array AMP_NAME(tear_down_array)

#define ELEMENTS 1
#include "benchmarks/frames/stack_copy_growable.c"
#define ELEMENTS 16
#include "benchmarks/frames/stack_copy_growable.c"
#define ELEMENTS 64
#include "benchmarks/frames/stack_copy_growable.c"
#define ELEMENTS 256
#include "benchmarks/frames/stack_copy_growable.c"
#define ELEMENTS 1024
#include "benchmarks/frames/stack_copy_growable.c"

#else /* the lesson, for one number of elements */

struct array {
    int64_t element[ELEMENTS];
};

struct fixture {
    struct trail trail;
    struct amp_stack *stack;
    struct array array;
};

/* What a run hands to the function that runs on the stack. */
struct job {
    struct fixture *f;
    uint64_t ops;
};

AMP_GROWS(uint64_t, walk_value, 8 * ELEMENTS + 120, const struct string *s, struct trail *trail, unsigned depth,
          struct array a)
{
    uint64_t sum = visit(trail, depth, s) + (uint64_t) (a.element[0] + a.element[ELEMENTS - 1]);

    if (depth + 1 < DEPTH)
        sum += walk_value(s, trail, depth + 1, a);
    amp_keep(s); /* work after the call, so that the compiler does not make a loop of it */
    return sum;
}

AMP_GROWS(uint64_t, walk_pointer, 96, const struct string *s, struct trail *trail, unsigned depth,
          const struct array *a)
{
    uint64_t sum = visit(trail, depth, s) + (uint64_t) (a->element[0] + a->element[ELEMENTS - 1]);

    if (depth + 1 < DEPTH)
        sum += walk_pointer(s, trail, depth + 1, a);
    amp_keep(s);
    return sum;
}

AMP_GROWS(uint64_t, loop_value, 8 * ELEMENTS + 136, void *arg)
{
    const struct job *j = arg;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = j->ops; i > 0; i--)
        sum += walk_value(&s, &j->f->trail, 0, j->f->array);
    return sum;
}

AMP_GROWS(uint64_t, loop_pointer, 128, void *arg)
{
    const struct job *j = arg;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = j->ops; i > 0; i--)
        sum += walk_pointer(&s, &j->f->trail, 0, &j->f->array);
    return sum;
}

#ifdef STACK_COPY_FRESH
static inline uint64_t run(amp_stack_fn *loop, struct fixture *f, uint64_t ops)
{
    struct job once = { f, 1 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct amp_stack *stack;
        const char *why;
        uint64_t one = 0;

        must(amp_stack_create(NULL, &stack, &why));
        must(amp_stack_run(stack, loop, &once, &one));
        must(amp_stack_destroy(stack));
        sum += one;
    }
    return sum;
}
#else
static inline uint64_t run(amp_stack_fn *loop, struct fixture *f, uint64_t ops)
{
    struct job j = { f, ops };
    uint64_t sum = 0;

    must(amp_stack_run(f->stack, loop, &j, &sum));
    return sum;
}
#endif

static uint64_t run_value(void *memory, uint64_t ops)
{
    return run(loop_value, memory, ops);
}

static uint64_t run_pointer(void *memory, uint64_t ops)
{
    return run(loop_pointer, memory, ops);
}

static void *set_up_array(size_t elements)
{
    struct fixture *f = amp_alloc(sizeof *f);
    const char *why;

    memset(&f->trail, 0, sizeof f->trail);
    for (size_t i = 0; i < elements; i++)
        f->array.element[i] = (int64_t) i + 1;
    must(amp_stack_create(NULL, &f->stack, &why));
    return f;
}

static void tear_down_array(void *memory)
{
    struct fixture *f = memory;

    must(amp_stack_destroy(f->stack));
    free(f);
}

#ifdef STACK_COPY_FRESH
AMP_PAIR(stack_copy_fresh,
         .question = "The same with a new stack of 2 KiB for each operation: what does the array cost by value and by "
                     "pointer?",
         .value = { run_value, .set_up = set_up_array, .tear_down = tear_down_array, .allocs_per_op = 1,
                    .bytes_per_op = AMP_STACK_OBJECT_B },
         .pointer = { run_pointer, .set_up = set_up_array, .tear_down = tear_down_array, .allocs_per_op = 1,
                    .bytes_per_op = AMP_STACK_OBJECT_B },
         .sizes = AMP_SIZES(ELEMENTS), .size_unit = "elements",
         AMP_CLAIMS({ AMP_NEITHER, .to = 1, .text =
                      "What fits into registers can go down by value, on new stacks too." },
                    { AMP_POINTER, .from = 16, .text =
                      "Pass pointers on new stacks: arrays by value make the stack grow, and each time it moves, all "
                      "of them are copied again." }));
#else
AMP_PAIR(stack_copy_growable,
         .question = "The same on a stack that grows, where every call checks: what does the array cost by value and "
                     "by pointer?",
         .value = { run_value, .set_up = set_up_array, .tear_down = tear_down_array },
         .pointer = { run_pointer, .set_up = set_up_array, .tear_down = tear_down_array },
         .sizes = AMP_SIZES(ELEMENTS), .size_unit = "elements",
         AMP_CLAIMS({ AMP_NEITHER, .to = 1, .text =
                      "What fits into registers can go down by value, as on any stack." },
                    { AMP_POINTER, .from = 16, .text =
                      "Pass larger objects by pointer. Once the stack has grown, a call pays only for the check." }));
#endif

#undef ELEMENTS
#endif
