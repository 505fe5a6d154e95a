/* SPDX-License-Identifier: MIT
 *
 * How far apart are two points? Passed by value, or by const pointer.
 *
 *   value     caller --[x y z][x y z]--> callee      48 B copied
 *   pointer   caller --[ & ][ & ]------> callee      16 B copied
 *
 * Same on both sides:  the arithmetic, the points, a call that is not inlined.
 * Different:           where the callee finds the six numbers.
 */
#include "harness/kernel.h"

struct point {
    int64_t x, y, z;
};

static AMP_NOINLINE uint64_t distance_of_values(struct point a, struct point b)
{
    return (uint64_t) ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) + (a.z - b.z) * (a.z - b.z));
}

static AMP_NOINLINE uint64_t distance_of_pointers(const struct point *a, const struct point *b)
{
    return (uint64_t) ((a->x - b->x) * (a->x - b->x) + (a->y - b->y) * (a->y - b->y) + (a->z - b->z) * (a->z - b->z));
}

static uint64_t run_value(void *fixture, uint64_t ops)
{
    const struct point *points = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(points); /* the compiler must believe that they may have changed */
        sum += distance_of_values(points[0], points[1]);
    }
    return sum;
}

static uint64_t run_pointer(void *fixture, uint64_t ops)
{
    const struct point *points = fixture;
    uint64_t sum = 0;

    for (uint64_t i = ops; i > 0; i--) {
        amp_keep(points);
        sum += distance_of_pointers(&points[0], &points[1]);
    }
    return sum;
}

static void *set_up(size_t size)
{
    struct point *points = amp_alloc(2 * size);

    points[0] = (struct point){ 1, 2, 3 };
    points[1] = (struct point){ 10, 20, 30 };
    return points;
}

AMP_PAIR(distance,
         .question = "What does it cost to pass two points of 24 B by value, and what by pointer?",
         .value = { run_value, .set_up = set_up, .tear_down = free },
         .pointer = { run_pointer, .set_up = set_up, .tear_down = free },
         .sizes = AMP_SIZES(sizeof(struct point)));
