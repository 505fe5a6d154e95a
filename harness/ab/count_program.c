/* SPDX-License-Identifier: MIT
 *
 * main() of a program that counts the kernels of a side that cannot be loaded: linked with its objects and jemalloc.
 * Argument: the list of amp_ab_count(). */
#include "harness/ab/count.h"

#include <stdio.h>

extern const struct amp_ab_side amp_ab_side;

static const struct amp_ab_kernel *find(const char *module, const char *kernel, char *why, size_t size)
{
    const struct amp_ab_kernel *found = amp_ab_find(&amp_ab_side, kernel);

    (void) module;
    if (!found)
        snprintf(why, size, "it has no kernel %s", kernel);
    return found;
}

int main(int argc, char **argv)
{
    return argc == 2 ? amp_ab_count(&(struct amp_ab_counting){ find, NULL }, argv[1]) : 2;
}
