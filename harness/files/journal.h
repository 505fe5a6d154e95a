/* SPDX-License-Identifier: MIT
 *
 * The journal of a run: what happened, one JSON object a line, append-only, each on the disk before the run goes on. It
 * also locks the folder, so that only one process writes it. Functions return 0 or a negative errno. */
#ifndef AMP_JOURNAL_H
#define AMP_JOURNAL_H

#include <jansson.h>

struct amp_journal {
    int lock; /* the folder itself, flock()ed: the kernel unlocks it however this process ends */
    char path[];
};

/* Lock the run folder until the journal is closed. -EWOULDBLOCK if another process has it. */
int amp_journal_open(const char *dir, struct amp_journal **out);
void amp_journal_close(struct amp_journal *journal);

/* Append an event with its time. `fields` are its other keys, NULL for none; the reference is taken over. */
int amp_journal_event(struct amp_journal *journal, const char *event, json_t *fields);

#endif
