/* SPDX-License-Identifier: MIT
 *
 * Pairs whose compiled code calls or copies otherwise than they declare. */
#include "harness/kernel.h"

struct object {
    uint64_t words[12];
};

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const struct object *object = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct object copy = *object;

        amp_keep(&copy);
        sum += copy.words[0];
        free(NULL);
    }
    return sum;
}

static void *set_up(size_t size)
{
    return memset(amp_alloc(size), 1, size);
}

/* What the pointer side declares; its code calls free() once, and copies the object. */
#define PAIR(name, ...)                                                                                                \
    AMP_PAIR(name, .question = "Is a wrong declaration noticed?",                                                      \
             .value = { run_value, .calls = "free", .copied_b_per_op = sizeof(struct object), .set_up = set_up,  \
                        .tear_down = free },                                                                           \
             .pointer = { run_value, __VA_ARGS__, .set_up = set_up, .tear_down = free },                               \
             .sizes = AMP_SIZES(sizeof(struct object)))

PAIR(as_declared, .calls = "free", .copied_b_per_op = sizeof(struct object));
PAIR(nothing_declared, .calls = NULL, .copied_b_per_op = 1);
PAIR(no_copy_declared, .calls = "free", .copied_b_per_op = 0);
PAIR(two_copies_declared, .calls = "free*", .copied_b_per_op = 2 * sizeof(struct object));
PAIR(no_call_declared, .calls = "", .copied_b_per_op = sizeof(struct object));
PAIR(two_calls_declared, .calls = "free*2", .copied_b_per_op = sizeof(struct object));
PAIR(not_readable, .calls = "free()", .copied_b_per_op = sizeof(struct object));
