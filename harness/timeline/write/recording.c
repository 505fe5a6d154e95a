/* SPDX-License-Identifier: MIT */
#include "harness/timeline/write/recording.h"

#include "harness/text/complain.h"
#include "harness/timeline/preload/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST_B (AMP_RING_HEAD_B + AMP_RING_NAMES_B)

static const char *why_not(const struct amp_ring_head *head, uint64_t size_b)
{
    if (head->magic != AMP_RING_MAGIC)
        return "is no recording of a time line, or its process ended while it was being made";
    if (head->version > AMP_RING_VERSION)
        return "was recorded by a newer ampersand: read it by that";
    if (head->names_b > AMP_RING_NAMES_B || head->n_chunks > (size_b - LEAST_B) / AMP_RING_CHUNK_B)
        return "is damaged: it is shorter than it says";
    return NULL;
}

/* NULL, or why not. */
static const char *map(const char *path, struct amp_recorded *out)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *why;
    struct stat found;

    if (fd < 0 || fstat(fd, &found)) {
        why = strerror(errno);
        if (fd >= 0)
            close(fd);
        return why;
    }
    out->size_b = (uint64_t) found.st_size;
    if (!S_ISREG(found.st_mode) || out->size_b < LEAST_B) {
        close(fd);
        return "is no recording of a time line";
    }
    out->head = mmap(NULL, out->size_b, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (out->head == MAP_FAILED)
        return strerror(errno);
    why = why_not(out->head, out->size_b);
    if (why)
        munmap(out->head, out->size_b);
    return why;
}

/* What is said to be a name may be damaged: it must end where it says. */
static int read_names(struct amp_recorded *process)
{
    const char *names = (const char *) process->head + AMP_RING_HEAD_B;
    uint32_t n = __atomic_load_n(&process->head->n_names, __ATOMIC_ACQUIRE);
    uint64_t end = process->head->names_b, at = 0;

    if (n > AMP_RING_NAMES_B / 3)
        n = 0;
    process->names = calloc(n + 1, sizeof *process->names);
    if (!process->names)
        return -ENOMEM;
    while (process->n_names < n) {
        uint16_t length;

        if (at + sizeof length > end)
            break;
        memcpy(&length, names + at, sizeof length);
        if (length > AMP_RING_NAME_B || at + sizeof length + length + 1u > end ||
            names[at + sizeof length + length] != '\0')
            break;
        process->names[process->n_names++] = names + at + sizeof length;
        at += sizeof length + length + 1u;
    }
    return 0;
}

/* Nanoseconds of a tick: from two moments that lie far apart. */
static double rate(const struct amp_ring_head *head)
{
    uint64_t ticks = head->last.ticks - head->begin.ticks, ns = head->last.ns - head->begin.ns;

    if (!head->is_cycles || ticks == 0 || ns == 0)
        return 1;
    return (double) ns / (double) ticks;
}

static int in_order(const void *a, const void *b)
{
    const struct amp_recorded *x = a, *y = b;

    if (x->head->begin.ns != y->head->begin.ns)
        return x->head->begin.ns < y->head->begin.ns ? -1 : 1;
    return strcmp(x->file, y->file);
}

static int add(struct amp_recording *recording, const char *folder, const char *name)
{
    struct amp_recorded process = { 0 }, *more;
    char path[PATH_MAX];
    const char *why;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(process.file, sizeof process.file, "%s", name);
    why = map(path, &process);
    if (why) {
        amp_complain(0, path, "%s", why);
        recording->n_refused++;
        return 0;
    }
    process.ns_per_tick = rate(process.head);
    more = realloc(recording->processes, (recording->n + 1) * sizeof *more);
    if (!more || read_names(&process)) {
        munmap(process.head, process.size_b);
        recording->processes = more ? more : recording->processes;
        return -ENOMEM;
    }
    recording->processes = more;
    more[recording->n++] = process;
    return 0;
}

int amp_recording_open(const char *folder, struct amp_recording *out)
{
    DIR *files = opendir(folder);
    int err = files ? 0 : -errno;

    *out = (struct amp_recording){ 0 };
    for (struct dirent *file; files && !err && (file = readdir(files)) != NULL;)
        if (file->d_name[0] >= '0' && file->d_name[0] <= '9')
            err = add(out, folder, file->d_name);
    if (files)
        closedir(files);
    if (!err && out->n == 0)
        err = -ENODATA;
    if (err) {
        size_t n_refused = out->n_refused;

        amp_recording_close(out);
        out->n_refused = n_refused;
    } else {
        qsort(out->processes, out->n, sizeof *out->processes, in_order);
    }
    return err;
}

void amp_recording_close(struct amp_recording *recording)
{
    for (size_t i = 0; i < recording->n; i++) {
        free(recording->processes[i].names);
        munmap(recording->processes[i].head, recording->processes[i].size_b);
    }
    free(recording->processes);
    *recording = (struct amp_recording){ 0 };
}

void amp_recording_seal(const char *folder)
{
    DIR *files = opendir(folder);
    struct amp_ring_head head;

    for (struct dirent *file; files && (file = readdir(files)) != NULL;) {
        int fd = file->d_name[0] == '.' ? -1 : openat(dirfd(files), file->d_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        if (fd >= 0 && pread(fd, &head, sizeof head, 0) == sizeof head && head.magic == AMP_RING_MAGIC) {
            amp_ticks_pair(head.is_cycles && amp_ticks_are_even(), &head.last.ticks, &head.last.ns);
            if (pwrite(fd, &head.last, sizeof head.last, offsetof(struct amp_ring_head, last)) < 0)
                amp_complain(0, file->d_name, "its clock cannot be written down: %s", strerror(errno));
        }
        if (fd >= 0)
            close(fd);
    }
    if (files)
        closedir(files);
}

uint64_t amp_recorded_ns(const struct amp_recorded *process, uint64_t ticks)
{
    double since_ns = (double) (int64_t) (ticks - process->head->begin.ticks) * process->ns_per_tick;
    int64_t ns = (int64_t) process->head->begin.ns + (int64_t) since_ns;

    return ns < 0 ? 0 : (uint64_t) ns;
}

const char *amp_recorded_name(const struct amp_recorded *process, uint32_t number)
{
    return number > 0 && number <= process->n_names ? process->names[number - 1] : "?";
}
