/* SPDX-License-Identifier: MIT */
#include "harness/trace/trace.h"

#include "harness/files/results.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD_B 65536
#define SWITCHED 8u
#define SIZE_MOST (((uint64_t) 1 << 40) - 1)

struct amp_trace_file {
    gzFile gz;
    char *path; /* of a file that is written */
    uint64_t n, calls;
    unsigned thread;
    int err;
    struct amp_trace_slots slots;
};

#define HEAD(member, ...) AMP_FIELD(struct amp_trace_head, member, __VA_ARGS__)
const struct amp_record amp_trace_record = {
    AMP_FIELDS(AMP_LIST(struct amp_trace_head, program, n_program), HEAD(library),
               HEAD(threads, .least = 1, .most = AMP_TRACE_THREADS), HEAD(calls), HEAD(allocs), HEAD(slots),
               HEAD(peak_b), HEAD(end_b), HEAD(step, .least = 1),
               AMP_LIST(struct amp_trace_head, live_b, n_live), HEAD(start_own_b), HEAD(peak_own_b), HEAD(lost)),
    .schema = "ampersand/trace/1",
};

/* ---- Slots */

uint32_t amp_trace_take(struct amp_trace_slots *slots)
{
    return slots->n_free > 0 ? slots->free[--slots->n_free] : slots->n++;
}

