/* SPDX-License-Identifier: MIT */
#include "harness/allocators/provenance/provenance.h"
#include "harness/allocators/workload/child.h"
#include "harness/bench/child.h"
#include "harness/files/results.h"
#include "harness/run/process.h"

#include <errno.h>
#include <stdio.h>

int amp_workload_complain(int status, const char *what, const char *why)
{
    fprintf(stderr, "ampersand: %s: %s\n", what, why);
    return status;
}

json_t *amp_workload_identity(const struct amp_workload_task *task, const char *schema)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "schema", schema, "workload", task->workload,
                     "configuration", task->configuration, "launch", task->launch, "seed", task->seed, "cpu", task->cpu,
                     "environment_padding_b", task->environment_padding_b, "quiet_ns", task->quiet_ns);
}

int amp_workload_write(const struct amp_workload_task *task, json_t *result)
{
    int err = result ? amp_results_write(task->file, result) : -ENOMEM;

    json_decref(result);
    return err ? amp_workload_complain(2, task->file, strerror(-err)) : 0;
}

int amp_workload_probe(const struct amp_workload_task *task)
{
    json_t *facts = amp_provenance_probe();

    if (facts)
        json_object_set_new(facts, "identity", amp_workload_in_force());
    return amp_workload_write(task, facts);
}

static int read_task(const char *kind, const json_t *json, struct amp_workload_task *out)
{
    json_error_t error;
    int err;

    if (strcmp(kind, "probe") == 0)
        err = json_unpack_ex((json_t *) json, &error, 0, "{s:s}", "file", &out->file);
    else
        err = json_unpack_ex((json_t *) json, &error, JSON_STRICT,
                             "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}", "file", &out->file,
                             "configuration", &out->configuration, "workload", &out->workload, "launch", &out->launch,
                             "seed", &out->seed, "cpu", &out->cpu, "environment_padding_b", &out->environment_padding_b,
                             "quiet_ns", &out->quiet_ns, "timeline_s", &out->timeline_s, "quick", &out->quick,
                             "classes", &out->classes, "sizes", &out->sizes);
    return err ? amp_workload_complain(2, "task", error.text) : 0;
}

static int run(const char *kind, const char *text)
{
    static const struct {
        const char *kind;
        int (*run)(const struct amp_workload_task *);
    } kinds[] = { { "probe", amp_workload_probe },
                  { "workload", amp_workload_run },
                  { "timeline", amp_workload_timeline },
                  { "pair", amp_workload_pair } };
    struct amp_workload_task task = { 0 };
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    int status = -1;

    if (!json)
        return amp_workload_complain(2, "task", error.text);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && status < 0; i++)
        if (strcmp(kinds[i].kind, kind) == 0) {
            status = read_task(kind, json, &task);
            status = status ? status : kinds[i].run(&task);
        }
    if (status < 0)
        status = amp_workload_complain(2, kind, "there is no such kind of task");
    json_decref(json);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return amp_workload_complain(2, "ampersand-workload",
                                     "wants a kind and a task as JSON; 'ampersand-bench allocators' starts it");
    if (amp_process_pin())
        return amp_workload_complain(2, "AMPERSAND_CPU", "it names no CPU that this process can be pinned to");
    return run(argv[1], argv[2]);
}
