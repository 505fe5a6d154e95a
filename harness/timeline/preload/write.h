/* SPDX-License-Identifier: MIT
 *
 * Writes an event into the ring of the calling thread, from anywhere in the traced process. */
#ifndef AMP_TIMELINE_WRITE_H
#define AMP_TIMELINE_WRITE_H

#include "harness/marks.h"

#include <stdbool.h>
#include <sys/types.h>

#define AMP_RING_EXPORTED __attribute__((__visibility__("default")))

/* What marks call. Takes no lock but when a chunk is full, allocates nothing, and keeps errno. */
AMP_RING_EXPORTED void amp_ring_write(struct amp_mark *at, unsigned kind, uint64_t value);

/* The same, for an event that was called from there: the number of a stack's name, or 0. */
void amp_ring_write_from(struct amp_mark *at, unsigned kind, uint64_t value, uint32_t stack);

/* The number of a name, put down if it is new; 0: it cannot be. */
uint32_t amp_ring_name(const char *text);

/* An event of ours. */
#define AMP_NOTE(kind, name, value)                                                                                    \
    do {                                                                                                               \
        static struct amp_mark note_here = { name, 0 };                                                                \
                                                                                                                       \
        amp_ring_write(&note_here, kind, value);                                                                       \
    } while (0)

/* The thread has another name. */
void amp_ring_rename(const char *name);

/* The thread ends: it gives its chunk back, and records nothing any more. */
void amp_ring_end_thread(void);

/* Record into memory of this process, so much of it, where nobody traces the process: so a mark can be timed. */
AMP_RING_EXPORTED void amp_ring_begin_here(size_t size_b);

/* Once, before any other: the environment tells where the file goes. Without that nothing is recorded. */
void amp_ring_begin_process(void);

/* Whether it did. */
bool amp_ring_is_traced(void);

/* Whether the ring is that process's: in a child of vfork() it is the parent's. */
bool amp_ring_is_of(pid_t pid);

/* Switch on the marks of all that is loaded now, if the process is traced. */
void amp_marks_switch_on(void);

#endif