int amp_trace_give(struct amp_trace_slots *slots, uint32_t slot)
{
    if (slots->n_free == slots->cap) {
        uint32_t cap = slots->cap ? 2 * slots->cap : 1024, *more = realloc(slots->free, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        slots->free = more;
        slots->cap = cap;
    }
    slots->free[slots->n_free++] = slot;
    return 0;
}

/* ---- Reading */

static int release(struct amp_trace_file *file, int err)
{
    if (file->gz)
        gzclose(file->gz);
    free(file->slots.free);
    free(file->path);
    free(file);
    return err;
}

static int cut(const struct amp_trace_file *file, const char **why)
{
    static char words[128];

    snprintf(words, sizeof words, "it is cut or damaged: %llu of its %llu calls can be read",
             (unsigned long long) file->n, (unsigned long long) file->calls);
    *why = words;
    return -EPROTO;
}

static int read_head(struct amp_trace_file *file, struct amp_trace_head *head, json_t **strings, const char **why)
{
    char *line = malloc(HEAD_B);
    json_t *json = NULL;
    int err = -EPROTO;

    *why = "it is no trace";
    if (line && gzgets(file->gz, line, HEAD_B) && strchr(line, '\n'))
        json = json_loads(line, 0, NULL);
    free(line);
    if (json && json_is_string(json_object_get(json, "schema")) &&
        strcmp(json_string_value(json_object_get(json, "schema")), amp_trace_record.schema) == 0)
        err = amp_record_read(&amp_trace_record, json, head, why);
    if (err)
        json_decref(json);
    else
        *strings = json;
    file->calls = head->calls;
    return err;
}

int amp_trace_open(const char *path, struct amp_trace_head *head, json_t **strings, struct amp_trace_file **out,
                   const char **why)
{
    struct amp_trace_file *file;
    int err = amp_results_look(path);

    *why = strerror(-err);
    if (err)
        return err;
    file = calloc(1, sizeof *file);
    *why = strerror(ENOMEM);
    if (!file)
        return -ENOMEM;
    file->gz = gzopen(path, "rbe");
    *head = (struct amp_trace_head){ .threads = 0 };
    *why = strerror(errno);
    err = file->gz ? read_head(file, head, strings, why) : -errno;
    if (err)
        return release(file, err);
    gzbuffer(file->gz, 1 << 16);
    *out = file;
    return 0;
}

/* -1: the file ends here. */
static int read_byte(struct amp_trace_file *file)
{
    return gzgetc(file->gz);
}

static bool read_number(struct amp_trace_file *file, uint64_t *out)
{
    int byte;

    *out = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        byte = read_byte(file);
        if (byte < 0)
            return false;
        *out |= (uint64_t) (byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool read_size(struct amp_trace_file *file, struct amp_trace_call *out)
{
    uint64_t size, pages = 0;

    if (!read_number(file, &size) || size > SIZE_MOST)
        return false;
    if (size >= AMP_TRACE_LARGE_B && (!read_number(file, &pages) || pages > UINT32_MAX))
        return false;
    out->size = size & SIZE_MOST;
    out->pages = (uint32_t) pages;
    return true;
}

static bool read_slot(struct amp_trace_file *file, struct amp_trace_call *out)
{
    uint64_t slot;

    if (!read_number(file, &slot) || slot >= file->slots.n)
        return false;
    out->slot = (uint32_t) slot;
    return true;
}

static bool read_rest(struct amp_trace_file *file, struct amp_trace_call *out)
{
    uint64_t alignment = 0;

    switch ((enum amp_trace_what) out->what) {
    case AMP_TRACE_ALIGNED:
        if (!read_number(file, &alignment) || alignment > 40)
            return false;
        out->alignment = alignment & 63;
        /* fall through */
    case AMP_TRACE_MALLOC:
    case AMP_TRACE_CALLOC:
        out->slot = amp_trace_take(&file->slots);
        return read_size(file, out);
    case AMP_TRACE_FREE:
        return read_slot(file, out) && amp_trace_give(&file->slots, out->slot) == 0;
    case AMP_TRACE_REALLOC:
        return read_slot(file, out) && read_size(file, out);
    default:
        return false;
    }
}

int amp_trace_read(struct amp_trace_file *file, struct amp_trace_call *out, const char **why)
{
    int byte = file->n < file->calls ? read_byte(file) : -1;
    uint64_t thread;

    if (byte < 0 || byte > 15)
        return cut(file, why);
    if (byte & (int) SWITCHED) {
        if (!read_number(file, &thread) || thread >= AMP_TRACE_THREADS)
            return cut(file, why);
        file->thread = (unsigned) thread;
    }
    *out = (struct amp_trace_call){ .what = (unsigned) byte & 7, .thread = file->thread & 3 };
    if (!read_rest(file, out))
        return cut(file, why);
    file->n++;
    return 0;
}

int amp_trace_close(struct amp_trace_file *file, const char **why)
{
    int err = file->n == file->calls && read_byte(file) == AMP_TRACE_END && read_byte(file) < 0 ? 0 : cut(file, why);

    if (!err && gzeof(file->gz) && gzclose(file->gz) != Z_OK)
        err = cut(file, why);
    else if (err)
        gzclose(file->gz);
    file->gz = NULL;
    return release(file, err);
}

/* ---- Writing */

int amp_trace_create(const char *path, const struct amp_trace_head *head, struct amp_trace_file **out)
{
    struct amp_trace_file *file = calloc(1, sizeof *file);
    json_t *json = amp_record_write(&amp_trace_record, head);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, tmp[PATH_MAX];
    int err = file && text ? 0 : -ENOMEM;

    json_decref(json);
    if (!err && (!(file->path = strdup(path)) || snprintf(tmp, sizeof tmp, "%s.tmp", path) >= PATH_MAX))
        err = -ENAMETOOLONG;
    if (!err && !(file->gz = gzopen(tmp, "wb9e")))
        err = errno ? -errno : -ENOMEM;
    if (!err && (gzputs(file->gz, text) < 0 || gzputc(file->gz, '\n') < 0))
        err = -EIO;
    free(text);
    if (err) {
        if (file)
            release(file, err);
        return err;
    }
    *out = file;
    return 0;
}

static void put_byte(struct amp_trace_file *file, unsigned byte)
{
    if (gzputc(file->gz, (int) byte) < 0)
        file->err = errno ? -errno : -EIO;
}

static void put_number(struct amp_trace_file *file, uint64_t number)
{
    for (; number >= 128; number >>= 7)
        put_byte(file, (number & 127) | 128);
    put_byte(file, (unsigned) number);
}

static void put_size(struct amp_trace_file *file, const struct amp_trace_call *call)
{
    put_number(file, call->size);
    if (call->size >= AMP_TRACE_LARGE_B)
        put_number(file, call->pages);
}

int amp_trace_write(struct amp_trace_file *file, const struct amp_trace_call *call)
{
    bool switched = call->thread != file->thread;

    put_byte(file, call->what | (switched ? SWITCHED : 0));
    if (switched)
        put_number(file, call->thread);
    file->thread = call->thread;
    if (call->what == AMP_TRACE_FREE || call->what == AMP_TRACE_REALLOC)
        put_number(file, call->slot);
    if (call->what == AMP_TRACE_ALIGNED)
        put_number(file, call->alignment);
    if (call->what != AMP_TRACE_FREE)
        put_size(file, call);
    return file->err;
}

int amp_trace_finish(struct amp_trace_file *file)
{
    int err, closed;

    put_byte(file, AMP_TRACE_END);
    err = file->err;
    closed = gzclose(file->gz);
    file->gz = NULL;
    if (!err && closed != Z_OK)
        err = errno ? -errno : -EIO;
    if (!err)
        err = amp_results_publish(file->path);
    if (err) {
        char tmp[PATH_MAX];

        snprintf(tmp, sizeof tmp, "%s.tmp", file->path);
        unlink(tmp);
    }
    return release(file, err);
}
