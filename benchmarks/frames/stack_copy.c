/* SPDX-License-Identifier: MIT
 *
 * Pass an array down a recursion of ten calls: by value, or by pointer. The address of a string goes with it, and each
 * call writes down the address that it got.
 *
 *   run        s = "HELLO" <---.                     run        s = "HELLO" <---.
 *   depth 0    &s [array] -----'                     depth 0    &s  & ----------'--> [array]
 *   depth 1    &s [array]                            depth 1    &s  & -------------> [array]
 *   ...           a copy a call                      ...
 *   depth 9    &s [array]        value               depth 9    &s  & -------------> [array]    pointer
 *
 * Same on both sides:  ten calls, the string, the two elements that each call reads, the note of the address.
 * Different:           10 * N elements copied, and a stack as deep as that; or ten pointers.
 *
 * A stack that grows by moving has to change every such address when it moves, and the written addresses show where. A
 * C stack does not move, so here all ten are the same. The size is N, the number of 64-bit elements. The checksum
 * contains depths, text and elements, but no address.
 */
#ifndef ELEMENTS

#include "harness/kernel.h"

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

#undef AMP_SUFFIX
#define AMP_SUFFIX AMP_NAME_(_, ELEMENTS)
#define array AMP_NAME(array)
#define fixture AMP_NAME(fixture)
#define walk_value AMP_NAME(walk_value)
#define walk_pointer AMP_NAME(walk_pointer)
#define run_value AMP_NAME(run_value)
#define run_pointer AMP_NAME(run_pointer)
#define set_up_array AMP_NAME(set_up_array)

#define ELEMENTS 1
#include "benchmarks/frames/stack_copy.c"
#define ELEMENTS 16
#include "benchmarks/frames/stack_copy.c"
#define ELEMENTS 64
#include "benchmarks/frames/stack_copy.c"
#define ELEMENTS 256
#include "benchmarks/frames/stack_copy.c"
#define ELEMENTS 1024
#include "benchmarks/frames/stack_copy.c"

#else /* the lesson, for one number of elements */

struct array {
    int64_t element[ELEMENTS];
};

#define COPIED_B (sizeof(struct array) > 16 ? DEPTH * sizeof(struct array) : 0) /* else it goes in registers */

struct fixture {
    struct trail trail;
    struct array array;
};

static AMP_NOINLINE uint64_t walk_value(const struct string *s, struct trail *trail, unsigned depth, struct array a)
{
    uint64_t sum = visit(trail, depth, s) + (uint64_t) (a.element[0] + a.element[ELEMENTS - 1]);

    if (depth + 1 < DEPTH)
        sum += walk_value(s, trail, depth + 1, a);
    amp_keep(s); /* work after the call, so that the compiler does not make a loop of it */
    return sum;
}

static AMP_NOINLINE uint64_t walk_pointer(const struct string *s, struct trail *trail, unsigned depth,
                                          const struct array *a)
{
    uint64_t sum = visit(trail, depth, s) + (uint64_t) (a->element[0] + a->element[ELEMENTS - 1]);

    if (depth + 1 < DEPTH)
        sum += walk_pointer(s, trail, depth + 1, a);
    amp_keep(s);
    return sum;
}

static uint64_t run_value(void *memory, uint64_t ops)
{
    struct fixture *f = memory;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += walk_value(&s, &f->trail, 0, f->array);
    return sum;
}

static uint64_t run_pointer(void *memory, uint64_t ops)
{
    struct fixture *f = memory;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += walk_pointer(&s, &f->trail, 0, &f->array);
    return sum;
}

static void *set_up_array(size_t elements)
{
    struct fixture *f = amp_alloc(sizeof *f);

    memset(&f->trail, 0, sizeof f->trail);
    for (size_t i = 0; i < elements; i++)
        f->array.element[i] = (int64_t) i + 1;
    return f;
}

AMP_PAIR(stack_copy,
         .question = "What does it cost to pass an array down a recursion by value, and what by pointer?",
         .value = { run_value, .calls = "walk_value*10", .copied_b_per_op = COPIED_B,
                    .set_up = set_up_array, .tear_down = free },
         .pointer = { run_pointer, .calls = "walk_pointer*10", .set_up = set_up_array, .tear_down = free },
         .sizes = AMP_SIZES(ELEMENTS), .size_unit = "elements",
         AMP_CLAIMS({ AMP_NEITHER, .to = 1, .text = "What fits into registers can go down by value." },
                    { AMP_POINTER, .from = 16, .text =
                      "Pass everything else that goes through several calls by pointer, since each call would copy "
                      "it again." }));

#undef COPIED_B
#undef ELEMENTS
#endif
