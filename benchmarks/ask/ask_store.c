/* SPDX-License-Identifier: MIT
 *
 * Keep objects in a collection: an array of them, or an array of pointers to them.
 *
 *   value     [ e0 ][ e1 ][ e2 ] ...                 one array
 *   pointer   [ & ][ & ][ & ] ...                    one array, and each object on its own
 *               |    |    `-> [ e2 ]
 *               |    `-> [ e1 ]
 *               `-> [ e0 ]
 *
 *   ask_store    replaces the oldest object by a new copy of a model: N bytes copied into the array, or N bytes copied
 *                to the heap, their address stored, and the old object freed
 *   ask_walk     reads two members of one element after the other
 *
 * Same on both sides:  the number of elements, their order, the bytes that are written and the members that are read.
 * Different:           where the objects live; on the pointer side, each has an allocation and needs one more load. The
 *                      pointer side of ask_store does all that the value side does besides: what is asked is what the
 *                      allocation costs, not which side does less.
 *
 * 1024 elements, or fewer if they would take more than 1 MiB, but at least 16. */
#include "harness/kernel.h"
#include "harness/subjects.h"

#ifdef AMP_SUBJECT

#define MOST_B ((size_t) 1024 * 1024)
#define FITTING (MOST_B / (sizeof(subject) > 0 ? sizeof(subject) : 1))
#define ELEMENTS (FITTING > 1024 ? 1024 : FITTING < 16 ? 16 : FITTING)

struct ask_shelf {
    subject *model;
    subject *values;    /* the value side's elements, or NULL */
    subject **pointers; /* the pointer side's, or NULL */
    size_t next;
};

static AMP_ALWAYS_INLINE size_t ask_after(size_t at)
{
    return at + 1 < ELEMENTS ? at + 1 : 0;
}

static uint64_t ask_store_value(void *fixture, uint64_t ops)
{
    struct ask_shelf *shelf = fixture;
    const subject *model = amp_object(shelf->model);
    size_t at = shelf->next;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--, at = ask_after(at)) {
        subject *place = shelf->values + at;

        amp_keep(model); /* the compiler must believe that the model may have changed */
        *place = *model;
        amp_keep(place); /* others may look at it */
        sum += amp_ends(place);
    }
    shelf->next = at;
    return sum;
}

static uint64_t ask_store_pointer(void *fixture, uint64_t ops)
{
    struct ask_shelf *shelf = fixture;
    const subject *model = amp_object(shelf->model);
    size_t at = shelf->next;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--, at = ask_after(at)) {
        subject **place = shelf->pointers + at;
        subject *object = amp_alloc(sizeof *object);

        amp_keep(model);
        *object = *model;
        free(*place);
        *place = object;
        amp_keep(place);
        sum += amp_ends(object);
    }
    shelf->next = at;
    return sum;
}

/* How many of `ops` elements come before the end: a walk goes by stretches, so that neither side pays for an index. */
static AMP_ALWAYS_INLINE size_t ask_stretch(const struct ask_shelf *shelf, uint64_t ops)
{
    size_t rest = ELEMENTS - shelf->next;

    return ops < rest ? (size_t) ops : rest;
}

static uint64_t ask_walk_value(void *fixture, uint64_t ops)
{
    struct ask_shelf *shelf = fixture;
    uint64_t sum = 0;

    while (ops > 0) {
        const size_t n = ask_stretch(shelf, ops);
        const subject *object = shelf->values + shelf->next;

        for (size_t i = n; i > 0; i--, object++) {
            sum += amp_ends(object);
            amp_keep(object); /* an element at a time, on both sides */
        }
        shelf->next = ask_after(shelf->next + n - 1);
        ops -= n;
    }
    return sum;
}

static uint64_t ask_walk_pointer(void *fixture, uint64_t ops)
{
    struct ask_shelf *shelf = fixture;
    uint64_t sum = 0;

    while (ops > 0) {
        const size_t n = ask_stretch(shelf, ops);
        subject *const *object = shelf->pointers + shelf->next;

        for (size_t i = n; i > 0; i--, object++) {
            sum += amp_ends(*object);
            amp_keep(*object);
        }
        shelf->next = ask_after(shelf->next + n - 1);
        ops -= n;
    }
    return sum;
}

static struct ask_shelf *ask_shelf_set_up(void)
{
    struct ask_shelf *shelf = amp_alloc(sizeof *shelf);

    *shelf = (struct ask_shelf){ .model = amp_object_set_up(sizeof(subject)) };
    return shelf;
}

static void *ask_set_up_value(size_t size)
{
    struct ask_shelf *shelf = ask_shelf_set_up();

    (void) size;
    shelf->values = amp_object_set_up(ELEMENTS * sizeof(subject));
    return shelf;
}

static void *ask_set_up_pointer(size_t size)
{
    struct ask_shelf *shelf = ask_shelf_set_up();

    (void) size;
    shelf->pointers = amp_alloc(ELEMENTS * sizeof *shelf->pointers);
    for (size_t i = 0; i < ELEMENTS; i++)
        shelf->pointers[i] = memcpy(amp_alloc(sizeof(subject)), shelf->model, sizeof(subject));
    return shelf;
}

static void ask_tear_down(void *fixture)
{
    struct ask_shelf *shelf = fixture;

    for (size_t i = 0; shelf->pointers && i < ELEMENTS; i++)
        free(shelf->pointers[i]);
    free(shelf->pointers);
    free(shelf->values);
    free(shelf->model);
    free(shelf);
}

AMP_PAIR(ask_store,
         .question = "What does it cost to put an object into an array, and what to put a pointer to a new one?",
         .value = { ask_store_value, .calls = AMP_SUBJECT_CALLS("", ""), .copied_b_per_op = sizeof(subject),
                    .set_up = ask_set_up_value, .tear_down = ask_tear_down, .label = "in the array" },
         .pointer = { ask_store_pointer, .calls = AMP_SUBJECT_CALLS("malloc free", ""),
                      .copied_b_per_op = sizeof(subject), .allocs_per_op = 1, .bytes_per_op = sizeof(subject),
                      .set_up = ask_set_up_pointer, .tear_down = ask_tear_down, .label = "new on heap" },
         .sizes = AMP_SUBJECT_SIZES);

AMP_PAIR(ask_walk,
         .question = "What does it cost to read an array of objects, and what an array of pointers to them?",
         .value = { ask_walk_value, .calls = AMP_SUBJECT_CALLS("", ""), .set_up = ask_set_up_value,
                    .tear_down = ask_tear_down },
         .pointer = { ask_walk_pointer, .calls = AMP_SUBJECT_CALLS("", ""), .set_up = ask_set_up_pointer,
                      .tear_down = ask_tear_down },
         .sizes = AMP_SUBJECT_SIZES);

#endif
