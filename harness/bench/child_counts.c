/* SPDX-License-Identifier: MIT */
#include "harness/bench/child.h"

#include "harness/lesson/layout.h"
#include "harness/measure/heap.h"
#include "harness/measure/rounds.h"
#include "harness/stack/use.h"
#include "harness/text/complain.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

enum { VALUE, POINTER };

#define COUNTED_OPS 1000
#define COUNTING_NS 30000000 /* about; fewer operations if they are slow */

/* A side. */
struct counted {
    struct amp_heap heap;
    struct amp_stack_use use, *stack; /* NULL: nobody knows */
};

/* The result; a side is NULL if counting is refused. */
struct counts {
    const struct amp_task *task;
    uint64_t ops;
    const struct counted *value, *pointer;
    const char *refused;
};

#define CLASS(member, ...) AMP_FIELD(struct amp_heap_class, member, __VA_ARGS__)
#define STACK(member, ...) AMP_FIELD_AS("stack_" #member, struct amp_stack_use, member, __VA_ARGS__)
#define SIDE(member) AMP_FIELD(struct counted, heap.member)
static const struct amp_record side_record = {
    AMP_FIELDS(SIDE(allocs), SIDE(frees), SIDE(asked_b), SIDE(granted_b), SIDE(peak_b),
               AMP_OBJECTS("classes", struct counted, heap.classes, heap.n_classes,
                           AMP_OF(CLASS(class_b, .least = 1), CLASS(allocs))),
               AMP_BEHIND("", struct counted, stack, AMP_OF(STACK(touched_b), STACK(reserved_b, .is_nullable = true)))),
};
const struct amp_record amp_counts_record = {
    AMP_FIELDS(AMP_BEHIND("", struct counts, task, &amp_task_identity), AMP_FIELD(struct counts, ops, .least = 1),
               AMP_BEHIND("value", struct counts, value, &side_record, .is_nullable = true),
               AMP_BEHIND("pointer", struct counts, pointer, &side_record, .is_nullable = true),
               AMP_FIELD(struct counts, refused, .is_optional = true)),
    .schema = "ampersand/counts/1",
};

/* Run one operation, so that what happens only once is over. Then run another, and time it. */
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

/* In place of what the collector took from malloc(). */
static void put_collected(const struct amp_collected *before, const struct amp_collected *after, struct amp_heap *out)
{
    const uint64_t bytes = after->bytes - before->bytes;

    *out = (struct amp_heap){ .allocs = after->allocs - before->allocs,
                              .frees = after->frees - before->frees,
                              .asked_b = bytes,
                              .granted_b = bytes,
                              .peak_b = bytes > 0 ? after->peak_b - before->live_b : 0 };
}

static bool count_side(const struct amp_side *side, void *fixture, uint64_t ops, uint64_t *checksum,
                       struct counted *out)
{
    struct amp_collected before, after;

    if (side->collected)
        side->collected(fixture, &before);
    if (amp_heap_begin())
        return false;
    *checksum += side->run(fixture, ops);
    if (amp_heap_end(&out->heap))
        return false;
    if (side->collected) {
        side->collected(fixture, &after);
        put_collected(&before, &after, &out->heap);
    }
    return true;
}

/* Add the stack that one operation takes. Not for kernels that start threads, since these use other stacks than the
 * examined one, nor for those that collect a heap: that is more instructions than are followed. In a row's first launch
 * only, since it takes seconds for a long operation. */
static void add_stack_use(struct counted *counted, const struct amp_task *task, const struct amp_side *side,
                          void *fixture)
{
    if (task->launch > 0 || task->row->pair->threads > 0 || side->collected ||
        amp_stack_use(side->run, fixture, 1, AMP_STACK_USE_STEPS, &counted->use))
        return;
    counted->stack = &counted->use;
    if (!counted->use.reserved_known)
        counted->use.reserved_b = AMP_NONE;
}

