/* SPDX-License-Identifier: MIT
 *
 * `pass` and `factory` with their callees in another file, optimised when they are linked (-flto).
 *
 *   compiled alone    lto.c [ kernel ] --call--> [ callee ] lto_callees.c      as in `pass` and `factory`
 *   with -flto              [ kernel + callee ]                                inlined across the files
 *
 * Same on both sides:  what `pass` and `factory` have the same.
 * Different:           as there; but the optimizer in the linker sees both files and inlines the callees, as in
 *                      pass_inlined and factory_inlined.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/build/lto.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 64 || (n) == 4096)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define take_value AMP_NAME(lto_take_value)
#define take_pointer AMP_NAME(lto_take_pointer)
#define make_value AMP_NAME(lto_make_value)
#define make_pointer AMP_NAME(lto_make_pointer)
#define run_factory_value AMP_NAME(run_factory_value)
#define run_factory_pointer AMP_NAME(run_factory_pointer)

uint64_t take_value(subject object);
uint64_t take_pointer(const subject *object);
subject make_value(const subject *model);
subject *make_pointer(const subject *model);

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_value(*object);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += take_pointer(object);
    }
    return sum;
}

static uint64_t run_factory_value(void *fixture, uint64_t ops)
{
    const subject *model = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(model);
        const subject object = make_value(model);
        sum += amp_ends(&object);
    }
    return sum;
}

static uint64_t run_factory_pointer(void *fixture, uint64_t ops)
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

AMP_PAIR(pass_lto,
         .question = "With -flto, what does it cost to pass an argument to a function in another file by value, and "
                     "what by pointer?",
         .value = { run_value, .calls = "", .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_pointer, .calls = "", .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "With -flto, write what reads best for small functions in other files, as within one file." }),
         .prefer = "Calls into libraries and through pointers are not inlined: `pass` applies to them.");

AMP_PAIR(factory_lto,
         .question = "With -flto, what does a new object from another file cost as a value, and what as a pointer to "
                     "the heap?",
         .value = { run_factory_value, .calls = "", .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .pointer = { run_factory_pointer, .calls = "malloc free", .copied_b_per_op = sizeof(subject),
                      .set_up = amp_object_set_up, .tear_down = amp_object_tear_down,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Return values: parts that nobody reads are never made, even across files. The allocation "
                      "stays." }));

#endif
