/* SPDX-License-Identifier: MIT */
#include "harness/bench/child.h"

#include "harness/lesson/layout.h"
#include "harness/text/complain.h"

#include <alloca.h>
#include <errno.h>
#include <stdio.h>

/* Lower the stack, as if the program had started with that much more on it. */
static AMP_NOINLINE int run_at_stack_offset(const struct amp_task *task, int (*run)(const struct amp_task *))
{
    void *offset = alloca(task->stack_offset_b + 16);

    amp_keep(offset);
    return run(task);
}

/* The row, on a time line. */
static void mark(unsigned kind, const char *name)
{
    struct amp_mark here = { name, 0 };
    amp_mark_fn *call = AMP_MARK_HOOK;

    if (call)
        call(&here, kind, 0);
}

static int run_marked(const struct amp_task *task, int (*run)(const struct amp_task *))
{
    int status;

    mark(AMP_MARK_BEGIN, task->name);
    status = run_at_stack_offset(task, run);
    mark(AMP_MARK_END, task->name);
    return status;
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
        return amp_complain(2, task->lesson, "%s", why);
    task->row = amp_registry_find(&registry, task->name);
    if (!task->row)
        status = amp_complain(2, task->name, "there is no such row");
    for (size_t i = 0; task->row && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, task->kind) == 0)
            status = run_marked(task, kinds[i].run);
    if (status < 0)
        status = amp_complain(2, task->kind, "there is no such kind of child");
    amp_registry_free(&registry);
    return status;
}

int amp_child_main(const char *text)
{
    struct amp_task task = { 0 };
    json_t *json = amp_record_parse(&amp_task_record, text, &task, "child");
    int status = json ? run_task(&task) : 2;

    json_decref(json);
    return status;
}
