/* SPDX-License-Identifier: MIT
 *
 * Runs the program that is profiled. */
#ifndef AMP_PROFILE_LAUNCH_H
#define AMP_PROFILE_LAUNCH_H

#include <stdint.h>

struct amp_launch {
    char **command;      /* ends with NULL */
    const char *path;    /* of its program */
    const char *library; /* to be preloaded */
    const char *folder;  /* where processes leave their counts */
    int output;          /* a descriptor for the program's standard output; -1: ours */
    uint64_t every_ns;   /* a snapshot after each such time; 0: none */
    /* Called for a snapshot: after that time, and at SIGUSR2 to this process. */
    void (*snapshot)(void *argument);
    void *argument;
};

/* Start it, pass INT, TERM, HUP and QUIT on to it, and wait for its end. Returns its wait status, or a negative errno. */
int amp_launch_run(const struct amp_launch *launch, int *status);

#endif
