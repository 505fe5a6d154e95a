/* SPDX-License-Identifier: MIT
 *
 * A program of the user's, run under a configuration. ampersand-workload starts it and is not under the configuration
 * itself:
 *
 *     ampersand-workload  --fork, exec-->  PROGRAM with LD_PRELOAD, MALLOC_CONF ...
 *       reads the sensor                     |
 *       follows it by ptrace  <-- exec ------|   its environment, the clock starts
 *                             <-- exit ------|   its memory and its libraries, before they are gone
 *       reads the sensor      <-- wait4 -----'   user and system time, faults
 *
 * With a load (a client's command), the program is a server: the load starts when the server listens, its duration is
 * the time, and the server is ended by SIGTERM after it. Memory is that of the process that had most, of the program
 * and of those that it started. */
#ifndef AMP_PROGRAM_H
#define AMP_PROGRAM_H

#include "harness/allocators/provenance/in_force.h"

enum { AMP_PROGRAM_WORDS = 512, AMP_PROGRAM_VARIABLES = 64 };

/* What the user asks for; in the manifest under "program". */
struct amp_program {
    const char *command[AMP_PROGRAM_WORDS + 1]; /* argv; the last is NULL */
    size_t n_command;
    const char *path;   /* the file of command[0] */
    const char *folder; /* in which it runs */
    const char *input;  /* what its standard input is read from; NULL: /dev/null */
    const char *metric; /* POSIX extended regular expression: its group is a number of the user's own; NULL: none */
    const char *load;   /* for sh; NULL: the program is no server */
    bool more_is_better; /* of the metric */
};
extern const struct amp_record amp_program_record;

/* Fill in command, path and folder; the words are borrowed. Returns an exit status: 0, or 2 after it has said what is
 * wrong with them, with the input or with the metric. */
int amp_program_read(char **words, struct amp_program *out);

struct amp_program_task {
    const char *file, *configuration, *workload;
    unsigned launch, environment_padding_b;
    int cpu; /* -1: not pinned */
    uint64_t seed, quiet_ns;
    struct amp_program program;
    const char *environment[AMP_PROGRAM_VARIABLES]; /* of the configuration */
    size_t n_environment;
    const char *preload; /* NULL: none */
};
extern const struct amp_record amp_program_task_record, amp_program_launch_record;

/* The exit statuses of ampersand-workload about a program, as a list of struct amp_exit. */
#define AMP_EXIT_PROGRAM 74
#define AMP_EXIT_METRIC 75
#define AMP_EXIT_LOAD 76
#define AMP_PROGRAM_EXITS                                                                                              \
    {                                                                                                                  \
        { AMP_EXIT_PROGRAM, "program", "the program failed" }, { AMP_EXIT_METRIC, "metric", "it printed no metric" },  \
            { AMP_EXIT_LOAD, "load", "the load failed" }, { 0 }                                                        \
    }

/* Each writes task->file and returns an exit status: 0, 2, or one of the above after it has said why. */
int amp_program_run(const struct amp_program_task *task);
int amp_program_probe(const struct amp_program_task *task); /* what is in force in it; it does not get to main() */

#endif
