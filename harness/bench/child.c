/* SPDX-License-Identifier: MIT */
#include "harness/bench/child.h"

#include "harness/files/results.h"
#include "harness/lesson/layout.h"

#include <alloca.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int amp_child_complain(int status, const char *what, const char *why)
{
    fprintf(stderr, "ampersand: %s: %s\n", what, why);
    return status;
}

json_t *amp_child_identity(const struct amp_task *task, const char *schema)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "schema", schema, "pair", task->row->pair->name,
                     "size", (json_int_t) task->row->size, "launch", task->launch, "configuration", task->configuration,
                     "seed", task->seed, "cpu", task->cpu, "stack_offset_b", task->stack_offset_b,
                     "environment_padding_b", task->environment_padding_b);
}

int amp_child_write(const struct amp_task *task, json_t *result)
{
    int err = result ? amp_results_write(task->file, result) : -ENOMEM;

    json_decref(result);
    return err ? amp_child_complain(2, task->file, strerror(-err)) : 0;
}

int amp_child_disagree(const struct amp_task *task, uint64_t ops, uint64_t value, uint64_t pointer)
{
    fprintf(stderr,
            "ampersand: %s: the sides disagree after %" PRIu64 " operations: value 0x%016" PRIx64
            ", pointer 0x%016" PRIx64 "\n",
            task->name, ops, value, pointer);
    return AMP_EXIT_DISAGREE;
}

/* As if the program had been started with that much more on the stack. */
static AMP_NOINLINE int run_at_stack_offset(const struct amp_task *task, int (*run)(const struct amp_task *))
{
    void *offset = alloca((size_t) task->stack_offset_b + 16);

    amp_keep(offset);
    return run(task);
}

/* Strings are borrowed. */
static int read_task(json_t *json, struct amp_task *out)
{
    json_error_t error;

    if (json_unpack_ex(json, &error, JSON_STRICT,
                       "{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", &out->kind,
                       "lesson", &out->lesson, "row", &out->name, "file", &out->file, "launch", &out->launch,
                       "configuration", &out->configuration, "seed", &out->seed, "cpu", &out->cpu, "stack_offset_b",
                       &out->stack_offset_b, "environment_padding_b", &out->environment_padding_b, "epoch_ns",
                       &out->epoch_ns, "quiet_ns", &out->quiet_ns, "rounds_per_block", &out->rounds_per_block, "layout",
                       &out->layout))
        return amp_child_complain(2, "child", error.text);
    return 0;
}

static int run_task(struct amp_task *task)
{
    static const struct {
        const char *kind;
        int (*run)(const struct amp_task *);
    } kinds[] = { { "paired", amp_child_paired }, { "counts", amp_child_counts } };
    struct amp_registry registry = { .n = 0 };
    const char *why = "";
    int status = -1;

    if (amp_layout_register(&registry, task->lesson, 0, &why))
        return amp_child_complain(2, task->lesson, why);
    task->row = amp_registry_find(&registry, task->name);
    if (!task->row)
        status = amp_child_complain(2, task->name, "there is no such row");
    for (size_t i = 0; task->row && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, task->kind) == 0)
            status = run_at_stack_offset(task, kinds[i].run);
    if (status < 0)
        status = amp_child_complain(2, task->kind, "there is no such kind of child");
    amp_registry_free(&registry);
    return status;
}

int amp_child_main(const char *text)
{
    struct amp_task task = { 0 };
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    int status;

    if (!json)
        return amp_child_complain(2, "child", error.text);
    status = read_task(json, &task);
    if (!status)
        status = run_task(&task);
    json_decref(json);
    return status;
}
