/* SPDX-License-Identifier: MIT
 *
 * Whether another thread waits, so that what it waits for can come. Reads /proc. */
#ifndef AMP_TEST_ASLEEP_H
#define AMP_TEST_ASLEEP_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* By the kernel's word: S, for a thread that sleeps. The thread may not have written its number yet: then not. */
static inline bool is_asleep(const pid_t *tid)
{
    char path[64], state = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int) __atomic_load_n(tid, __ATOMIC_ACQUIRE));
    file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (file)
        fclose(file);
    return state == 'S';
}

#endif
