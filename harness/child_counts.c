/* SPDX-License-Identifier: MIT */
#include "harness/child.h"

#include "harness/heap.h"

enum { VALUE, POINTER };

#define COUNTED_OPS 1000

static json_t *count_side(const struct amp_side *side, size_t size, uint64_t *checksum)
{
    void *fixture = amp_side_set_up(side, size);
    json_t *classes, *result = NULL;
    struct amp_heap heap;

    *checksum = side->run(fixture, 1); /* what only ever happens once belongs to the fixture */
    if (amp_heap_begin() == 0) {
        *checksum += side->run(fixture, COUNTED_OPS);
        if (amp_heap_end(&heap) == 0) {
            classes = json_array();
            for (size_t i = 0; i < heap.n_classes; i++)
                json_array_append_new(classes, json_pack("{s:I, s:I}", "class_b", (json_int_t) heap.classes[i].class_b,
                                                         "allocs", (json_int_t) heap.classes[i].allocs));
            result = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "allocs", (json_int_t) heap.allocs, "frees",
                               (json_int_t) heap.frees, "asked_b", (json_int_t) heap.asked_b, "granted_b",
                               (json_int_t) heap.granted_b, "peak_b", (json_int_t) heap.peak_b, "classes", classes);
        }
    }
    amp_side_tear_down(side, fixture);
    return result;
}

int amp_child_counts(const struct amp_task *task)
{
    const struct amp_pair *pair = task->row->pair;
    json_t *result = amp_child_identity(task, "ampersand/counts/1"), *sides[2];
    uint64_t checksum[2];
    const char *why;

    json_object_set_new(result, "ops", json_integer(COUNTED_OPS));
    if (amp_heap_available(&why)) {
        json_object_set_new(result, "value", json_null());
        json_object_set_new(result, "pointer", json_null());
        json_object_set_new(result, "refused", json_string(why));
        return amp_child_write(task, result);
    }
    sides[VALUE] = count_side(&pair->value, task->row->size, &checksum[VALUE]);
    sides[POINTER] = count_side(&pair->pointer, task->row->size, &checksum[POINTER]);
    json_object_set_new(result, "value", sides[VALUE]);
    json_object_set_new(result, "pointer", sides[POINTER]);
    if (!sides[VALUE] || !sides[POINTER])
        return amp_child_complain(2, task->name, "jemalloc's hooks could not be set");
    if (checksum[VALUE] != checksum[POINTER])
        return amp_child_disagree(task, COUNTED_OPS, checksum[VALUE], checksum[POINTER]);
    return amp_child_write(task, result);
}
