/* SPDX-License-Identifier: MIT
 *
 * The walk that prints itself: each call has a line printed on the host stack, while its frame stands still. */
#include "benchmarks/stack/walk.h"
#include "harness/stack/stack.h"

struct told {
    const struct walk *walk;
    const struct string *s;
    unsigned depth;
};

static uint64_t tell(void *arg)
{
    const struct told *t = arg;

    walk_tell(t->walk, t->depth, t->s);
    return t->depth;
}

#define FUNCTION(type, name, frame, ...) AMP_GROWS(type, name, frame + 64, __VA_ARGS__)
#define VISIT(walk, depth, s)                                                                                          \
    ((walk)->seen[depth] = (s), amp_stack_call(tell, &(struct told){ (walk), (s), depth }) +                           \
                                    (unsigned char) (s)->text[0] + (s)->length)
#define KIND _live_
#define TABLE _live
#include "benchmarks/stack/kernels.h"
