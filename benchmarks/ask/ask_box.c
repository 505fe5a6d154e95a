/* SPDX-License-Identifier: MIT
 *
 * Put an object into a box for any type: a table of functions, and the object's address. Go calls that an interface; C
 * programs use `void *` with callbacks. What it costs is asked in two parts, each of which changes one thing.
 *
 *   ask_dispatch  direct    & --> ask_ends_at(&)              a call of a function that knows the type
 *                 table     { table, & } --> table->ends(&)   a call through the table: two more loads
 *
 *   ask_box       in frame  { table, & } --> table->ends(&)            N bytes copied into the caller's frame
 *                                    `--> [first ... last] the frame's
 *                 on heap   { table, & } --> table->ends(&)            N bytes copied to the heap, 1 allocation
 *                                    `--> [first ... last] on the heap
 *
 * Same on both sides:  of ask_dispatch: the object, which stays where it is, and what of it is read. Of ask_box: the
 *                      copy, the box, the call through the table, and what is read.
 * Different:           of ask_dispatch: how the call finds its function. Of ask_box: where the copy lives, and the
 *                      allocation, which the heap side pays besides all that the other does.
 */
#include "harness/kernel.h"
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

struct ask_table {
    uint64_t (*ends)(const void *data);
};

struct ask_any {
    const struct ask_table *table;
    const void *data;
};

static AMP_NOINLINE uint64_t ask_ends_at(const void *data)
{
    return amp_ends((const subject *) data);
}

/* The same again for the other pair, so that the layouts of the pairs are independent. */
static AMP_NOINLINE uint64_t ask_ends_of_box(const void *data)
{
    return amp_ends((const subject *) data);
}

static const struct ask_table ask_subject_table = { ask_ends_at }, ask_box_table = { ask_ends_of_box };

static uint64_t ask_run_direct(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += ask_ends_at(object);
    }
    return sum;
}

/* Each call reads the function from the box, as a caller must who knows only the box. */
static AMP_ALWAYS_INLINE uint64_t ask_call_box(const struct ask_any *box)
{
    amp_keep(box);
    return box->table->ends(box->data);
}

/* A new box for each call, of an object that the compiler does not know to be the same: it would keep a box ready. */
static AMP_ALWAYS_INLINE uint64_t ask_call_in_box(const struct ask_table *table, const void *data)
{
    struct ask_any box;

    __asm__("" : "+r"(data));
    box = (struct ask_any){ table, data };
    return ask_call_box(&box);
}

static uint64_t ask_run_table(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    const struct ask_any box = { &ask_subject_table, object };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += ask_call_box(&box);
    }
    return sum;
}

static uint64_t ask_run_in_frame(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject copy;

        amp_keep(object);
        copy = *object;
        sum += ask_call_in_box(&ask_box_table, &copy);
    }
    return sum;
}

static uint64_t ask_run_on_heap(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *copy = amp_alloc(sizeof *copy);

        amp_keep(object);
        *copy = *object;
        sum += ask_call_in_box(&ask_box_table, copy);
        free(copy);
    }
    return sum;
}

AMP_PAIR(ask_dispatch,
         .question = "What does a direct call with the object's address cost, and what one through a table?",
         .value = { ask_run_direct, .calls = AMP_SUBJECT_CALLS("ask_ends_at", ""), .set_up = amp_object_set_up,
                    .tear_down = amp_object_tear_down, .label = "direct" },
         .pointer = { ask_run_table, .calls = AMP_SUBJECT_CALLS("(*)", ""), .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down, .label = "table" },
         .sizes = AMP_SUBJECT_SIZES);

AMP_PAIR(ask_box,
         .question = "What does a box cost whose copy is in the caller's frame, and what one with a copy on the heap?",
         .value = { ask_run_in_frame, .calls = AMP_SUBJECT_CALLS("(*)", ""), .copied_b_per_op = sizeof(subject),
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down, .label = "in frame" },
         .pointer = { ask_run_on_heap, .calls = AMP_SUBJECT_CALLS("(*)", "malloc free"),
                      .copied_b_per_op = sizeof(subject), .allocs_per_op = 1, .bytes_per_op = sizeof(subject),
                      .set_up = amp_object_set_up, .tear_down = amp_object_tear_down, .label = "on heap" },
         .sizes = AMP_SUBJECT_SIZES);

#endif
