/* SPDX-License-Identifier: MIT
 *
 * A mutator under ampersand's collector, whose stack grows. Prints each cycle's stops by its own clock, then how often
 * the stack has grown. */
#include "harness/gc/gc.h"

#include <inttypes.h>
#include <stdio.h>

struct node {
    struct node *next;
    uint64_t words[7];
};

static unsigned type;

static unsigned ended;

static void cycle(void *arg, const struct amp_gc_cycle *c)
{
    (void) arg;
    __atomic_store_n(&ended, (unsigned) c->number, __ATOMIC_RELAXED);
    printf("cycle %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", c->stop1_ns, c->go1_ns, c->stop2_ns, c->go2_ns);
}

AMP_GROWS(uint64_t, deep, 600, uint64_t depth)
{
    volatile uint64_t words[32] = { depth };

    return depth == 0 ? 0 : words[0] + deep(depth - 1);
}

AMP_GROWS(uint64_t, churn, 256, void *arg)
{
    struct node *head = NULL, *node;

    (void) arg;
    deep(40);
    for (unsigned i = 0; i < 400000 || __atomic_load_n(&ended, __ATOMIC_RELAXED) < 3; i++) {
        node = amp_gc_alloc(type);
        if (!node)
            return 1;
        amp_gc_store(&node->next, i % 1000 ? head : NULL);
        head = node;
    }
    return 0;
}

int main(void)
{
    static const uint16_t pointers[] = { 0 };
    struct amp_gc_limits limits = AMP_GC_DEFAULTS;
    struct amp_gc *gc;
    uint64_t result = 1;
    const char *why = "";

    limits.trace.cycle = cycle;
    if (amp_gc_create(&limits, &gc, &why) ||
        amp_gc_type_add(gc, &(struct amp_gc_type){ "node", sizeof(struct node), pointers, 1 }, &type)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    if (amp_gc_run(gc, "churn", churn, NULL, &result) || result != 0)
        fprintf(stderr, "%s\n", amp_gc_message(gc));
    return amp_gc_destroy(gc) || result != 0;
}
