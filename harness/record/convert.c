/* SPDX-License-Identifier: MIT
 *
 * Twice over the calls of the process that made most: what the head says, and how much of large objects was touched, is
 * only known at the end; then the calls are written. */
#include "harness/record/convert.h"

#include "harness/record/log.h"

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

#define uthash_fatal(message) abort()
#include <uthash.h>

#define NOT_KNOWN UINT32_MAX
#define THREADS 65536

/* The file of a process, with its blocks of calls in order. */
struct process {
    const char *bytes;
    size_t size_b;
    const struct amp_log_calls **blocks;
    size_t n_blocks;
};

struct object {
    uint64_t address;
    uint64_t size;
    uint32_t slot, large; /* large: which of the large ones; NOT_KNOWN: none */
    UT_hash_handle hh;
};

/* One way over the calls. */
struct way {
    struct amp_converted *out;
    struct amp_trace_file *file; /* NULL: the first, which only counts */
    struct object *objects;      /* by address */
    struct object *moving[THREADS]; /* of each thread: in realloc() */
    unsigned char threads[THREADS]; /* 1 + number in the trace */
    struct amp_trace_slots slots;
    uint32_t *pages; /* touched, of each large object in turn */
    uint32_t n_large, cap;
    uint64_t live_b, calls;
    uint64_t most_pages, besides; /* of the process's own; what is known of those that are no heap */
    int err;
};

/* ---- Files */

static void close_process(struct process *process)
{
    if (process->bytes)
        munmap((void *) (uintptr_t) process->bytes, process->size_b);
    free(process->blocks);
    *process = (struct process){ .bytes = NULL };
}

static int by_first(const void *a, const void *b)
{
    const struct amp_log_calls *one = *(const struct amp_log_calls *const *) a;
    const struct amp_log_calls *other = *(const struct amp_log_calls *const *) b;

    return (one->first > other->first) - (one->first < other->first);
}

/* Records never cross segments, and 0 ends one; see harness/profile/record/record.h. */
static int find_blocks(struct process *process)
{
    process->blocks = calloc(process->size_b / AMP_PROFILE_SEGMENT_B + 1, sizeof *process->blocks);
    if (!process->blocks)
        return -ENOMEM;
    for (size_t at = 0; at + AMP_PROFILE_SEGMENT_B <= process->size_b; at += AMP_PROFILE_SEGMENT_B) {
        const struct amp_log_calls *block = (const struct amp_log_calls *) (process->bytes + at);

        if (at > 0 && block->record.kind == AMP_LOG_CALLS && block->record.size_b == sizeof *block)
            process->blocks[process->n_blocks++] = block;
    }
    if (process->n_blocks > 0)
        qsort(process->blocks, process->n_blocks, sizeof *process->blocks, by_first);
    return 0;
}

static int open_process(const char *path, struct process *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const struct amp_profile_head *head;
    struct stat found;

    *out = (struct process){ .bytes = NULL };
    if (fd < 0)
        return -errno;
    if (fstat(fd, &found) == 0 && found.st_size >= (off_t) AMP_PROFILE_SEGMENT_B) {
        out->size_b = (size_t) found.st_size;
        out->bytes = mmap(NULL, out->size_b, PROT_READ, MAP_SHARED, fd, 0);
        out->bytes = out->bytes == MAP_FAILED ? NULL : out->bytes;
    }
    close(fd);
    head = (const struct amp_profile_head *) out->bytes;
    return head && head->magic == AMP_PROFILE_MAGIC ? find_blocks(out) : 0;
}

static uint64_t calls_of(const struct process *process)
{
    const struct amp_log_calls *last = process->n_blocks ? process->blocks[process->n_blocks - 1] : NULL;
    size_t n = AMP_LOG_CALLS_EACH;

    while (last && n > 0 && last->calls[n - 1].what == AMP_LOG_NOTHING)
        n--;
    return last ? last->first + n : 0;
}

