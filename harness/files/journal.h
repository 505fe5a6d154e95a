/* SPDX-License-Identifier: MIT
 *
 * What happened in a run, one JSON object a line, append-only, on the disk before the run goes on; and the lock that
 * lets only one run write a folder. Functions return 0 or a negative errno. */
#ifndef AMP_JOURNAL_H
#define AMP_JOURNAL_H

#include <jansson.h>

struct amp_journal {
    int lock; /* the folder itself, flock()ed: the kernel lets go of it however we end */
    char path[];
};

/* Lock the run folder for as long as the journal is open. -EWOULDBLOCK if another process has it. */
int amp_journal_open(const char *dir, struct amp_journal **out);
void amp_journal_close(struct amp_journal *journal);

/* Append an event with its time. `fields`, stolen, are its other keys; NULL: it has none. */
int amp_journal_event(struct amp_journal *journal, const char *event, json_t *fields);

#endif
