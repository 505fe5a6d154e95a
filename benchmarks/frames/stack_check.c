/* SPDX-License-Identifier: MIT
 *
 * Ten nested calls: without the check that a growable stack needs, and with it. The body is the same.
 *
 *   value     call -> body                                         pointer    call -> check -> body
 *
 * Same on both sides:  ten calls, the string, what each call reads, the note of the address. Both run on the thread's
 *                      own stack, where the check never fails.
 * Different:           a comparison of the stack pointer with the limit, and a jump: three instructions a call. */
#include "harness/kernel.h"
#include "harness/stack/stack.h"

#define DEPTH 10

struct string {
    const char *text;
    size_t length;
};

struct fixture {
    const struct string *seen[DEPTH];
    int64_t element;
};

static inline uint64_t visit(struct fixture *f, unsigned depth, const struct string *s)
{
    f->seen[depth] = s;
    return depth + (unsigned char) s->text[0] + s->length;
}

#define WALK(name)                                                                                                     \
    {                                                                                                                  \
        uint64_t sum = visit(f, depth, s) + (uint64_t) element;                                                        \
                                                                                                                       \
        if (depth + 1 < DEPTH)                                                                                         \
            sum += name(s, f, depth + 1, element);                                                                     \
        amp_keep(s);                                                                                                   \
        return sum;                                                                                                    \
    }

static AMP_NOINLINE uint64_t walk(const struct string *s, struct fixture *f, unsigned depth, int64_t element)
    WALK(walk)

AMP_GROWS(uint64_t, walk_checked, 128, const struct string *s, struct fixture *f, unsigned depth, int64_t element)
    WALK(walk_checked)

static uint64_t run_value(void *memory, uint64_t ops)
{
    struct fixture *f = memory;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += walk(&s, f, 0, f->element);
    return sum;
}

static uint64_t run_pointer(void *memory, uint64_t ops)
{
    struct fixture *f = memory;
    const struct string s = { "HELLO", 5 };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--)
        sum += walk_checked(&s, f, 0, f->element);
    return sum;
}

static void *set_up(size_t size)
{
    struct fixture *f = amp_alloc(sizeof *f);

    memset(f, 0, sizeof *f);
    f->element = (int64_t) size;
    return f;
}

AMP_PAIR(stack_check,
         .question = "What do ten calls cost without the check of a stack that grows (value), and with it (pointer)?",
         .value = { run_value, .calls = "walk*10", .label = "unchecked", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "walk_checked* amp_stack_more*", .label = "checked", .set_up = set_up,
                      .tear_down = free },
         .sizes = AMP_SIZES(1), .size_unit = "elements",
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "A growing stack's check costs next to nothing on some processors, a quarter of a nanosecond a "
                      "call on others." }),
         .prefer = "Use growing stacks for many stacks of which few get deep.");
