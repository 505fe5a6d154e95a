/* SPDX-License-Identifier: MIT
 *
 * A fresh process, of this program or another: started, watched, ended, and what became of it in words. Each call waits
 * for its own; beside.c forks a watcher for each of several. */
#ifndef AMP_PROCESS_H
#define AMP_PROCESS_H

#include "harness/run/outcome.h"

/* Where parent and children run. */
struct amp_placement {
    int cpu;           /* for the children; -1 where there is only one */
    bool aslr_was_off; /* for this process alone (setarch -R, a debugger); children get it back */
};

/* To be called once, before the first child: moves this process to a CPU that the children do not use, where there
 * are two, and from here on notices SIGINT, SIGTERM and SIGHUP instead of dying of them. 0 or a negative errno. */
int amp_process_prepare(struct amp_placement *out);

/* End with the process whose number the environment variable AMPERSAND_DOOR holds, as by SIGTERM: the door, killed, does
 * not leave us measuring. To be called first. */
void amp_process_follow(void);

/* Whether one of these signals has come, or the door is gone. */
bool amp_process_interrupted(void);

/* For the child, first thing in main(): pin it to the CPU that the environment variable AMPERSAND_CPU names. Only
 * here and not before exec: jemalloc counts the CPUs that it may use when it is loaded, and a process of one CPU
 * would get other arenas than the programs that the lessons are about. 0 or a negative errno. */
int amp_process_pin(void);

struct amp_process {
    const char *const *argv; /* argv[0] is only its name, see `program` */
    const char *program;     /* the file to run; NULL: this program's own */
    /* What is added to the environment, "NAME=value", ends in NULL. Where it is not NULL, what configures an allocator
     * (LD_PRELOAD, MALLOC_CONF, GLIBC_TUNABLES, ...) is not inherited: the process has what is said here, no more. */
    const char *const *environment;
    const char *preload; /* with an environment: a library that comes before all others; NULL: none */
    int cpu; /* -1: not pinned */
    unsigned environment_padding_b;
    unsigned timeout_s;
    const struct amp_exit *exits; /* what its exit statuses mean; a zero status ends the list, NULL: nothing */
    uint64_t memory_limit_b; /* of address space, 0: none. Not in a build with a sanitizer, which reserves terabytes */
};

/* Sleep for so long at the most; the signals above are noticed meanwhile. */
void amp_process_pause(unsigned ms);

/* Start one and wait until it has ended. Nothing that it started survives it, nor does it survive us. 0, or a
 * negative errno where no process could be started. */
int amp_process_run(const struct amp_process *process, struct amp_outcome *out);

#endif