/* The process with most calls. */
static int choose(const char *folder, struct process *best, size_t *n_processes)
{
    DIR *files = opendir(folder);
    int err = files ? 0 : -errno;
    char path[PATH_MAX];

    *best = (struct process){ .bytes = NULL };
    *n_processes = 0;
    for (struct dirent *file; files && !err && (file = readdir(files)) != NULL;) {
        struct process process;

        if (file->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", folder, file->d_name) >= (int) sizeof path)
            continue;
        err = open_process(path, &process);
        *n_processes += calls_of(&process) > 0;
        if (calls_of(&process) > calls_of(best)) {
            close_process(best);
            *best = process;
        } else {
            close_process(&process);
        }
    }
    if (files)
        closedir(files);
    return err;
}

/* ---- Calls */

static unsigned thread_of(struct way *way, unsigned id)
{
    if (!way->threads[id])
        way->threads[id] = (unsigned char) (1 + way->out->n_threads++ % AMP_TRACE_THREADS);
    return way->threads[id] - 1u;
}

static struct object *find(struct way *way, uint64_t address)
{
    struct object *found = NULL;

    HASH_FIND(hh, way->objects, &address, sizeof address, found);
    return found;
}

/* A call of the trace; the live bytes are those after it. */
static void emit(struct way *way, const struct amp_trace_call *call)
{
    struct amp_trace_head *head = &way->out->head;

    if (way->file) {
        int err = amp_trace_write(way->file, call);

        way->err = way->err ? way->err : err;
    }
    if (way->calls % head->step == 0 && head->n_live < AMP_TRACE_POINTS)
        head->live_b[head->n_live++] = way->live_b;
    way->calls++;
    head->peak_b = way->live_b > head->peak_b ? way->live_b : head->peak_b;
}

static uint32_t pages_of(const struct way *way, uint32_t large, uint64_t size)
{
    uint64_t all = (size + 4095) / 4096;

    if (large == NOT_KNOWN)
        return 0;
    return way->file && way->pages[large] <= all ? way->pages[large] : (uint32_t) all;
}

/* Number a large object; on the first way, nothing is known of its pages yet. */
static uint32_t number_large(struct way *way, uint64_t size)
{
    if (size < AMP_TRACE_LARGE_B)
        return NOT_KNOWN;
    if (!way->file && way->n_large == way->cap) {
        uint32_t cap = way->cap ? 2 * way->cap : 256, *more = realloc(way->pages, cap * sizeof *more);

        if (!more) {
            way->err = -ENOMEM;
            return NOT_KNOWN;
        }
        way->pages = more;
        way->cap = cap;
    }
    if (!way->file)
        way->pages[way->n_large] = NOT_KNOWN;
    return way->n_large++;
}

static void end_object(struct way *way, struct object *object, unsigned thread)
{
    HASH_DEL(way->objects, object);
    way->live_b -= object->size;
    emit(way, &(struct amp_trace_call){ .what = AMP_TRACE_FREE, .thread = thread & 3, .slot = object->slot });
    if (amp_trace_give(&way->slots, object->slot))
        way->err = -ENOMEM;
    free(object);
}

static void put(struct way *way, struct object *object, uint64_t address)
{
    object->address = address;
    HASH_ADD(hh, way->objects, address, sizeof object->address, object);
}

static void begin_object(struct way *way, const struct amp_log_call *call, unsigned thread)
{
    struct object *known = find(way, call->address), *object;
    uint32_t large;

    if (known) /* its end was not seen */
        end_object(way, known, thread);
    object = calloc(1, sizeof *object);
    if (!object) {
        way->err = -ENOMEM;
        return;
    }
    large = number_large(way, call->size);
    *object = (struct object){ .size = call->size, .slot = amp_trace_take(&way->slots), .large = large };
    put(way, object, call->address);
    way->live_b += call->size;
    way->out->head.allocs++;
    emit(way, &(struct amp_trace_call){
                  .what = call->what == AMP_LOG_CALLOC    ? AMP_TRACE_CALLOC
                          : call->what == AMP_LOG_ALIGNED ? AMP_TRACE_ALIGNED
                                                          : AMP_TRACE_MALLOC,
                  .size = (uint64_t) call->size & 0xffffffffffu, .thread = thread & 3, .slot = object->slot,
                  .alignment = (unsigned) call->alignment & 63u, .pages = pages_of(way, large, call->size) });
}

/* realloc() has returned: the object that the thread was moving lies there now. */
static void move_object(struct way *way, const struct amp_log_call *call, unsigned thread)
{
    struct object *object = way->moving[call->thread], *known = find(way, call->address);

    way->moving[call->thread] = NULL;
    if (!object) { /* of an object that nobody saw begin */
        begin_object(way, call, thread);
        return;
    }
    if (known)
        end_object(way, known, thread);
    way->live_b += call->size - object->size;
    object->size = call->size;
    object->large = number_large(way, call->size);
    put(way, object, call->address);
    emit(way, &(struct amp_trace_call){ .what = AMP_TRACE_REALLOC, .size = (uint64_t) call->size & 0xffffffffffu,
                                        .thread = thread & 3, .slot = object->slot,
                                        .pages = pages_of(way, object->large, call->size) });
}

/* A thread goes on without having said what realloc() returned: it freed the object. */
static void end_moving(struct way *way, unsigned id, unsigned thread)
{
    struct object *object = way->moving[id];

    way->moving[id] = NULL;
    put(way, object, 0);
    end_object(way, object, thread);
}

/* The heap's: the process's own pages without those besides, of which the last count is the best. */
static void note_memory(struct way *way, uint64_t pages)
{
    if (way->most_pages == 0)
        way->out->head.start_own_b = (pages > way->besides ? pages - way->besides : 0) * 4096;
    way->most_pages = pages > way->most_pages ? pages : way->most_pages;
}

static void take_free(struct way *way, const struct amp_log_call *call, unsigned thread)
{
    struct object *object = find(way, call->address);

    if (!object)
        way->out->unseen++;
    else if (call->what == AMP_LOG_FREE)
        end_object(way, object, thread);
    else {
        HASH_DEL(way->objects, object);
        way->moving[call->thread] = object;
    }
}

static void take(struct way *way, const struct amp_log_call *call)
{
    unsigned thread = thread_of(way, call->thread);
    struct object *object;

    if (way->moving[call->thread] && call->what != AMP_LOG_MOVED && call->what != AMP_LOG_STAYED &&
        call->what != AMP_LOG_MEMORY && call->what != AMP_LOG_BESIDES)
        end_moving(way, call->thread, thread);
    switch ((enum amp_log_what) call->what) {
    case AMP_LOG_MALLOC:
    case AMP_LOG_CALLOC:
    case AMP_LOG_ALIGNED:
        begin_object(way, call, thread);
        break;
    case AMP_LOG_FREE:
    case AMP_LOG_MOVE:
        take_free(way, call, thread);
        break;
    case AMP_LOG_MOVED:
        move_object(way, call, thread);
        break;
    case AMP_LOG_STAYED:
        if (way->moving[call->thread])
            put(way, way->moving[call->thread], call->address);
        way->moving[call->thread] = NULL;
        break;
    case AMP_LOG_TOUCHED:
        object = find(way, call->address);
        if (object && object->large != NOT_KNOWN && !way->file)
            way->pages[object->large] = (uint32_t) call->size;
        break;
    case AMP_LOG_MEMORY:
        note_memory(way, call->size);
        break;
    case AMP_LOG_BESIDES:
        way->besides = call->size;
        break;
    case AMP_LOG_LOST:
    case AMP_LOG_NOTHING:
        way->out->head.lost++;
        break;
    }
}

static void go(struct way *way, const struct process *process)
{
    uint64_t n = calls_of(process);
    struct object *object, *next;

    for (size_t b = 0; b < process->n_blocks; b++) {
        const struct amp_log_calls *block = process->blocks[b];

        for (uint64_t i = 0; i < AMP_LOG_CALLS_EACH && block->first + i < n && !way->err; i++)
            take(way, &block->calls[i]);
    }
    way->out->head.end_b = way->live_b;
    way->out->head.peak_own_b = (way->most_pages > way->besides ? way->most_pages - way->besides : 0) * 4096;
    HASH_ITER(hh, way->objects, object, next)
    {
        HASH_DEL(way->objects, object);
        free(object);
    }
    for (unsigned i = 0; i < THREADS; i++)
        free(way->moving[i]);
}

static void finish(struct way *way)
{
    free(way->slots.free);
    free(way);
}

/* The first way: the head, and the touched pages. The caller frees the way by finish(); NULL: no memory. */
static struct way *count(struct amp_converted *out, const struct process *process)
{
    struct amp_trace_head *head = &out->head;
    struct way *way = calloc(1, sizeof *way);

    if (!way)
        return NULL;
    head->step = calls_of(process) / AMP_TRACE_POINTS + 1;
    way->out = out;
    go(way, process);
    head->calls = way->calls;
    head->slots = way->slots.n;
    head->threads = (unsigned) (out->n_threads < AMP_TRACE_THREADS ? out->n_threads : AMP_TRACE_THREADS);
    return way;
}

/* The second way: the calls. */
static int write_calls(const char *path, const struct amp_converted *converted, const struct process *process,
                       uint32_t *pages)
{
    struct amp_converted again = { .head.step = converted->head.step };
    struct way *way = calloc(1, sizeof *way);
    int err, finished;

    if (!way)
        return -ENOMEM;
    way->out = &again;
    way->pages = pages;
    err = amp_trace_create(path, &converted->head, &way->file);
    if (!err) {
        go(way, process);
        err = way->err;
        finished = amp_trace_finish(way->file);
        err = err ? err : finished;
    }
    finish(way);
    return err;
}

int amp_convert(const char *folder, const char *path, struct amp_converted *out)
{
    struct process process;
    struct way *way = NULL;
    int err = choose(folder, &process, &out->n_processes);

    if (!err && calls_of(&process) == 0)
        err = -ENODATA;
    if (!err && !(way = count(out, &process)))
        err = -ENOMEM;
    if (!err)
        err = way->err ? way->err : write_calls(path, out, &process, way->pages);
    if (way) {
        free(way->pages);
        finish(way);
    }
    close_process(&process);
    return err;
}
