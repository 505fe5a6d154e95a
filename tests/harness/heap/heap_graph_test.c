/* SPDX-License-Identifier: MIT
 *
 * Dominators and retained sizes against their definition: take a node away, and see what the source still reaches. */
#include "harness/heap/summary.h"
#include "harness/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 48 };

/* Objects stand at addresses 16 apart; their types follow from their numbers. */
static const void *at(uint32_t object)
{
    return (const void *) (0x10000 + (uintptr_t) object * 16);
}

static const char *const type_names[] = { "leaf", "node", "table" };

struct drawn {
    uint32_t n, n_roots; /* objects, roots */
    bool edge[MOST][MOST];
    uint32_t root[MOST]; /* the object that root i holds; n: nothing */
    uint64_t size_b[MOST];
};

static void draw(uint64_t *random, struct drawn *out)
{
    uint64_t density = 1 + amp_random_next(random) % 4;

    memset(out, 0, sizeof *out);
    out->n = 1 + (uint32_t) (amp_random_next(random) % (MOST - 8));
    out->n_roots = 1 + (uint32_t) (amp_random_next(random) % 3);
    for (uint32_t i = 0; i < out->n; i++) {
        out->size_b[i] = 16 * (1 + amp_random_next(random) % 9);
        for (uint64_t k = 0; k < density; k++)
            if (amp_random_next(random) % 3)
                out->edge[i][amp_random_next(random) % out->n] = true;
    }
    for (uint32_t i = 0; i < out->n_roots; i++)
        out->root[i] = (uint32_t) (amp_random_next(random) % (out->n + 1));
}

static void build(const struct drawn *drawn, struct amp_heap_graph *graph)
{
    static const char *const names[] = { "first", "second", "third" };

    memset(graph, 0, sizeof *graph);
    for (uint32_t i = 0; i < drawn->n_roots; i++)
        amp_heap_root(graph, names[i], at(drawn->root[i]));
    for (uint32_t i = 0; i < drawn->n; i++) {
        amp_heap_object(graph, at(i), drawn->size_b[i], type_names[i % 3]);
        for (uint32_t k = 0; k < drawn->n; k++)
            if (drawn->edge[i][k])
                amp_heap_edge(graph, at(k));
    }
    assert_int_equal(amp_heap_link(graph), 0);
}

/* Mark what the source reaches without the node `gone` (none: AMP_HEAP_NOBODY). */
static void reach(const struct amp_heap_graph *graph, uint32_t gone, bool *seen)
{
    uint32_t list[MOST + 8], n = 1;

    memset(seen, 0, MOST + 8);
    list[0] = AMP_HEAP_SOURCE;
    seen[AMP_HEAP_SOURCE] = true;
    for (uint32_t i = 0; i < n; i++)
        for (uint64_t e = graph->first[list[i]]; e < graph->first[list[i] + 1]; e++)
            if (graph->to[e] != gone && !seen[graph->to[e]]) {
                seen[graph->to[e]] = true;
                list[n++] = graph->to[e];
            }
}

static void hold_to_definition(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d)
{
    bool all[MOST + 8], without[MOST + 8];
    uint32_t dominators[MOST + 8] = { 0 }; /* how many each node has, besides the source and itself */
    uint32_t reached = 0;

    reach(graph, AMP_HEAP_NOBODY, all);
    for (uint32_t gone = 1; gone < graph->n; gone++) {
        uint64_t retained_b = 0;

        if (!all[gone]) {
            assert_int_equal(d->immediate[gone], AMP_HEAP_NOBODY);
            continue;
        }
        reach(graph, gone, without);
        for (uint32_t v = 1; v < graph->n; v++)
            if (all[v] && !without[v]) {
                retained_b += graph->size_b[v];
                dominators[v] += v != gone;
            }
        assert_int_equal(d->retained_b[gone], retained_b);
    }
    for (uint32_t v = 1; v < graph->n; v++) {
        uint32_t depth = 0;

        for (uint32_t up = v; all[v] && d->immediate[up] != AMP_HEAP_SOURCE; up = d->immediate[up])
            depth++;
        assert_int_equal(depth, dominators[v]);
        reached += all[v];
    }
    assert_int_equal(d->reached, reached + 1);
}

static void hold_summary(const struct amp_heap_graph *graph, const struct amp_heap_dominators *d)
{
    struct amp_heap_summary summary;
    uint64_t all_b = 0, own_b = 0, top_b = 0, types_b = 0, objects = 0;

    assert_int_equal(amp_heap_summarise(graph, d, &summary), 0);
    for (uint32_t v = graph->n_roots + 1; v < graph->n; v++)
        all_b += graph->size_b[v];
    for (size_t i = 0; i < summary.n_paths; i++) {
        own_b += summary.paths[i].own_b;
        objects += summary.paths[i].objects;
        top_b += summary.paths[i].parent < 0 ? summary.paths[i].retained_b : 0;
        assert_true(summary.paths[i].retained_b >= summary.paths[i].own_b);
        assert_true(summary.paths[i].parent < (int64_t) i);
    }
    for (size_t i = 0; i < summary.n_types; i++) {
        types_b += summary.types[i].own_b;
        assert_true(summary.types[i].retained_b >= summary.types[i].own_b);
        assert_true(summary.types[i].retained_b <= summary.live_b);
    }
    assert_int_equal(own_b, summary.live_b);
    assert_int_equal(top_b, summary.live_b);
    assert_int_equal(types_b, summary.live_b);
    assert_int_equal(objects, summary.objects);
    assert_int_equal(summary.live_b + summary.dropped_b, all_b);
    for (size_t i = 1; i < summary.n_largest; i++)
        assert_true(summary.largest[i].retained_b <= summary.largest[i - 1].retained_b);
    amp_heap_summary_free(&summary);
}

