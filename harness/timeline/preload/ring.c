/* SPDX-License-Identifier: MIT
 *
 * By system calls where a function of the C library could be a point of cancellation: a thread must not end in here.
 * No descriptor is kept: programs close what they do not know. */
#include "harness/timeline/preload/ring.h"

#include "harness/profile/record/region.h"
#include "harness/timeline/preload/clock.h"
#include "harness/timeline/preload/write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES 1000 /* of one process number: exec replaces a process that keeps it */

/* Of this process alone: a forked child finds it empty, and begins a file of its own. */
struct process {
    uint64_t generation; /* 0: not begun */
    struct amp_lock lock;
    bool is_off;
    bool are_even;    /* the clock's ticks */
    uint64_t quick;   /* the generation, if they are; else 0 */
    uint64_t limit;   /* chunks in the file at most */
    uint64_t next, order;
    struct amp_ring_head *head;
    char path[PATH_MAX + 64];
};

struct thread {
    uint64_t generation;
    struct amp_ring_chunk *chunk;
    uint32_t number, nth;
    bool is_writing, has_ended;
};

static struct process *process;
static __thread struct thread me __attribute__((tls_model("initial-exec")));
static char folder[PATH_MAX];
static uint64_t window_b;
static bool is_in_memory; /* there is no file */

static char *names_of(struct amp_ring_head *head)
{
    return (char *) head + AMP_RING_HEAD_B;
}

static struct amp_ring_chunk *chunk_of(struct amp_ring_head *head, uint64_t i)
{
    return (struct amp_ring_chunk *) (names_of(head) + AMP_RING_NAMES_B + i * AMP_RING_CHUNK_B);
}

