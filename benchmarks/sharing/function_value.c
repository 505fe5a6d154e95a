/* SPDX-License-Identifier: MIT
 *
 * Call a function for each element of an array: by its name, or through a pointer to it.
 *
 *   value     for each:  call step                      pointer   for each:  call *f      f --> step
 *
 *   function_value          the callee stays a function on both sides: what does the indirection itself cost?
 *   function_value_inlined  the direct call may be inlined; through a pointer it cannot be: what does it cost that the
 *                           compiler does not know the callee?
 *
 * Same on both sides:  the array, the arithmetic, one callee throughout, so that the processor predicts it.
 * Different:           whether the compiler knows the callee. Neither side allocates: a function pointer in C captures
 *                      nothing, while Go's function values may move what they capture to the heap. clang also
 *                      vectorizes the inlined loop, so function_value_inlined is more than a call there.
 *
 * An operation is a walk over the array, the size the number of elements.
 */
#include "harness/kernel.h"

struct array {
    size_t n;
    uint64_t element[];
};

static AMP_NOINLINE uint64_t step_value(uint64_t x)
{
    return 3 * x + 1;
}

static AMP_NOINLINE uint64_t step_pointer(uint64_t x)
{
    return 3 * x + 1;
}

static inline uint64_t step_inlined(uint64_t x)
{
    return 3 * x + 1;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const struct array *array = fixture;
    const size_t n = array->n;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(array);
        for (size_t k = 0; k < n; k++)
            sum += step_value(array->element[k]);
    }
    return sum;
}

static uint64_t run_inlined(void *fixture, uint64_t ops)
{
    const struct array *array = fixture;
    const size_t n = array->n;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(array);
        for (size_t k = 0; k < n; k++)
            sum += step_inlined(array->element[k]);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const struct array *array = fixture;
    const size_t n = array->n;
    uint64_t (*step)(uint64_t) = step_pointer, sum = 0;

    __asm__("" : "+r"(step)); /* for the compiler it may be any function */
    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(array);
        for (size_t k = 0; k < n; k++)
            sum += step(array->element[k]);
    }
    return sum;
}

static void *set_up(size_t n)
{
    struct array *array = amp_alloc(sizeof *array + n * sizeof array->element[0]);

    array->n = n;
    for (size_t k = 0; k < n; k++)
        array->element[k] = k;
    return array;
}

AMP_PAIR(function_value,
         .question = "What does a call cost by name, and what through a function pointer, if neither is inlined?",
         .value = { run_value, .calls = "step_value*", .label = "name", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "(*)*", .label = "function pointer", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(16, 1024), .size_unit = "elements",
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Pass a function pointer if callers need different functions: by the processor, a predicted "
                      "indirect call costs as much as a direct one, or less than a nanosecond more." }),
         .prefer = "But it cannot be inlined, see function_value_inlined.");

AMP_PAIR(function_value_inlined,
         .question = "What does an inlined call cost, and what does a function pointer cost that prevents inlining?",
         .value = { run_inlined, .calls = "", .label = "inlined", .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .calls = "(*)*", .label = "function pointer", .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(16, 1024), .size_unit = "elements",
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "In a tight loop with a small step, let the compiler see the step: call it by name, or make "
                      "the loop itself inline." }),
         .prefer = "Use a pointer for steps that take much longer than a call.");