static void test_random_graphs(void **state)
{
    uint64_t random = 14;

    (void) state;
    for (int i = 0; i < 3000; i++) {
        struct amp_heap_graph graph;
        struct amp_heap_dominators d;
        struct drawn drawn;

        draw(&random, &drawn);
        build(&drawn, &graph);
        assert_int_equal(amp_heap_dominate(&graph, &d), 0);
        hold_to_definition(&graph, &d);
        hold_summary(&graph, &d);
        amp_heap_dominators_free(&d);
        amp_heap_free(&graph);
    }
}

/* A list of so many objects, which both link back to the one before and forward. */
static void make_list(struct amp_heap_graph *graph, uint32_t n)
{
    memset(graph, 0, sizeof *graph);
    amp_heap_root(graph, "list", at(0));
    for (uint32_t i = 0; i < n; i++) {
        amp_heap_object(graph, at(i), 32, "message");
        if (i + 1 < n)
            amp_heap_edge(graph, at(i + 1));
        if (i > 0)
            amp_heap_edge(graph, at(i - 1));
    }
    assert_int_equal(amp_heap_link(graph), 0);
}

/* Each link dominates all that follow; nothing recurs, however long the list is. */
static void test_list(void **state)
{
    enum { N = 300000 };
    struct amp_heap_graph graph;
    struct amp_heap_dominators d;
    struct amp_heap_summary summary;

    (void) state;
    make_list(&graph, N);
    assert_int_equal(amp_heap_dominate(&graph, &d), 0);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(d.retained_b[2 + i], (uint64_t) 32 * (N - i));
    assert_int_equal(amp_heap_summarise(&graph, &d, &summary), 0);
    assert_int_equal(summary.n_paths, 2); /* the root, and one line for all links */
    assert_string_equal(summary.paths[0].name, "list");
    assert_int_equal(summary.paths[1].objects, N);
    assert_int_equal(summary.types[0].retained_b, (uint64_t) 32 * N);
    assert_int_equal(summary.largest[0].length, 2);
    assert_string_equal(summary.largest[0].steps[0], "list");
    assert_string_equal(summary.largest[0].steps[1], "message");
    amp_heap_summary_free(&summary);
    amp_heap_dominators_free(&d);
    amp_heap_free(&graph);
}

/* Two roots share an object: neither retains it. */
static void test_shared(void **state)
{
    struct amp_heap_graph graph = { .n = 0 };
    struct amp_heap_dominators d;
    struct amp_heap_summary summary;

    (void) state;
    amp_heap_root(&graph, "a", at(0));
    amp_heap_root(&graph, "b", at(1));
    amp_heap_root(&graph, "b", at(9)); /* no object is there */
    for (uint32_t i = 0; i < 2; i++) {
        amp_heap_object(&graph, at(i), 16, "node");
        amp_heap_edge(&graph, at(2));
    }
    amp_heap_object(&graph, at(2), 64, "shared");
    amp_heap_object(&graph, at(3), 128, "node"); /* dropped */
    assert_int_equal(amp_heap_link(&graph), 0);
    assert_int_equal(amp_heap_dominate(&graph, &d), 0);
    assert_int_equal(amp_heap_summarise(&graph, &d, &summary), 0);
    assert_int_equal(summary.live_b, 96);
    assert_int_equal(summary.dropped_b, 128);
    assert_int_equal(summary.n_paths, 6);
    assert_string_equal(summary.paths[2].name, AMP_HEAP_SEVERAL);
    assert_int_equal(summary.paths[2].retained_b, 64);
    assert_int_equal(summary.paths[0].retained_b, 16);
    amp_heap_summary_free(&summary);
    amp_heap_dominators_free(&d);
    amp_heap_free(&graph);
}

static void test_refused(void **state)
{
    struct amp_heap_graph graph = { .n = 0 };
    static char names[AMP_HEAP_TYPES + 1][8];

    (void) state;
    amp_heap_object(&graph, at(0), 16, "node");
    amp_heap_object(&graph, at(0), 16, "node");
    assert_int_equal(amp_heap_link(&graph), -EEXIST);
    amp_heap_free(&graph);
    for (uint32_t i = 0; i <= AMP_HEAP_TYPES; i++) {
        snprintf(names[i], sizeof names[i], "t%u", i);
        amp_heap_object(&graph, at(i), 16, names[i]);
    }
    assert_int_equal(amp_heap_link(&graph), -ENOSPC);
    amp_heap_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
