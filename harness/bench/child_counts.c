/* SPDX-License-Identifier: MIT */
#include "harness/bench/child.h"

#include "harness/lesson/layout.h"
#include "harness/measure/heap.h"
#include "harness/measure/rounds.h"
#include "harness/stack/use.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

enum { VALUE, POINTER };

#define COUNTED_OPS 1000
#define COUNTING_NS 30000000 /* about: fewer operations where so many would take longer */

/* One operation: what only ever happens once belongs to the fixture. Then one more, timed. */
static uint64_t warm_up_ns(const struct amp_side *side, void *fixture, uint64_t *checksum)
{
    uint64_t begin_ns;

    *checksum = side->run(fixture, 1);
    begin_ns = amp_clock_monotonic();
    *checksum += side->run(fixture, 1);
    return amp_clock_monotonic() - begin_ns;
}

static uint64_t plan_ops(uint64_t value_ns, uint64_t pointer_ns)
{
    uint64_t ns = value_ns > pointer_ns ? value_ns : pointer_ns;

    if (ns <= COUNTING_NS / COUNTED_OPS)
        return COUNTED_OPS;
    return ns < COUNTING_NS ? COUNTING_NS / ns : 1;
}

static json_t *count_side(const struct amp_side *side, void *fixture, uint64_t ops, uint64_t *checksum)
{
    struct amp_heap heap;
    json_t *classes;

    if (amp_heap_begin())
        return NULL;
    *checksum += side->run(fixture, ops);
    if (amp_heap_end(&heap))
        return NULL;
    classes = json_array();
    for (size_t i = 0; i < heap.n_classes; i++)
        json_array_append_new(classes, json_pack("{s:I, s:I}", "class_b", (json_int_t) heap.classes[i].class_b,
                                                 "allocs", (json_int_t) heap.classes[i].allocs));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "allocs", (json_int_t) heap.allocs, "frees",
                     (json_int_t) heap.frees, "asked_b", (json_int_t) heap.asked_b, "granted_b",
                     (json_int_t) heap.granted_b, "peak_b", (json_int_t) heap.peak_b, "classes", classes);
}

/* Of one operation, beside the counts, since it has nothing to do with the heap. A kernel that starts threads has other
 * stacks than the one looked at: nothing is said of it. */
static void add_stack_use(json_t *counted, const struct amp_pair *pair, const struct amp_side *side, void *fixture)
{
    struct amp_stack_use use;

    if (pair->threads > 0 || amp_stack_use(side->run, fixture, 1, &use))
        return;
    json_object_set_new(counted, "stack_touched_b", json_integer((json_int_t) use.touched_b));
    json_object_set_new(counted, "stack_reserved_b",
                        use.reserved_known ? json_integer((json_int_t) use.reserved_b) : json_null());
}

static double per_op(const json_t *counted, const char *key, uint64_t ops)
{
    return (double) json_integer_value(json_object_get(counted, key)) / (double) ops;
}

/* Whether a side allocates what its pair declares; if not, how, added to `text`. */
static bool keeps_its_word(const struct amp_side *side, const char *name, const json_t *counted, uint64_t ops,
                           char *text, size_t size)
{
    size_t n = strlen(text);
    uint64_t allocs = (uint64_t) json_integer_value(json_object_get(counted, "allocs"));
    uint64_t asked_b = (uint64_t) json_integer_value(json_object_get(counted, "asked_b"));

    if (allocs == side->allocs_per_op * ops && asked_b == side->bytes_per_op * ops)
        return true;
    snprintf(text + n, size - n,
             "%s%s: %" PRIu64 " allocations (%" PRIu64 " B) an operation declared, %.10g (%.10g B) counted",
             n > 0 ? "; " : "", name, side->allocs_per_op, side->bytes_per_op, per_op(counted, "allocs", ops),
             per_op(counted, "asked_b", ops));
    return false;
}

/* An exit status. */
static int hold_to_declaration(const struct amp_task *task, json_t *const sides[2], uint64_t ops)
{
    const struct amp_pair *pair = task->row->pair;
    char text[400] = "";
    bool value = keeps_its_word(&pair->value, "value", sides[VALUE], ops, text, sizeof text);
    bool pointer = keeps_its_word(&pair->pointer, "pointer", sides[POINTER], ops, text, sizeof text);

    return value && pointer ? 0 : amp_child_complain(AMP_EXIT_DECLARED, task->name, text);
}

/* Both sides, each into the result under its name; an exit status, and nothing written. */
static int count_pair(const struct amp_task *task, json_t *result)
{
    const struct amp_pair *pair = task->row->pair;
    void *value = amp_side_set_up(&pair->value, task->row->size);
    void *pointer = amp_side_set_up(&pair->pointer, task->row->size);
    uint64_t checksum[2], value_ns = warm_up_ns(&pair->value, value, &checksum[VALUE]);
    uint64_t ops = plan_ops(value_ns, warm_up_ns(&pair->pointer, pointer, &checksum[POINTER]));
    json_t *sides[2] = { count_side(&pair->value, value, ops, &checksum[VALUE]),
                         count_side(&pair->pointer, pointer, ops, &checksum[POINTER]) };
    int status = 0;

    if (!sides[VALUE] || !sides[POINTER])
        status = amp_child_complain(2, task->name, "jemalloc's hooks could not be set");
    else if (checksum[VALUE] != checksum[POINTER])
        status = amp_child_disagree(task, ops, checksum[VALUE], checksum[POINTER]);
    else
        status = hold_to_declaration(task, sides, ops);
    if (status == 0) {
        add_stack_use(sides[VALUE], pair, &pair->value, value);
        add_stack_use(sides[POINTER], pair, &pair->pointer, pointer);
    }
    json_object_set_new(result, "ops", json_integer((json_int_t) ops));
    json_object_set_new(result, "value", sides[VALUE]);
    json_object_set_new(result, "pointer", sides[POINTER]);
    amp_side_tear_down(&pair->pointer, pointer);
    amp_side_tear_down(&pair->value, value);
    return status;
}

int amp_child_counts(const struct amp_task *task)
{
    json_t *result = amp_child_identity(task, "ampersand/counts/1");
    const char *why;
    int status;

    if (amp_layout_hold_row(task->row, 0, &why)) {
        json_decref(result);
        return amp_child_complain(2, task->row->lesson, why);
    }
    if (amp_heap_available(&why)) {
        json_object_set_new(result, "ops", json_integer(COUNTED_OPS));
        json_object_set_new(result, "value", json_null());
        json_object_set_new(result, "pointer", json_null());
        json_object_set_new(result, "refused", json_string(why));
        return amp_child_write(task, result);
    }
    status = count_pair(task, result);
    if (status == 0)
        return amp_child_write(task, result);
    json_decref(result);
    return status;
}
