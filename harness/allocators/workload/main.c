/* SPDX-License-Identifier: MIT */
#include "harness/allocators/program/program.h"
#include "harness/allocators/provenance/provenance.h"
#include "harness/allocators/workload/child.h"
#include "harness/files/results.h"
#include "harness/run/process.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int probe(const struct amp_workload_task *task)
{
    json_t *facts = amp_provenance_probe();
    const struct amp_in_force in_force = amp_workload_in_force();
    int err = json_object_set_new(facts, "identity", amp_record_write(&amp_in_force_record, &in_force));

    err = err ? -ENOMEM : amp_results_write(task->file, facts);
    json_decref(facts);
    return err ? amp_complain(2, task->file, "%s", strerror(-err)) : 0;
}

/* A probe wants no more. */
static const struct amp_record file_record = { AMP_FIELDS(AMP_FIELD(struct amp_workload_task, file)) };

/* The task's JSON has a place of its own: what reading it would leave in the heap of the allocator would be there
 * before a program's first call, or taken for what a replay frees. */
static _Alignas(16) char apart[1 << 16];
static size_t apart_b;
static bool is_apart;

static void *take(size_t size)
{
    size_t from = apart_b;

    size = (size + 15) / 16 * 16;
    if (!is_apart || size > sizeof apart - apart_b)
        return malloc(size);
    apart_b += size;
    return apart + from;
}

static void give(void *p)
{
    if ((char *) p < apart || (char *) p >= apart + sizeof apart)
        free(p);
}

static json_t *parse(const struct amp_record *record, const char *text, void *into)
{
    json_t *json;

    json_set_alloc_funcs(take, give);
    is_apart = true;
    json = amp_record_parse(record, text, into, "task");
    is_apart = false;
    return json;
}

static int run(const char *kind, const char *text)
{
    static const struct {
        const char *kind;
        int (*run)(const struct amp_workload_task *); /* NULL: the next */
        int (*run_program)(const struct amp_program_task *);
        const struct amp_record *task;
    } kinds[] = { { "probe", probe, NULL, &file_record },
                  { "workload", amp_workload_run, NULL, &amp_workload_task_record },
                  { "timeline", amp_workload_timeline, NULL, &amp_workload_task_record },
                  { "pair", amp_workload_pair, NULL, &amp_workload_task_record },
                  { "program", NULL, amp_program_run, &amp_program_task_record },
                  { "program-probe", NULL, amp_program_probe, &amp_program_task_record } };
    const size_t n = sizeof kinds / sizeof kinds[0];
    static struct amp_program_task program;
    struct amp_workload_task task = { 0 };
    size_t i = 0;
    json_t *json;
    int status;

    while (i < n && strcmp(kinds[i].kind, kind) != 0)
        i++;
    if (i == n)
        return amp_complain(2, kind, "there is no such kind of task");
    json = parse(kinds[i].task, text, kinds[i].run ? (void *) &task : &program);
    status = !json ? 2 : kinds[i].run ? kinds[i].run(&task) : kinds[i].run_program(&program);
    json_decref(json);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return amp_complain(2, "ampersand-workload",
                            "wants a kind and a task as JSON; 'ampersand-bench allocators' starts it");
    if (amp_process_pin())
        return amp_complain(2, "AMPERSAND_CPU", "it names no CPU that this process can be pinned to");
    return run(argv[1], argv[2]);
}