/* `word`: room for the number. */
static const char *declared(uint64_t number, char word[24])
{
    snprintf(word, 24, "%" PRIu64, number);
    return number == AMP_ANY ? "any" : word;
}

/* Whether a side allocates what its pair declares; if not, the difference is added to `text`. */
static bool keeps_its_word(const struct amp_side *side, const char *name, const struct amp_heap *heap, uint64_t ops,
                           char *text, size_t size)
{
    size_t n = strlen(text);
    char allocs[24], bytes[24];

    if ((side->allocs_per_op == AMP_ANY || heap->allocs == side->allocs_per_op * ops) &&
        (side->bytes_per_op == AMP_ANY || heap->asked_b == side->bytes_per_op * ops))
        return true;
    snprintf(text + n, size - n,
             "%s%s: %s allocations (%s B) an operation declared, %.10g (%.10g B) counted", n > 0 ? "; " : "", name,
             declared(side->allocs_per_op, allocs), declared(side->bytes_per_op, bytes),
             (double) heap->allocs / (double) ops, (double) heap->asked_b / (double) ops);
    return false;
}

/* An exit status. */
static int hold_to_declaration(const struct amp_task *task, const struct counted sides[2], uint64_t ops)
{
    const struct amp_pair *pair = task->row->pair;
    char text[400] = "";
    bool value = keeps_its_word(&pair->value, "value", &sides[VALUE].heap, ops, text, sizeof text);
    bool pointer = keeps_its_word(&pair->pointer, "pointer", &sides[POINTER].heap, ops, text, sizeof text);

    return value && pointer ? 0 : amp_complain(AMP_EXIT_DECLARED, task->name, "%s", text);
}

/* Count both sides; returns an exit status and writes nothing. */
static int count_pair(struct counts *counts, struct counted sides[2])
{
    const struct amp_task *task = counts->task;
    const struct amp_pair *pair = task->row->pair;
    void *value = amp_side_set_up(&pair->value, task->row->size);
    void *pointer = amp_side_set_up(&pair->pointer, task->row->size);
    uint64_t checksum[2], value_ns = warm_up_ns(&pair->value, value, &checksum[VALUE]);
    uint64_t ops = plan_ops(value_ns, warm_up_ns(&pair->pointer, pointer, &checksum[POINTER]));
    int status = 0;

    counts->ops = ops;
    if (!count_side(&pair->value, value, ops, &checksum[VALUE], &sides[VALUE]) ||
        !count_side(&pair->pointer, pointer, ops, &checksum[POINTER], &sides[POINTER]))
        status = amp_complain(2, task->name, "jemalloc's hooks could not be set");
    else if (checksum[VALUE] != checksum[POINTER])
        status = amp_child_disagree(task, ops, checksum[VALUE], checksum[POINTER]);
    else
        status = hold_to_declaration(task, sides, ops);
    if (status == 0) {
        add_stack_use(&sides[VALUE], task, &pair->value, value);
        add_stack_use(&sides[POINTER], task, &pair->pointer, pointer);
    }
    counts->value = &sides[VALUE];
    counts->pointer = &sides[POINTER];
    amp_side_tear_down(&pair->pointer, pointer);
    amp_side_tear_down(&pair->value, value);
    return status;
}

int amp_child_counts(const struct amp_task *task)
{
    static struct counted sides[2];
    struct counts counts = { .task = task, .ops = COUNTED_OPS };
    const char *why;
    int status = 0;

    if (amp_layout_hold_row(task->row, 0, &why))
        return amp_complain(2, task->row->lesson, "%s", why);
    if (amp_layout_declared(task->row, &why))
        return amp_complain(AMP_EXIT_DECLARED, task->name, "%s", why);
    if (amp_heap_available(&why))
        counts.refused = why;
    else
        status = count_pair(&counts, sides);
    return status ? status : amp_record_save(&amp_counts_record, &counts, task->file);
}
