/* SPDX-License-Identifier: MIT */
#include "harness/files/journal.h"

#include "harness/files/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define NAME "/journal.jsonl"

int amp_journal_open(const char *dir, struct amp_journal **out)
{
    struct amp_journal *journal = malloc(sizeof *journal + strlen(dir) + sizeof NAME);
    int err = 0;

    if (!journal)
        return -ENOMEM;
    strcpy(stpcpy(journal->path, dir), NAME);
    journal->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->lock < 0)
        err = -errno;
    else if (flock(journal->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) /* others: no locks on this disk */
        err = -EWOULDBLOCK;
    if (err) {
        amp_journal_close(journal);
        return err;
    }
    *out = journal;
    return 0;
}

void amp_journal_close(struct amp_journal *journal)
{
    if (journal && journal->lock >= 0)
        close(journal->lock);
    free(journal);
}

static void write_time(char out[64])
{
    struct timespec now;
    struct tm utc;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, 32, ".%03ldZ", now.tv_nsec / 1000000);
}

/* Whether the file has a complete line. The first line has the schema, and may be incomplete. */
static bool has_line(const char *path)
{
    char text[4096];
    FILE *file = amp_results_look(path) == 0 ? fopen(path, "re") : NULL;
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;

    if (file)
        fclose(file);
    return memchr(text, '\n', n) != NULL;
}

int amp_journal_event(struct amp_journal *journal, const char *event, json_t *fields)
{
    json_t *line = json_object();
    char time[64];
    int err = line ? 0 : -ENOMEM;

    write_time(time);
    if (!err && !has_line(journal->path))
        err = json_object_set_new(line, "schema", json_string("ampersand/journal/1"));
    if (!err)
        err = json_object_set_new(line, "time", json_string(time)) ||
              json_object_set_new(line, "event", json_string(event)) || (fields && json_object_update(line, fields));
    err = err ? -ENOMEM : amp_results_append(journal->path, line);
    json_decref(line);
    json_decref(fields);
    return err;
}
