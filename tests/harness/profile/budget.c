/* SPDX-License-Identifier: MIT
 *
 * A unit test with a budget: allocates as often as it is told, prints what the budget says. */
#include "harness/budget.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile sink;

__attribute__((noinline)) static void take_some(int n)
{
    for (int i = 0; i < n; i++) {
        sink = malloc(100);
        free(sink);
    }
}

static void *elsewhere(void *unused)
{
    take_some(50);
    return unused;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    const char *breach;
    pthread_t other;

    if (argc > 2) { /* a daemon */
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
    }
    pthread_create(&other, NULL, elsewhere, NULL); /* what a thread needs is allocated here, and used again */
    pthread_join(other, NULL);
    for (int round = 0; round < 2; round++) { /* the second begins anew */
        amp_budget_begin();
        take_some(n);
        pthread_create(&other, NULL, elsewhere, NULL); /* does not count */
        pthread_join(other, NULL);
        breach = amp_budget_end(AMP_BUDGET(.allocs = 3, .bytes = 1000));
        fprintf(argc > 2 ? stderr : stdout, "%s\n", breach ? breach : "kept");
    }
    return breach != NULL;
}