static int open_file(const char *path, int flags)
{
    return (int) syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

/* ---- Names */

/* A name's number, with the lock held. */
static uint32_t number_of(struct amp_ring_head *head, const char *text)
{
    size_t n = strnlen(text, AMP_RING_NAME_B), at = 0;
    char *names = names_of(head);
    uint32_t number = 1;
    uint16_t length;

    for (; at < head->names_b; at += sizeof length + length + 1u, number++) {
        memcpy(&length, names + at, sizeof length);
        if (length == n && memcmp(names + at + sizeof length, text, n) == 0)
            return number;
    }
    if (at + sizeof length + n + 1 > AMP_RING_NAMES_B)
        return AMP_RING_NO_ROOM;
    length = (uint16_t) n;
    memcpy(names + at, &length, sizeof length);
    memcpy(names + at + sizeof length, text, n);
    names[at + sizeof length + n] = '\0';
    head->names_b = at + sizeof length + n + 1;
    __atomic_store_n(&head->n_names, number, __ATOMIC_RELEASE);
    return number;
}

/* ---- The file */

/* Beyond a limit of the program's own the kernel would end it by SIGXFSZ. */
static bool may_be_as_long(uint64_t size_b)
{
    struct rlimit most;

    return getrlimit(RLIMIT_FSIZE, &most) || most.rlim_cur == RLIM_INFINITY || size_b <= most.rlim_cur;
}

/* Memory for a part of the file, so that writing there cannot fail. */
static bool reserve(int fd, uint64_t at, uint64_t size_b)
{
    long failed;

    do {
        failed = syscall(SYS_fallocate, fd, 0, at, size_b);
    } while (failed && errno == EINTR);
    return !failed;
}

static uint64_t end_of_chunks(uint64_t n)
{
    return AMP_RING_HEAD_B + AMP_RING_NAMES_B + n * AMP_RING_CHUNK_B;
}

/* A new file with room for n chunks; the memory of names comes as it is written. NULL: it cannot be made. */
static struct amp_ring_head *make_file(struct process *p, uint64_t n)
{
    void *memory = MAP_FAILED;
    int fd = -1;

    if (is_in_memory) {
        memory = mmap(NULL, end_of_chunks(n), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
    }
    if (!may_be_as_long(end_of_chunks(n)))
        return NULL;
    for (int i = 0; i < FILES && fd < 0; i++) {
        snprintf(p->path, sizeof p->path, "%s/%ld-%d", folder, (long) getpid(), i);
        fd = open_file(p->path, O_RDWR | O_CREAT | O_EXCL);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    if (fd < 0)
        return NULL;
    if (reserve(fd, 0, end_of_chunks(0)) && !syscall(SYS_ftruncate, fd, end_of_chunks(n)))
        memory = mmap(NULL, end_of_chunks(n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (memory == MAP_FAILED)
        syscall(SYS_unlinkat, AT_FDCWD, p->path, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void name_program(struct amp_ring_head *head)
{
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", head->program, sizeof head->program - 1);

    head->program[n > 0 ? n : 0] = '\0';
}

/* With the lock held. The numbers of a parent's names are known to a forked child's marks, so it keeps them. */
static void begin(struct process *p, const struct amp_ring_head *parent)
{
    struct amp_ring_head *head;

    p->limit = window_b / AMP_RING_CHUNK_B;
    p->are_even = amp_ticks_are_even();
    p->head = head = make_file(p, p->limit);
    p->is_off = !head;
    if (head) {
        head->version = AMP_RING_VERSION;
        head->is_cycles = p->are_even;
        head->pid = getpid();
        head->parent = getppid();
        amp_ticks_pair(p->are_even, &head->begin.ticks, &head->begin.ns);
        head->last = head->begin;
        name_program(head);
        if (parent) {
            head->n_names = __atomic_load_n(&parent->n_names, __ATOMIC_ACQUIRE);
            head->names_b = parent->names_b;
            memcpy(names_of(head), (const char *) parent + AMP_RING_HEAD_B, head->names_b);
        }
        if (head->n_names == 0)
            number_of(head, "(a name for which there was no room)");
        __atomic_store_n(&head->magic, AMP_RING_MAGIC, __ATOMIC_RELEASE);
    }
    p->generation = amp_ticks_monotonic_ns() | 1;
    __atomic_store_n(&p->quick, p->are_even ? p->generation : 0, __ATOMIC_RELEASE);
}

/* ---- Chunks */

static bool give_memory(struct process *p, uint64_t i)
{
    int fd;
    bool is_there;

    if (i < p->head->n_chunks)
        return true;
    fd = is_in_memory ? -1 : open_file(p->path, O_RDWR);
    is_there = is_in_memory || (fd >= 0 && reserve(fd, end_of_chunks(i), AMP_RING_CHUNK_B));
    if (fd >= 0)
        syscall(SYS_close, fd);
    if (is_there)
        p->head->n_chunks = i + 1;
    else
        p->limit = i; /* the ring is as long as there is memory */
    return is_there;
}

/* The oldest chunk that nobody holds, or one that was never used. NULL: there is none. */
static struct amp_ring_chunk *take(struct process *p)
{
    for (uint64_t tries = 0; tries <= p->limit; tries++) {
        uint64_t i = p->next < p->limit ? p->next : 0;
        struct amp_ring_chunk *chunk;

        p->next = i + 1;
        if (p->limit == 0 || !give_memory(p, i))
            continue;
        chunk = chunk_of(p->head, i);
        if (chunk->held)
            continue;
        __atomic_store_n(&chunk->order, 0, __ATOMIC_RELEASE);
        p->head->overwritten += chunk->used;
        chunk->used = 0;
        chunk->held = 1;
        return chunk;
    }
    return NULL;
}

static void give_back(struct amp_ring_chunk *chunk)
{
    __atomic_store_n(&chunk->held, 0, __ATOMIC_RELEASE);
}

/* The thread's next chunk, with the lock held. */
static void change_chunk(struct process *p)
{
    struct amp_ring_chunk *chunk;

    if (me.generation != p->generation)
        me = (struct thread){ .generation = p->generation, .number = ++p->head->n_threads, .is_writing = true };
    if (me.chunk)
        give_back(me.chunk);
    me.chunk = chunk = take(p);
    if (!chunk)
        return;
    chunk->thread = me.number;
    chunk->nth = ++me.nth;
    chunk->tid = (int32_t) syscall(SYS_gettid);
    prctl(PR_GET_NAME, chunk->name);
    amp_ticks_pair(p->are_even, &p->head->last.ticks, &p->head->last.ns);
    __atomic_store_n(&chunk->order, ++p->order, __ATOMIC_RELEASE);
}

/* Make what the event lacks: the process's file, the name's number, room. False: it cannot be written. */
__attribute__((__noinline__)) static bool prepare(struct amp_mark *at)
{
    static struct amp_ring_head *before; /* what the parent of a forked process had */
    struct process *p = process;
    int error = errno;
    bool is_ready;

    if (!p || p->is_off || me.has_ended)
        return false;
    amp_lock(&p->lock);
    if (!p->generation) {
        begin(p, before);
        before = p->head;
    }
    if (p->head && (me.generation != p->generation || !me.chunk || me.chunk->used + 2 > AMP_RING_EVENTS))
        change_chunk(p);
    if (p->head && !at->amp_number)
        __atomic_store_n(&at->amp_number, number_of(p->head, at->amp_name), __ATOMIC_RELAXED);
    is_ready = p->head && me.chunk;
    amp_unlock(&p->lock);
    errno = error;
    return is_ready;
}

static void lose(void)
{
    if (process && process->generation && process->head)
        __atomic_fetch_add(&process->head->lost, 1, __ATOMIC_RELAXED);
}

static inline bool is_ready(const struct amp_mark *at)
{
    return me.chunk && at->amp_number && me.generation == process->generation && me.chunk->used + 2 <= AMP_RING_EVENTS;
}

/* The calling thread has marked itself as writing, and has room. */
static inline __attribute__((__always_inline__)) void put(const struct amp_mark *at, unsigned kind, uint64_t value,
                                                          uint32_t stack, bool are_even)
{
    struct amp_ring_chunk *chunk = me.chunk;
    uint32_t used = chunk->used;
    struct amp_ring_event *event = &chunk->events[used];

    if (__builtin_expect(kind == AMP_MARK_COUNT || value || stack, 0)) {
        kind |= AMP_RING_HAS_VALUE;
        event[1] = (struct amp_ring_event){ .ticks = value, .name = stack };
        used++;
    }
    event->name = at->amp_number;
    event->kind = kind;
    event->ticks = amp_ticks(are_even);
    __atomic_store_n(&chunk->used, used + 1, __ATOMIC_RELEASE);
}

__attribute__((__noinline__)) static void write_slowly(struct amp_mark *at, unsigned kind, uint64_t value,
                                                       uint32_t stack)
{
    if (me.is_writing) { /* by a signal handler that interrupted it */
        lose();
        return;
    }
    me.is_writing = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (is_ready(at) || prepare(at))
        put(at, kind, value, stack, process->are_even);
    else
        lose();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me.is_writing = false;
}

/* What most marks need, and nothing else: no value, and all is there. */
void amp_ring_write(struct amp_mark *at, unsigned kind, uint64_t value)
{
    struct amp_ring_chunk *chunk = me.chunk;
    uint32_t number = at->amp_number, used;
    struct amp_ring_event *event;

    if (__builtin_expect(!chunk || me.is_writing || me.generation != process->quick || !number || value ||
                         kind == AMP_MARK_COUNT || (used = chunk->used) + 2 > AMP_RING_EVENTS, 0)) {
        write_slowly(at, kind, value, 0);
        return;
    }
    me.is_writing = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(me.chunk != chunk || __atomic_load_n(&chunk->used, __ATOMIC_RELAXED) != used, 0)) {
        me.is_writing = false; /* a signal handler has written since `used` was read */
        write_slowly(at, kind, value, 0);
        return;
    }
    event = &chunk->events[used];
    event->name = number;
    event->kind = kind;
    event->ticks = amp_ticks(true);
    __atomic_store_n(&chunk->used, used + 1, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me.is_writing = false;
}

void amp_ring_write_from(struct amp_mark *at, unsigned kind, uint64_t value, uint32_t stack)
{
    write_slowly(at, kind, value, stack);
}

uint32_t amp_ring_name(const char *text)
{
    struct process *p = process;
    uint32_t number = 0;

    if (!p || p->is_off || me.has_ended || me.is_writing)
        return 0;
    me.is_writing = true; /* so that no signal handler waits for the lock */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    amp_lock(&p->lock);
    if (p->head)
        number = number_of(p->head, text);
    amp_unlock(&p->lock);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me.is_writing = false;
    return number == AMP_RING_NO_ROOM ? 0 : number;
}

void amp_ring_rename(const char *name)
{
    if (me.chunk && process && me.generation == process->generation)
        strncpy(me.chunk->name, name, sizeof me.chunk->name - 1);
}

void amp_ring_end_thread(void)
{
    if (me.chunk && process && me.generation == process->generation) {
        prctl(PR_GET_NAME, me.chunk->name);
        give_back(me.chunk);
    }
    me.chunk = NULL;
    me.has_ended = true;
}

void amp_ring_begin_process(void)
{
    const char *where = getenv(AMP_PROFILE_FOLDER), *window = getenv(AMP_RING_WINDOW);

    if (!where || !window || strlen(where) >= sizeof folder)
        return;
    strcpy(folder, where);
    window_b = strtoull(window, NULL, 10);
    process = amp_region_map(sizeof *process);
}

bool amp_ring_is_traced(void)
{
    return process && !is_in_memory;
}

bool amp_ring_is_of(pid_t pid)
{
    return process && (!process->head || process->head->pid == pid); /* none yet: it begins with the next event */
}

void amp_ring_begin_here(size_t size_b)
{
    if (process)
        return;
    is_in_memory = true;
    window_b = size_b;
    process = amp_region_map(sizeof *process);
}
