/* SPDX-License-Identifier: MIT
 *
 * What the command line asks for. */
#ifndef AMP_TIMELINE_OPTIONS_H
#define AMP_TIMELINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define AMP_TIMELINE_OUTPUTS 8

struct amp_timeline_options {
    const char *outputs[AMP_TIMELINE_OUTPUTS];
    unsigned n_outputs;
    uint64_t window_ns; /* the last so much is written; 0: all that is there */
    uint64_t from_ns, to_ns; /* or what lies between, since the first event; to_ns 0: all */
    uint64_t page_events;
    uint64_t window_b;  /* of each process */
    uint64_t above_b;   /* allocations from this size on; UINT64_MAX: none */
    bool is_json;       /* the report */
    bool functions;     /* calls of functions, by uftrace, instead of marks */
    const char *keep;   /* the folder of the recording; NULL: a temporary one */
    const char *from;   /* a recording to write, instead of running something; or NULL */
    const char *row;    /* or NULL */
    char **command;     /* else; ends with NULL */
};

#endif
