/* SPDX-License-Identifier: MIT
 *
 * Give a new object, a copy of a model, to the caller: return it, or write it where an out-parameter points.
 *
 *   return_out         value     callee --[first ... last]--> caller's local      in registers up to 16 B, else written
 *                                                                                 by the callee into the caller's frame
 *                      pointer   caller --[ & ]--> callee,  [first ... last] written through it into the same local
 *
 *   return_out_stored  value     callee --[first ... last]--> temporary --copy--> object     N bytes more, above 16 B
 *                      pointer   caller --[ & ]--> callee,  [first ... last] written through it into the object
 *
 * Same on both sides:  the model, the bytes that are written for the new object (all) and read by the caller (two
 *                      words), a call that is not inlined.
 * Different:           how the object comes back. Above 16 B both are one thing, since the ABI returns such a value
 *                      through a hidden pointer; but only into memory that nobody else can see. So gcc loads all of
 *                      the model before it stores (up to 256 B), where an out-parameter, which may overlap the model,
 *                      is filled move by move. In return_out_stored the object exists before, and others know its
 *                      address: the callee might read the old object while it makes the new one, so a compiler has
 *                      the value made elsewhere, and copies it.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/return_out.c"
#ifndef AMP_SUBJECT_ONLY
#define AMP_SUBJECT_ONLY(n) ((n) <= 64 || (n) == 256 || (n) == 264 || (n) == 1024 || (n) == 4096)
#endif
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define make_value AMP_NAME(make_value)
#define make_out AMP_NAME(make_out)
#define store_value AMP_NAME(store_value)
#define store_out AMP_NAME(store_out)
#define run_out AMP_NAME(run_out)
#define run_stored_value AMP_NAME(run_stored_value)
#define run_stored_out AMP_NAME(run_stored_out)
#define pair_of_objects AMP_NAME(pair_of_objects)
#define set_up_both AMP_NAME(set_up_both)
#define tear_down_both AMP_NAME(tear_down_both)

static AMP_NOINLINE subject make_value(const subject *model)
{
    return *model;
}

static AMP_NOINLINE void make_out(subject *out, const subject *model)
{
    *out = *model;
}

/* The same again for the other pair, so that the layouts of the pairs are independent. */
static AMP_NOINLINE subject store_value(const subject *model)
{
    return *model;
}

static AMP_NOINLINE void store_out(subject *out, const subject *model)
{
    *out = *model;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *model = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(model); /* the compiler must believe that the model may have changed */
        const subject object = make_value(model);
        sum += amp_ends(&object);
    }
    return sum;
}

static uint64_t run_out(void *fixture, uint64_t ops)
{
    const subject *model = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject object;

        amp_keep(model);
        make_out(&object, model);
        sum += amp_ends(&object);
    }
    return sum;
}

struct pair_of_objects {
    subject *model, *object;
};

static uint64_t run_stored_value(void *fixture, uint64_t ops)
{
    const struct pair_of_objects *pair = fixture;
    const subject *model = amp_object(pair->model);
    subject *object = amp_object(pair->object);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        *object = store_value(model);
        amp_keep(object); /* others may look at it */
        sum += amp_ends(object);
    }
    return sum;
}

static uint64_t run_stored_out(void *fixture, uint64_t ops)
{
    const struct pair_of_objects *pair = fixture;
    const subject *model = amp_object(pair->model);
    subject *object = amp_object(pair->object);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        store_out(object, model);
        amp_keep(object);
        sum += amp_ends(object);
    }
    return sum;
}

static void *set_up_both(size_t size)
{
    struct pair_of_objects *pair = amp_alloc(sizeof *pair);

    *pair = (struct pair_of_objects){ amp_object_set_up(size), amp_object_set_up(size) };
    return pair;
}

static void tear_down_both(void *fixture)
{
    struct pair_of_objects *pair = fixture;

    amp_object_tear_down(pair->model);
    amp_object_tear_down(pair->object);
    free(pair);
}

AMP_PAIR(return_out,
         .question = "What does it cost to return a new object by value, and what to fill it through an "
                     "out-parameter?",
         .value = { run_value, .calls = AMP_SUBJECT_CALLS("make_value", ""), .copied_b_per_op = AMP_PASSED_B,
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_out, .calls = AMP_SUBJECT_CALLS("make_out", ""), .copied_b_per_op = sizeof(subject),
                      .set_up = amp_object_set_up, .tear_down = amp_object_tear_down, .label = "out-parameter" },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_NEITHER, .text = "Return new objects by value." }));

AMP_PAIR(return_out_stored,
         .question = "What does it cost to assign a returned object to one that others can see, and what to fill that "
                     "through an out-parameter?",
         .value = { run_stored_value, .calls = AMP_SUBJECT_CALLS("store_value", ""),
                    .copied_b_per_op = 2 * AMP_PASSED_B, .set_up = set_up_both, .tear_down = tear_down_both },
         .pointer = { run_stored_out, .calls = AMP_SUBJECT_CALLS("store_out", ""), .copied_b_per_op = sizeof(subject),
                      .set_up = set_up_both, .tear_down = tear_down_both, .label = "out-parameter" },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS({ AMP_POINTER, .from = 264, .text = "Fill a large object that exists already." }));

#endif
