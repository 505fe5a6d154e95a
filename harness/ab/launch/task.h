/* SPDX-License-Identifier: MIT
 *
 * The task of a launch, one process: some layouts of one kernel, and the file for the result. It is the process's only
 * argument, as JSON. */
#ifndef AMP_AB_TASK_H
#define AMP_AB_TASK_H

#include "harness/files/record.h"

enum { AMP_AB_LAYOUTS = 64 }; /* of a launch, at most */

/* Its strings are borrowed from its JSON. */
struct amp_ab_task {
    const char *kernel, *configuration;
    bool floor;          /* base against itself */
    bool programs;       /* sides are programs, <modules>/base.000; else modules, <modules>/base.000.so */
    bool results_differ; /* go on where the checksums do */
    const char *modules; /* a folder */
    const char *file;    /* where the result goes, whole or not at all */
    unsigned launch;
    uint64_t seed, epoch_ns, quiet_ns;
    size_t rounds_per_block; /* even */
    size_t long_rounds;      /* even, behind these; 0: none */
    uint64_t long_times;     /* how many times as long their epochs are */
    int cpu;                 /* -1: not pinned */
    uint64_t layouts[AMP_AB_LAYOUTS];
    size_t n_layouts;
};
extern const struct amp_record amp_ab_task_record, amp_ab_task_identity;

/* Exit statuses of a launch; stderr's last line says more. */
#define AMP_AB_EXIT_DISAGREE 72 /* the checksums of the sides differ */
#define AMP_AB_EXIT_SIDE 74     /* a side cannot be loaded, or ended before it was asked to */

/* They, as a list of struct amp_exit (run/outcome.h). */
#define AMP_AB_EXITS                                                                                                   \
    {                                                                                                                  \
        { AMP_AB_EXIT_DISAGREE, "disagreement", "the sides' checksums differ" },                                       \
            { AMP_AB_EXIT_SIDE, "side", "a side does not run" }, { 0 }                                                 \
    }

#endif
