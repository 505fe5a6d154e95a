/* SPDX-License-Identifier: MIT
 *
 * Runs a program, profiles it, and reports. */
#ifndef AMP_PROFILE_RUN_H
#define AMP_PROFILE_RUN_H

#include "harness/profile/samples/profile.h"

struct amp_run_options {
    const char *output; /* the file for the profile; NULL: none */
    bool is_json, is_cpu;
    bool is_silent; /* nothing is reported */
    uint64_t every_ns;
    uint64_t sample_b; /* bytes from one sampled allocation to the next; 0: each is recorded */
    char **command;
    const char *title; /* of a side of a row; NULL: it is a program of the user's */
    int told;          /* where a side's standard output goes; -1: to ours */
};

/* The exit status: the program's, or 2 after it has said why not. With `kept`, the profile is left there, with names;
 * the caller frees it. */
int amp_run_program(const struct amp_run_options *options, struct amp_profile *kept);

#endif
