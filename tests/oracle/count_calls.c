/* SPDX-License-Identifier: MIT
 *
 * Runs rows of calls.c, for the oracles to watch:
 *
 *     count_calls list                     the rows' names; a tab, and why valgrind counts otherwise, where it does
 *     count_calls heap ROW TIMES           counts with harness/measure/heap.c, prints JSON
 *     count_calls plain ROW TIMES CYCLES   begins and ends counting CYCLES times, then runs the row uncounted
 *     count_calls each TIMES               runs uncounted each row that valgrind is to count as we do, in a process of
 *     its
 *                                          own; prints its id, a tab, the row */
#include "harness/measure/heap.h"
#include "tests/oracle/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const struct call *call, unsigned long times)
{
    for (unsigned long i = 0; i < times; i++)
        call->run();
}

static void print(const struct amp_heap *heap)
{
    printf("{\"allocs\": %" PRIu64 ", \"frees\": %" PRIu64 ", \"asked_b\": %" PRIu64 ", \"granted_b\": %" PRIu64
           ", \"peak_b\": %" PRIu64 ", \"classes\": {",
           heap->allocs, heap->frees, heap->asked_b, heap->granted_b, heap->peak_b);
    for (size_t i = 0; i < heap->n_classes; i++)
        printf("%s\"%" PRIu64 "\": %" PRIu64, i > 0 ? ", " : "", heap->classes[i].class_b, heap->classes[i].allocs);
    printf("}}\n");
}

static int count(const struct call *call, unsigned long times)
{
    static struct amp_heap heap;
    const char *why;

    if (amp_heap_available(&why) != 0) {
        fprintf(stderr, "ampersand: counts: %s\n", why);
        return 2;
    }
    call->run(); /* what only ever happens once, such as the first stack of a thread */
    if (amp_heap_begin() != 0)
        return 1;
    run(call, times);
    if (amp_heap_end(&heap) != 0)
        return 1;
    print(&heap);
    return 0;
}

static int leave_uncounted(const struct call *call, unsigned long times, unsigned long cycles)
{
    static struct amp_heap heap;

    for (unsigned long i = 0; i < cycles; i++)
        if (amp_heap_begin() != 0 || amp_heap_end(&heap) != 0)
            return 1;
    run(call, times);
    return 0;
}

/* One start of a program under valgrind takes longer than all rows together. */
static int run_each(unsigned long times)
{
    for (size_t i = 0; i < n_calls; i++) {
        pid_t child;
        int status;

        if (calls[i].valgrind_differs)
            continue;
        child = fork();
        if (child < 0)
            return 1;
        if (child == 0) {
            run(&calls[i], times);
            _exit(0);
        }
        dprintf(STDOUT_FILENO, "%d\t%s\n", (int) child, calls[i].name);
        if (waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < n_calls; i++)
            printf("%s\t%s\n", calls[i].name, calls[i].valgrind_differs != NULL ? calls[i].valgrind_differs : "");
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "each") == 0)
        return run_each(strtoul(argv[2], NULL, 10));
    const struct call *call = argc >= 4 ? call_by_name(argv[2]) : NULL;
    if (call != NULL && argc == 4 && strcmp(argv[1], "heap") == 0)
        return count(call, strtoul(argv[3], NULL, 10));
    if (call != NULL && argc == 5 && strcmp(argv[1], "plain") == 0)
        return leave_uncounted(call, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    fprintf(stderr, "usage: count_calls list | heap ROW TIMES | plain ROW TIMES CYCLES | each TIMES\n");
    return 2;
}
