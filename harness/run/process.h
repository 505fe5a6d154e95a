/* SPDX-License-Identifier: MIT
 *
 * Start a process, of this program or another, watch it, and say how it ended. Each call waits for its
 * processes. */
#ifndef AMP_PROCESS_H
#define AMP_PROCESS_H

#include "harness/run/outcome.h"

/* Where parent and children run. */
struct amp_placement {
    int cpu;           /* for the children; -1 if there is only one */
    bool aslr_was_off; /* this process runs without ASLR (setarch -R, a debugger); its children get it back */
};

/* Call it once, before the first child. If there are two CPUs, it moves this process to one that the children do not
 * use. From here on SIGINT, SIGTERM and SIGHUP are noticed and do not end this process. 0 or a negative errno. */
int amp_process_prepare(struct amp_placement *out);

/* End, as by SIGTERM, when the process ends whose number is in the environment variable AMPERSAND_DOOR. So nothing goes
 * on measuring if the door is killed. Call it first. */
void amp_process_follow(void);

/* Whether one of these signals has come, or the door has ended. */
bool amp_process_interrupted(void);

/* For the child, first in main(): pin it to the CPU in the environment variable AMPERSAND_CPU. Not earlier, before
 * exec: jemalloc counts its CPUs when it is loaded, and with one CPU it would have other arenas than in ordinary
 * programs. 0 or a negative errno. */
int amp_process_pin(void);

struct amp_process {
    const char *const *argv; /* argv[0] is only a name, see `program` */
    const char *program;     /* the file to run; NULL: this program's own */
    /* Added to the environment: "NAME=value", ends in NULL. If it is not NULL, the process does not inherit variables
     * that configure an allocator (LD_PRELOAD, MALLOC_CONF, GLIBC_TUNABLES, ...); it gets only those given here. */
    const char *const *environment;
    const char *preload; /* with an environment: a library that comes before all others; NULL: none */
    int cpu; /* -1: not pinned */
    unsigned environment_padding_b;
    unsigned timeout_s; /* see time_limit.h */
    const struct amp_exit *exits; /* the meaning of its exit statuses; a zero status ends the list, NULL: none */
    uint64_t memory_limit_b; /* of address space, 0: none. Ignored with sanitizers, which reserve terabytes */
};

/* Whether a variable of the environment, "NAME=value", chooses or configures an allocator. */
bool amp_process_is_of_allocators(const char *variable);

/* Sleep for at most this long; the signals above end it. */
void amp_process_pause(unsigned ms);

enum { AMP_PROCESS_MOST = 48 }; /* at the same time; each is watched through one pollfd */

/* Start processes, at most `at_once` at the same time, and wait until all have ended. out[i] says what became of
 * processes[i]: AMP_INTERRUPTED also where it was not started. Nothing that they started survives them, and nothing
 * survives us. 0, or a negative errno if one could not be started; the others then end in their time. */
int amp_process_run(const struct amp_process *const *processes, size_t n, size_t at_once, struct amp_outcome *out);

#endif
