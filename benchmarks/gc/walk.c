/* SPDX-License-Identifier: MIT */
#include "benchmarks/gc/walk.h"

#include "harness/measure/rounds.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <string.h>

static double since(uint64_t begin_ns)
{
    return (double) (amp_clock_monotonic() - begin_ns) / 1e9;
}

static int summarise(struct amp_heap_graph *graph, struct amp_heap_dominators *dominators, struct graph_result *out)
{
    int err = amp_heap_link(graph);

    if (!err)
        err = amp_heap_dominate(graph, dominators);
    return err ? err : amp_heap_summarise(graph, dominators, &out->summary);
}

int walk_save(const struct workload *workload, const struct task *task)
{
    struct graph_result out = { .task = task, .collector = backend.name };
    struct amp_heap_graph graph = { .n = 0 };
    struct amp_heap_dominators dominators = { .reached = 0 };
    uint64_t begin_ns = amp_clock_monotonic();
    const char *why;
    int err, status;

    if (backend_walk(&graph, &out.marked_b, &why)) {
        amp_heap_free(&graph);
        return amp_complain(2, workload->name, "its heap cannot be walked: %s", why);
    }
    out.walk_seconds = since(begin_ns);
    begin_ns = amp_clock_monotonic();
    err = summarise(&graph, &dominators, &out);
    out.seconds = since(begin_ns);
    status = err ? amp_complain(2, workload->name, "the graph of its heap: %s", strerror(-err))
                 : amp_record_save(&gc_graph_record, &out, task->file);
    amp_heap_summary_free(&out.summary);
    amp_heap_dominators_free(&dominators);
    amp_heap_free(&graph);
    return status;
}
