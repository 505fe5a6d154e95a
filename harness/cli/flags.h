/* SPDX-License-Identifier: MIT
 *
 * The verbs and flags of ampersand-bench: which verb takes which flag, what values a flag takes, and what a command
 * line gives. Functions that read return 0, or the exit status 2 after a line on stderr that names the word and what
 * would be right. */
#ifndef AMP_FLAGS_H
#define AMP_FLAGS_H

#include "harness/allocators/options.h"

enum amp_verb {
    AMP_VERB_PAIRED,
    AMP_VERB_ALLOCATORS,
    AMP_VERB_LIST,
    AMP_VERB_BUDGETS,
    AMP_VERB_PROFILED,
    AMP_VERB_CHILD,
    AMP_VERB_COUNTERS,
    AMP_VERB_COUNTERS_CHILD,
    AMP_VERB_MACHINE,
    AMP_VERB_HELP,
    AMP_VERB_VERSION,
    AMP_VERB_SOLO
};

enum amp_flag {
    AMP_FLAG_OUT,
    AMP_FLAG_RESUME,
    AMP_FLAG_ROWS,
    AMP_FLAG_SOLO_ROWS,
    AMP_FLAG_FILTER,
    AMP_FLAG_SHARD,
    AMP_FLAG_QUICK,
    AMP_FLAG_LAUNCHES,
    AMP_FLAG_COUNTS_LAUNCHES,
    AMP_FLAG_SOLO_LAUNCHES,
    AMP_FLAG_PRECISION,
    AMP_FLAG_BUDGET,
    AMP_FLAG_SEED,
    AMP_FLAG_LAYOUT,
    AMP_FLAG_LESSON,
    AMP_FLAG_EPOCH_US,
    AMP_FLAG_ROUNDS,
    AMP_FLAG_NO_WAIT,
    AMP_FLAG_TIMEOUT,
    AMP_FLAG_MEMORY_LIMIT,
    AMP_FLAG_QUESTIONS,
    AMP_FLAG_ITERATIONS,
    AMP_FLAG_CONFIG,
    AMP_FLAG_WORKLOAD,
    AMP_FLAG_BASELINE,
    AMP_FLAG_TIMELINES,
    AMP_FLAG_METRIC,
    AMP_FLAG_MORE_IS_BETTER,
    AMP_FLAG_LOAD,
    AMP_FLAG_INPUT,
    AMP_FLAG_TRACE,
    AMP_FLAGS
};

#define AMP_SEED_MOST (((uint64_t) 1 << 53) - 1)

struct amp_value {
    bool given;
    const char *word;
    uint64_t number;               /* of a percentage in millionths, of a time in seconds */
    const char *list[AMP_CONFIGS]; /* of a flag that may be given several times */
    size_t n;
};

/* --out */
const char *amp_flag_name(enum amp_flag flag);

bool amp_flag_is_of(enum amp_flag flag, enum amp_verb verb);

/* The verb's name for the user: the door calls one verb differently. */
const char *amp_verb_called(enum amp_verb verb);

int amp_verb_read(const char *word, enum amp_verb *out);

/* Read the value of a flag. */
int amp_flag_read(enum amp_flag flag, const char *text, struct amp_value *out);

/* Read a command line whose first word is the verb.
 *
 * values    AMP_FLAGS of them, zeroed by the caller; their texts are argv's
 * rest      what stands behind "--", where the verb takes a program; untouched if nothing does */
int amp_flags_read(enum amp_verb verb, int argc, char **argv, struct amp_value *values, char ***rest);

#endif
