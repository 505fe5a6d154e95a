/* SPDX-License-Identifier: MIT
 *
 * Store new objects in a container: the objects themselves, or their addresses.
 *
 *   value     model --copy--> container [ object ][ object ][ object ]     made in its slot
 *   pointer                   container [ & ][ & ][ & ]
 *                                         `--> [ object ] on the heap <--copy-- model
 *
 * Same on both sides:  a new copy of a model, the 64 slots, which are used in turn, the two words that are
 *                      read.
 * Different:           an object whose address is kept must outlive the function, so it cannot be a local: 1 allocation
 *                      each, and a free for the object that was in the slot. A value lives in its slot.
 *
 * The pointer side copies as much as the value side, so the lesson can only say what ownership by pointers costs in
 * addition. What pointers gain, sorting and moving without copies, is in collection_sort and collection_insert.
 */
#include "harness/kernel.h"
#define AMP_LESSON "benchmarks/sharing/container_store.c"
#define AMP_SUBJECT_ONLY(n) ((n) == 32 || (n) == 1024)
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define SLOTS 64
#define container AMP_NAME(container)
#define store_value AMP_NAME(store_value)
#define store_pointer AMP_NAME(store_pointer)
#define set_up_value AMP_NAME(set_up_value)
#define set_up_pointer AMP_NAME(set_up_pointer)
#define tear_down_both AMP_NAME(tear_down_both)

struct container {
    subject *model;
    subject *values;    /* [SLOTS] of the value side, or NULL */
    subject **pointers; /* [SLOTS] of the pointer side, or NULL */
};

static AMP_NOINLINE void store_value(const struct container *c, uint64_t number)
{
    subject *object = &c->values[number % SLOTS];

    *object = *c->model;
    amp_keep(object); /* all of the copy, also what is changed now */
    amp_set_ends(object, number);
    amp_keep(object);
}

static AMP_NOINLINE void store_pointer(const struct container *c, uint64_t number)
{
    subject *object = amp_alloc(sizeof *object);

    *object = *c->model;
    amp_keep(object); /* all of the copy, also what is changed now */
    amp_set_ends(object, number);
    amp_keep(object);
    free(c->pointers[number % SLOTS]);
    c->pointers[number % SLOTS] = object;
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const struct container *c = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        store_value(c, i);
        sum += amp_ends(&c->values[i % SLOTS]);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const struct container *c = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        store_pointer(c, i);
        sum += amp_ends(c->pointers[i % SLOTS]);
    }
    return sum;
}

static void *set_up_value(size_t size)
{
    struct container *c = amp_alloc(sizeof *c);

    *c = (struct container){ .model = amp_object_set_up(size), .values = amp_object_set_up(SLOTS * sizeof(subject)) };
    return c;
}

static void *set_up_pointer(size_t size)
{
    struct container *c = amp_alloc(sizeof *c);

    *c = (struct container){ .model = amp_object_set_up(size), .pointers = amp_alloc(SLOTS * sizeof c->pointers[0]) };
    for (size_t k = 0; k < SLOTS; k++)
        c->pointers[k] = memset(amp_alloc(size), 1, size);
    return c;
}

static void tear_down_both(void *fixture)
{
    struct container *c = fixture;

    for (size_t k = 0; c->pointers && k < SLOTS; k++)
        free(c->pointers[k]);
    free(c->pointers);
    free(c->values);
    free(c->model);
    free(c);
}

AMP_PAIR(container_store,
         .question = "What does it cost to store an object in a container, and what to store the address of one?",
         .value = { run_value, .calls = "store_value", .copied_b_per_op = sizeof(subject),
                    .set_up = set_up_value, .tear_down = tear_down_both },
         .pointer = { run_pointer, .calls = "store_pointer malloc free", .copied_b_per_op = sizeof(subject),
                      .set_up = set_up_pointer, .tear_down = tear_down_both,
                      .allocs_per_op = 1, .bytes_per_op = sizeof(subject) },
         .sizes = AMP_SIZES(sizeof(subject)),
         AMP_CLAIMS({ AMP_VALUE, .text =
                      "Store values if the container owns them: they need no allocation and lie side by side." }),
         .prefer = "Store addresses of objects that others hold, too, or that must not move when the container grows.");

#endif
