/* SPDX-License-Identifier: MIT
 *
 * Runs a program with a library of ours before it: to profile it, or to record what it does. */
#ifndef AMP_PROFILE_LAUNCH_H
#define AMP_PROFILE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

struct amp_launch {
    char **command;      /* ends with NULL */
    const char *path;    /* of its program */
    const char *library; /* to be preloaded */
    const char *folder;  /* where processes leave their counts */
    int output;          /* a descriptor for the program's standard output; -1: ours */
    uint64_t every_ns;   /* a snapshot after each such time; 0: none */
    /* Called for a snapshot: after that time, and at SIGUSR2 to this process. NULL: there is none. */
    void (*snapshot)(void *argument);
    void *argument;
};

/* Start it, pass INT, TERM, HUP and QUIT on to it, and wait for its end. Returns its wait status, or a negative
 * errno. */
int amp_launch_run(const struct amp_launch *launch, int *status);

/* A program's exit status from its wait status; `out` gets how it ended, nothing if that was well. */
int amp_launch_describe(int status, char *out, size_t cap);

/* A file by its place beside this program: 0, or 2 after it has said why not. */
int amp_launch_find_beside(const char *name, char *out, size_t cap);

/* Before the program runs, since later would be too late: whether a regular file can be written at `path`, by a rename
 * from beside it. `what`: what follows from there being no such file. 0, or 2 after it has said why not. */
int amp_launch_check_output(const char *path, const char *what);

#endif
