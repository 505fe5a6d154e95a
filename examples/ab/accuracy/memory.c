/* A kernel that is bound by memory: it follows pointers through 64 MiB. Where the last cache holds more, give another
 * power of two, as in accuracy.py --flags "--cflags '-O2 -DMIB=512'". */
#include "harness/ab.h"
#include "plants.h"

#ifndef MIB
#define MIB 64
#endif

enum { LINE_B = 64 };

/* A line leads to any other, so that no hardware foresees it; all are on one circle (Hull and Dobell). */
static void *set_up(size_t size)
{
    size_t lines = size / LINE_B; /* a power of two */
    uint32_t *room = amp_alloc(size);

    for (size_t i = 0; i < lines; i++)
        room[i * (LINE_B / sizeof *room)] = (uint32_t) ((i * 1664525 + 1013904223) % lines);
    return room;
}

static uint64_t run(void *fixture, uint64_t ops)
{
    static uint32_t at;
    const uint32_t *room = fixture;

    for (; ops > 0; ops--)
        for (int i = 0; i < HOPS; i++)
            at = room[(size_t) at * (LINE_B / sizeof *room)];
    amp_keep(&at);
    return 0;
}

AMP_KERNEL(hops, .set_up = set_up, .run = run, .size = (size_t) MIB << 20);
