/* SPDX-License-Identifier: MIT
 *
 * Return a new object, a copy of a model: by value, or as a new object on the heap.
 *
 *   value     callee --[first ... last]--> caller    in registers up to 16 B, else made in the caller's frame
 *   pointer   callee --[ & ]-------------> caller    8 bytes returned, 1 allocation, which the caller frees
 *                        `--> [first ... last] on the heap
 *
 * Same on both sides:  the model, the bytes of the new object that are written (all) and that the caller reads (two
 *                      words), a call that is not inlined.
 * Different:           where the object lives, and who must free it.
 *
 * The pointer side does all that the value side does, allocates and frees as well. So the lesson cannot ask which side
 * does less, only what the allocation costs beside the copy, and what another place for large objects changes. The
 * other way to give back an object without an allocation is an out-parameter: return_out.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/frames/factory.c"
#include "harness/subjects.h"

#ifndef FACTORY_CLAIMS
#define FACTORY_CLAIMS \
    { AMP_VALUE, .to = 1024, .text = "Return values: an allocation costs more than copying some hundred bytes." }
#endif

#ifndef FACTORY_QUESTION
#define FACTORY_QUESTION "What does it cost to return a new object by value, and what as a pointer to the heap?"
#endif

#ifdef AMP_INLINE /* only the words that are read are made */
#define FACTORY_COPIED_B 0
#else
#define FACTORY_COPIED_B AMP_PASSED_B
#endif

#ifdef AMP_SUBJECT

#define make_value AMP_NAME(make_value)
#define make_pointer AMP_NAME(make_pointer)

static AMP_NOINLINE subject make_value(const subject *model)
{
    return *model;
}

static AMP_NOINLINE subject *make_pointer(const subject *model)
{
    subject *object = amp_alloc(sizeof *object);

    *object = *model;
    return object;
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

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *model = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(model);
        subject *object = make_pointer(model);
        sum += amp_ends(object);
        free(object);
    }
    return sum;
}

AMP_PAIR(factory,
         .question = FACTORY_QUESTION,
         .value = { run_value, .calls = AMP_SUBJECT_CALLS("make_value", ""), .copied_b_per_op = FACTORY_COPIED_B,
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = AMP_SUBJECT_CALLS("make_pointer", "malloc free"),
                      .copied_b_per_op = sizeof(subject), .allocs_per_op = 1, .bytes_per_op = sizeof(subject),
                      .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .sizes = AMP_SUBJECT_SIZES,
         AMP_CLAIMS(FACTORY_CLAIMS));

#endif
