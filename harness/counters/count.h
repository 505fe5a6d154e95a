/* SPDX-License-Identifier: MIT
 *
 * What both sides of each row of a run execute for an operation, in processes of their own, after all timing.
 *
 *   counters RUN        one process a core, under valgrind unless the processor's counters can be read
 *     counters-child      for each of its rows: fork
 *       a row               load its lesson, set both sides up, then of each side: warm it up, and count N and
 *                           2 N operations. Their difference is what N operations execute
 *
 * Valgrind takes a second to start, so one process serves many rows; and because a row has a process of its own, its
 * counts depend on no other row, and its crash ends nothing else. Under valgrind, memory is at the same addresses each
 * time, and the environment and the names of files are the same, so two counts of one build are the same.
 * Functions return an exit status, and print why it is not 0. */
#ifndef AMP_COUNT_H
#define AMP_COUNT_H

/* Why a row that starts threads is not counted. */
#define AMP_COUNT_THREADS "it starts threads, whose turns differ each time"

/* Write RUN/counters.json for the rows of RUN/manifest.json; leaves what was counted before as it is. Valgrind's counts
 * are kept, and taken from there (kept.h). If nothing can count, one line says why, and the file too. */
int amp_count_run(const char *run);

/* The child. `file`, in its working folder, gets one line of JSON for each row; <file>.rows has the rows, each as
 * "<lesson> <pair>/size=<n>" in a line; callgrind's files are <file>.callgrind and the like. */
int amp_count_child(const char *file);

#endif
