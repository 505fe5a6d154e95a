/* SPDX-License-Identifier: MIT
 *
 * Pass an object to a function that knows its type, or put it into a box for any type: a table of functions, and the
 * object's address. Go calls that an interface; C programs use `void *` with callbacks.
 *
 *   value                 caller --[first ... last]--> ask_ends_of()       N bytes copied, a direct call
 *
 *   pointer  ask_box      { table, & } --> table->ends(&)              N bytes copied to the heap, 1 allocation,
 *                                  `--> [first ... last] on the heap   a call through the table
 *
 *            ask_box_here { table, & } --> table->ends(&)              nothing copied: the box lends the caller's
 *                                  `--> [first ... last] the caller's  object, a call through the table
 *
 * Same on both sides:  the object, and the two bytes of it that are read.
 * Different:           who knows the type, where the object lives, and how the call finds its function.
 */
#include "harness/kernel.h"
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

struct ask_table {
    uint64_t (*ends)(const void *data);
};

struct ask_any {
    const struct ask_table *table;
    void *data;
};

static AMP_NOINLINE uint64_t ask_ends_of(subject object)
{
    return amp_ends(&object);
}

static AMP_NOINLINE uint64_t ask_ends_of_any(const void *data)
{
    return amp_ends((const subject *) data);
}

static const struct ask_table ask_subject_table = { ask_ends_of_any };

static uint64_t ask_run_direct(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += ask_ends_of(*object);
    }
    return sum;
}

/* Each call reads the function from the box, as a caller must who knows only the box. */
static AMP_ALWAYS_INLINE uint64_t ask_call_box(struct ask_any *box)
{
    amp_keep(box);
    return box->table->ends(box->data);
}

static uint64_t ask_run_boxed(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *copy = amp_alloc(sizeof *copy);
        struct ask_any box = { &ask_subject_table, copy };

        amp_keep(object);
        *copy = *object;
        sum += ask_call_box(&box);
        free(copy);
    }
    return sum;
}

static uint64_t ask_run_lent(void *fixture, uint64_t ops)
{
    subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        struct ask_any box = { &ask_subject_table, object };

        amp_keep(object);
        sum += ask_call_box(&box);
    }
    return sum;
}

AMP_PAIR(ask_box,
         .question = "What does a direct call with the object cost, and what a box that keeps a copy on the heap?",
         .value = { ask_run_direct, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { ask_run_boxed, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down, .allocs_per_op = 1,
                      .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SUBJECT_SIZES);

AMP_PAIR(ask_box_here,
         .question = "What does a direct call with the object cost, and what a box that holds its address?",
         .value = { ask_run_direct, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { ask_run_lent, .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES);

#endif
