/* SPDX-License-Identifier: MIT
 *
 * What programs of single cases share: a collector with two types and a root; and main(), which runs a case by name. */
#ifndef TESTS_GC_CASES_H
#define TESTS_GC_CASES_H

#include "harness/gc/gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME 1024
#define LENGTH 2000

struct node {
    struct node *next, *other;
    uint64_t value;
};

static const uint16_t in_node[] = { 0, 1 }, in_slot[] = { 0 };
static const struct amp_gc_type node = { "node", sizeof(struct node), in_node, 2 }, slot = { "slot", 8, in_slot, 1 };
static unsigned nodes, slots __attribute__((unused));
static struct amp_gc *gc;
static void *root;
static uint32_t told __attribute__((unused)); /* between a mutator and who started it */

static __attribute__((unused)) uint64_t say(void *text)
{
    printf("%s\n", (const char *) text);
    fflush(stdout);
    return 0;
}

static __attribute__((unused)) uint64_t say_why(void *unused)
{
    (void) unused;
    return say((void *) amp_gc_message(gc));
}

static __attribute__((unused)) struct amp_gc *make(struct amp_gc_limits limits)
{
    struct amp_gc *made = NULL;
    const char *why;
    int error = amp_gc_create(&limits, &made, &why);

    if (error) {
        printf("%s: %s\n", strerror(-error), why);
        return NULL;
    }
    if (amp_gc_type_add(made, &node, &nodes) || amp_gc_type_add(made, &slot, &slots) ||
        amp_gc_root_add(made, "root", &root, sizeof root))
        abort();
    return made;
}

static __attribute__((unused)) void report(int error)
{
    printf("%s: %s\n", error ? strerror(-error) : "no error", amp_gc_message(gc));
}

static __attribute__((unused)) void wait_for_told(uint32_t value)
{
    while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) != value)
        usleep(100);
}

struct example {
    const char *name;
    void (*run)(void);
};

static int run_case(const struct example *examples, size_t n, int argc, char **argv)
{
    for (size_t i = 0; i < n; i++)
        if (argc == 2 && strcmp(argv[1], examples[i].name) == 0) {
            examples[i].run();
            return 0;
        }
    return 2;
}

#endif
