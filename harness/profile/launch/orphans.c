/* SPDX-License-Identifier: MIT
 *
 * source   prctl(2), PR_SET_CHILD_SUBREAPER; proc(5), /proc/<pid>/task/<tid>/children */
#include "harness/profile/launch/orphans.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void amp_orphans_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* False: there is no child. */
static bool end_children(void)
{
    char path[64];
    FILE *children;
    bool any = false;
    int pid;

    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long) getpid());
    children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        kill(pid, SIGKILL);
        any = true;
    }
    if (children)
        fclose(children);
    return any;
}

void amp_orphans_end(void)
{
    while (end_children()) /* the end of one may bring others */
        while (waitpid(-1, NULL, 0) < 0 && errno == EINTR)
            continue;
}
