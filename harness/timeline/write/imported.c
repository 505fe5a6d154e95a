/* SPDX-License-Identifier: MIT
 *
 * One process, whose threads are the dump's processes: uftrace calls them so. */
#include "harness/timeline/write/imported.h"

#include "harness/marks.h"
#include "harness/timeline/preload/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

struct name {
    uint32_t number;
    UT_hash_handle hh;
    char text[];
};

struct thread {
    int tid;
    struct amp_ring_chunk *chunk; /* not written yet */
    UT_hash_handle hh;
};

struct maker {
    struct amp_ring_head head;
    char *name_texts;
    struct name *names;
    struct thread *threads;
    uint64_t order;
    int fd;
};

static int write_at(const struct maker *m, const void *bytes, uint64_t n, uint64_t at)
{
    ssize_t written = pwrite(m->fd, bytes, n, (off_t) at);

    return written == (ssize_t) n ? 0 : written < 0 ? -errno : -ENOSPC;
}

static int write_chunk(struct maker *m, struct amp_ring_chunk *chunk)
{
    uint64_t at = AMP_RING_HEAD_B + AMP_RING_NAMES_B + m->head.n_chunks * AMP_RING_CHUNK_B;
    int err;

    chunk->order = ++m->order;
    err = write_at(m, chunk, AMP_RING_CHUNK_B, at);
    m->head.n_chunks++;
    chunk->nth++;
    chunk->used = 0;
    return err;
}

/* 0: no memory. */
static uint32_t number_of(struct maker *m, const char *text, size_t n)
{
    uint16_t length = (uint16_t) n;
    struct name *name;

    HASH_FIND(hh, m->names, text, n, name);
    if (name)
        return name->number;
    if (m->head.names_b + sizeof length + n + 1 > AMP_RING_NAMES_B)
        return AMP_RING_NO_ROOM;
    name = calloc(1, sizeof *name + n + 1);
    if (!name)
        return 0;
    memcpy(name->text, text, n);
    name->number = ++m->head.n_names;
    HASH_ADD_KEYPTR(hh, m->names, name->text, n, name);
    memcpy(m->name_texts + m->head.names_b, &length, sizeof length);
    memcpy(m->name_texts + m->head.names_b + sizeof length, text, n + 1);
    m->name_texts[m->head.names_b + sizeof length + n] = '\0';
    m->head.names_b += sizeof length + n + 1;
    return name->number;
}

static struct thread *thread_of(struct maker *m, int tid)
{
    struct thread *thread;

    HASH_FIND_INT(m->threads, &tid, thread);
    if (thread)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (thread)
        thread->chunk = calloc(1, AMP_RING_CHUNK_B);
    if (!thread || !thread->chunk) {
        free(thread);
        return NULL;
    }
    thread->tid = thread->chunk->tid = tid;
    thread->chunk->thread = ++m->head.n_threads;
    thread->chunk->nth = 1;
    m->head.pid = m->head.pid ? m->head.pid : tid;
    HASH_ADD_INT(m->threads, tid, thread);
    return thread;
}

/* {"ts":69235801017.611,"ph":"B","pid":11234,"name":"main"}; other lines are none of ours. */
static int take_line(struct maker *m, const char *line)
{
    unsigned long long us, ns;
    const char *name, *end;
    struct thread *thread;
    uint32_t number;
    int tid, at = 0;
    char kind;

    if (sscanf(line, "{\"ts\":%llu.%3llu,\"ph\":\"%c\",\"pid\":%d,\"name\":\"%n", &us, &ns, &kind, &tid, &at) != 4 ||
        at == 0 || (kind != 'B' && kind != 'E'))
        return 0;
    name = line + at;
    end = strchr(name, '"');
    thread = thread_of(m, tid);
    number = end && end - name < AMP_RING_NAME_B ? number_of(m, name, (size_t) (end - name)) : AMP_RING_NO_ROOM;
    if (!thread || number == 0)
        return -ENOMEM;
    thread->chunk->events[thread->chunk->used++] = (struct amp_ring_event){
        .ticks = us * 1000 + ns, .name = number, .kind = kind == 'B' ? AMP_MARK_BEGIN : AMP_MARK_END };
    return thread->chunk->used == AMP_RING_EVENTS ? write_chunk(m, thread->chunk) : 0;
}

static int finish(struct maker *m)
{
    struct thread *thread, *more;
    struct name *name, *next;
    int err = 0;

    HASH_ITER(hh, m->threads, thread, more) {
        if (thread->chunk->used > 0 && !err)
            err = write_chunk(m, thread->chunk);
        HASH_DEL(m->threads, thread);
        free(thread->chunk);
        free(thread);
    }
    HASH_ITER(hh, m->names, name, next) {
        HASH_DEL(m->names, name);
        free(name);
    }
    if (!err)
        err = write_at(m, m->name_texts, AMP_RING_NAMES_B, AMP_RING_HEAD_B);
    return err ? err : write_at(m, &m->head, sizeof m->head, 0);
}

int amp_imported_make(FILE *dump, const char *program, const char *folder)
{
    struct maker m = { .head = { .magic = AMP_RING_MAGIC, .version = AMP_RING_VERSION } };
    char path[PATH_MAX], *line = NULL;
    size_t cap = 0;
    int err = 0, failed;

    snprintf(path, sizeof path, "%s/1-0", folder);
    snprintf(m.head.program, sizeof m.head.program, "%s", program);
    m.name_texts = calloc(1, AMP_RING_NAMES_B);
    m.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (!m.name_texts || m.fd < 0)
        err = m.fd < 0 ? -errno : -ENOMEM;
    if (!err && !number_of(&m, "(a name for which there was no room)", 36))
        err = -ENOMEM;
    while (!err && getline(&line, &cap, dump) > 0)
        err = take_line(&m, line);
    if (!err && m.head.n_threads == 0)
        err = -EPROTO;
    failed = m.fd < 0 ? 0 : finish(&m);
    if (m.fd >= 0)
        close(m.fd);
    free(m.name_texts);
    free(line);
    return err ? err : failed;
}
