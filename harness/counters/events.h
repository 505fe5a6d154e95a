/* SPDX-License-Identifier: MIT
 *
 * Instructions, loads, stores, branches and misses of a stretch of code: by the processor's counters (perf_event_open)
 * or, where a process runs under valgrind, by callgrind, which counts exactly and simulates the misses. */
#ifndef AMP_EVENTS_H
#define AMP_EVENTS_H

#include <stdint.h>

enum amp_event {
    AMP_INSTRUCTIONS,
    AMP_LOADS,  /* instructions that read memory; callgrind counts each of an instruction's accesses */
    AMP_STORES,
    AMP_BRANCHES, /* conditional and indirect ones under callgrind; all under a processor's counters */
    AMP_BRANCH_MISSES,
    AMP_CACHE_MISSES, /* of data, in the first level */
    AMP_EVENTS
};

#define AMP_UNKNOWN INT64_MIN

struct amp_events {
    int64_t n[AMP_EVENTS]; /* AMP_UNKNOWN: nobody can tell */
};

enum amp_source { AMP_NO_SOURCE, AMP_PROCESSOR, AMP_VALGRIND };

/* The system calls by which the processor's counters are read; a test puts its own there. */
struct amp_events_system {
    int (*open)(uint32_t type, uint64_t config); /* the descriptor of a stopped counter, or a negative errno */
    int (*control)(int fd, unsigned long request);
};
extern const struct amp_events_system amp_events_linux;

/* Choose a source for this process and open it. NULL: the source that was chosen before is closed. */
enum amp_source amp_events_open(const struct amp_events_system *system);

/* Count from here, and read what was counted since. 0 or a negative errno: -EPROTO if valgrind wrote something else
 * than callgrind's format. `dump`: callgrind's files are called <dump>.callgrind.<number>. */
void amp_events_begin(void);
int amp_events_end(const char *dump, struct amp_events *out);

/* Read the totals of a dump of callgrind, version 1: text in memory, changed meanwhile. 0 or -EPROTO */
int amp_events_parse(const char *text, struct amp_events *out);

#endif
