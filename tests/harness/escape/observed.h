/* SPDX-License-Identifier: MIT
 *
 * What generated programs are made of. As it stands it is analysed; with OBSERVED it runs, and prints for each line
 * that made an object:
 *
 *   LINE outlives    an object of it was used, freed or could be reached after the frame that made it had returned
 *   LINE overlaps    an object of it was used after the same line had made a newer one in the same frame
 *   LINE dies        neither
 *
 * The observed build never uses memory again, so that any use is safe. Locals lie in memory of their own there, too. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    void *any;
    long number;
    struct node *pair[2];
};

struct both {
    struct node *first;
    long between;
    struct node *second;
};

#ifndef OBSERVED

#define FUEL 1
#define ENTER
#define LEAVE
#define NEW(made) (made)
#define CALL(called) (called)
#define LOCAL(name)                                                                                                    \
    struct node name##_memory = { 0 };                                                                                 \
    struct node *name = &name##_memory
#define USE(p) (sum += (p)->number)
#define FREE(p) free(p)
#define SEE(p)

static long sum;

#else

#include <stdio.h>

#define FUEL (fuel-- > 0)
#define ENTER const int frame = ++frames
#define LEAVE ended[frame] = 1
#define NEW(made) ((struct node *) observe_new(__LINE__, frame))
#define CALL(called) __extension__({ const int before = objects; observe_call(before, (called), __LINE__, frame); })
#define LOCAL(name) struct node *name = observe_new(0, frame)
#define USE(p) observe_use(p)
#define FREE(p) observe_use(p)
#define SEE(p) observe_reach(p, 3)

enum { OBJECTS = 200000, FRAMES = 400000, LINES = 60000, MAKERS = 12 };

static struct node object[OBJECTS];
static struct maker {
    int line, frame;
} maker[OBJECTS][MAKERS];
static int makers[OBJECTS], objects, frames, fuel = 20000;
static char ended[FRAMES], seen[LINES], outlives[LINES], overlaps[LINES];
static struct newest {
    int line, frame, object;
} newest[1 << 21];

static struct newest *newest_of(int line, int frame)
{
    unsigned at = ((unsigned) line * 40503u + (unsigned) frame * 2654435761u) & ((1 << 21) - 1);

    while (newest[at].line && (newest[at].line != line || newest[at].frame != frame))
        at = (at + 1) & ((1 << 21) - 1);
    newest[at].line = line;
    newest[at].frame = frame;
    return &newest[at];
}

static void made_by(int o, int line, int frame)
{
    if (!line || makers[o] == MAKERS)
        return;
    maker[o][makers[o]++] = (struct maker){ line, frame };
    seen[line] = 1;
    newest_of(line, frame)->object = o;
}

static void *observe_new(int line, int frame)
{
    if (objects == OBJECTS)
        exit(3);
    made_by(objects, line, frame);
    return &object[objects++];
}

/* What a call returns is made by that line, too, if it was made during the call. */
static struct node *observe_call(int before, struct node *result, int line, int frame)
{
    const ptrdiff_t o = result - object;

    if (result && o >= before)
        made_by((int) o, line, frame);
    return result;
}

static void observe_use(struct node *p)
{
    const int o = (int) (p - object);

    for (int m = 0; m < makers[o]; m++) {
        const struct maker by = maker[o][m];

        if (ended[by.frame])
            outlives[by.line] = 1;
        if (newest_of(by.line, by.frame)->object != o)
            overlaps[by.line] = 1;
    }
}

/* Use all that can be reached in so many steps. */
static void observe_reach(struct node *p, int steps)
{
    if (!p)
        return;
    observe_use(p);
    if (steps == 0)
        return;
    observe_reach(p->next, steps - 1);
    observe_reach(p->any, steps - 1);
    observe_reach(p->pair[0], steps - 1);
    observe_reach(p->pair[1], steps - 1);
}

static void report(void)
{
    for (int line = 0; line < LINES; line++)
        if (seen[line])
            printf("%d %s\n", line, outlives[line] ? "outlives" : overlaps[line] ? "overlaps" : "dies");
}

#endif
