/* SPDX-License-Identifier: MIT
 *
 * main() of a side that cannot be loaded into another process: linked with its objects into a program of its own.
 * Arguments: the descriptor of the shared memory, 0 for base or 1 for head, the kernel, and how much of the heap and of
 * the address space to take first. */
#include "harness/ab/launch/pages.h"
#include "harness/ab/launch/side.h"

#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>

extern const struct amp_ab_side amp_ab_side;

static const struct amp_ab_kernel *find(const void *kernel, char *why, size_t size)
{
    const struct amp_ab_kernel *found = amp_ab_find(&amp_ab_side, kernel);
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    int err = 0;

    if (!found)
        snprintf(why, size, "it has no kernel %s", (const char *) kernel);
    if (found && length > 0) {
        path[length] = '\0';
        err = amp_ab_pages_of_file(path);
    }
    if (err)
        snprintf(why, size, "its code cannot be copied to fresh pages: %s", strerror(-err));
    return err ? NULL : found;
}

int main(int argc, char **argv)
{
    struct amp_ab_turns *turns;
    void *heap;

    if (argc != 6)
        return 2;
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) { /* both sides must lie at the same addresses */
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
        return 2;
    }
    turns = mmap(NULL, sizeof *turns, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
    if (turns == MAP_FAILED)
        return 2;
    heap = malloc(strtoull(argv[4], NULL, 10));
    amp_keep(heap);
    mmap(NULL, strtoull(argv[5], NULL, 10), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    amp_ab_side_run(turns, atoi(argv[2]) == 0 ? AMP_AB_BASE : AMP_AB_HEAD, find, argv[3]);
}
