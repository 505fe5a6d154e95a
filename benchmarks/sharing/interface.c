/* SPDX-License-Identifier: MIT
 *
 * Call a method on an object through an interface: a table of methods, and the address of the object.
 *
 *   interface            value     [ methods & ]--> copy [first ... last] on the heap, freed after the call
 *                        pointer   [ methods & ]--> the caller's object
 *
 *   interface_dispatch   value     [ methods & ]--> the caller's object, call method, by its name
 *                        pointer   [ methods & ]--> the caller's object, call *methods->method
 *
 * Same on both sides:  the object, the method, the two words that it reads. interface_dispatch: one call an operation,
 *                      and the address of the object, which is loaded from the box.
 * Different:           interface: whether the box holds a copy of the object or its address. The receiver may keep the
 *                      box, so a copy cannot be in a frame: 1 allocation. The pointer side does nothing that the value
 *                      side does not do, so this asks only what a copy in a box costs. interface_dispatch: two loads
 *                      more, of the table's address and of the method's, and a call through the latter. The compiler
 *                      knows no method, so it could not inline it either; function_value_inlined shows what that costs.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sharing/interface.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 16 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define methods AMP_NAME(methods)
#define box AMP_NAME(box)
#define speak_copy AMP_NAME(speak_copy)
#define speak_address AMP_NAME(speak_address)
#define speak_concrete AMP_NAME(speak_concrete)
#define copies AMP_NAME(copies)
#define addresses AMP_NAME(addresses)
#define say_copy AMP_NAME(say_copy)
#define say_address AMP_NAME(say_address)
#define run_concrete AMP_NAME(run_concrete)
#define speak_dispatched AMP_NAME(speak_dispatched)
#define dispatched AMP_NAME(dispatched)
#define run_dispatched AMP_NAME(run_dispatched)

struct methods {
    uint64_t (*speak)(const void *object);
};

struct box {
    const struct methods *methods_of;
    const void *object;
};

static AMP_NOINLINE uint64_t speak_copy(const void *object)
{
    return amp_ends(object);
}

static AMP_NOINLINE uint64_t speak_address(const void *object)
{
    return amp_ends(object);
}

static AMP_NOINLINE uint64_t speak_concrete(const void *object)
{
    return amp_ends(object);
}

static AMP_NOINLINE uint64_t speak_dispatched(const void *object)
{
    return amp_ends(object);
}

static const struct methods copies = { speak_copy }, addresses = { speak_address }, dispatched = { speak_dispatched };

/* The function gets the box, and does not know what is in it. */
static AMP_NOINLINE uint64_t say_copy(struct box b)
{
    return b.methods_of->speak(b.object) + 1;
}

static AMP_NOINLINE uint64_t say_address(struct box b)
{
    return b.methods_of->speak(b.object) + 1;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        subject *copy = amp_alloc(sizeof *copy);

        amp_keep(object);
        *copy = *object;
        sum += say_copy((struct box){ &copies, copy });
        free(copy);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const subject *object = amp_object(fixture);
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(object);
        sum += say_address((struct box){ &addresses, object });
    }
    return sum;
}

static uint64_t run_concrete(void *fixture, uint64_t ops)
{
    const struct box b = { &dispatched, fixture };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(&b); /* another object may be in it now, on both sides */
        sum += speak_concrete(b.object);
    }
    return sum;
}

static uint64_t run_dispatched(void *fixture, uint64_t ops)
{
    const struct box b = { &dispatched, fixture };
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(&b);
        sum += b.methods_of->speak(b.object);
    }
    return sum;
}

AMP_PAIR(interface,
         .question = "What does it cost to box a copy of an object in an interface, and what to box its address?",
         .value = { run_value, .calls = "malloc say_copy (*) free", .copied_b_per_op = sizeof(subject),
                    .set_up = amp_object_set_up, .tear_down = amp_object_tear_down,
                    .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .pointer = { run_pointer, .calls = "say_address (*)", .set_up = amp_object_set_up,
                      .tear_down = amp_object_tear_down },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_POINTER, .text =
                      "Box the address if the object outlives the box: the call is the same, and nothing is "
                      "allocated." }),
         .prefer = "Box a copy if the box lives longer than the object, or must not see it change.");

AMP_PAIR(interface_dispatch,
         .question = "What does a method cost that is called by name, and what through an interface?",
         .value = { run_concrete, .calls = "speak_concrete", .set_up = amp_object_set_up,
                    .tear_down = amp_object_tear_down },
         .pointer = { run_dispatched, .calls = "(*)", .set_up = amp_object_set_up, .tear_down = amp_object_tear_down },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_NEITHER, .text =
                      "Use an interface where it helps: by the processor, a predicted call through a table costs as "
                      "one by name, or less than a nanosecond more." }),
         .prefer = "Call by name if there is only one implementation: then the compiler may inline it.");

#endif
