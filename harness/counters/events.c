/* SPDX-License-Identifier: MIT */
#include "harness/counters/events.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef AMP_HAS_CALLGRIND
#include <valgrind/callgrind.h>
#else /* built without valgrind's headers: then no process is started under it */
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_ZERO_STATS (void) 0
#define CALLGRIND_TOGGLE_COLLECT (void) 0
#define CALLGRIND_DUMP_STATS (void) 0
#endif

#define CACHE(operation, result)                                                                                       \
    (PERF_COUNT_HW_CACHE_L1D | PERF_COUNT_HW_CACHE_OP_##operation << 8 | PERF_COUNT_HW_CACHE_RESULT_##result << 16)

/* How the processor's counters and callgrind's columns make up an event: their sum. */
static const struct {
    uint32_t type;
    uint64_t config;
    const char *columns[4];
} made_of[AMP_EVENTS] = {
    [AMP_INSTRUCTIONS] = { PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, { "Ir" } },
    [AMP_LOADS] = { PERF_TYPE_HW_CACHE, CACHE(READ, ACCESS), { "Dr" } },
    [AMP_STORES] = { PERF_TYPE_HW_CACHE, CACHE(WRITE, ACCESS), { "Dw" } },
    [AMP_BRANCHES] = { PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, { "Bc", "Bi" } },
    [AMP_BRANCH_MISSES] = { PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, { "Bcm", "Bim" } },
    [AMP_CACHE_MISSES] = { PERF_TYPE_HW_CACHE, CACHE(READ, MISS), { "D1mr", "D1mw" } },
};

static int open_counter(uint32_t type, uint64_t config)
{
    struct perf_event_attr attributes = { .type = type, .size = sizeof attributes, .config = config, .disabled = 1,
                                          .exclude_kernel = 1, .exclude_hv = 1 };
    long fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : (int) fd;
}

static int control_counter(int fd, unsigned long request)
{
    return ioctl(fd, request, 0) ? -errno : 0;
}

const struct amp_events_system amp_events_linux = { open_counter, control_counter };

static const struct amp_events_system *counters; /* NULL: callgrind */
static int descriptors[AMP_EVENTS];
static unsigned dumps;

enum amp_source amp_events_open(const struct amp_events_system *system)
{
    for (int i = 0; counters && i < AMP_EVENTS; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    counters = NULL;
    if (!system)
        return AMP_NO_SOURCE;
    if (RUNNING_ON_VALGRIND)
        return AMP_VALGRIND;
    descriptors[AMP_INSTRUCTIONS] = system->open(made_of[AMP_INSTRUCTIONS].type, made_of[AMP_INSTRUCTIONS].config);
    if (descriptors[AMP_INSTRUCTIONS] < 0)
        return AMP_NO_SOURCE;
    for (int i = AMP_INSTRUCTIONS + 1; i < AMP_EVENTS; i++) /* processors differ in what they count besides */
        descriptors[i] = system->open(made_of[i].type, made_of[i].config);
    counters = system;
    return AMP_PROCESSOR;
}

void amp_events_begin(void)
{
    if (!counters) {
        CALLGRIND_ZERO_STATS;
        CALLGRIND_TOGGLE_COLLECT;
        return;
    }
    for (int i = 0; i < AMP_EVENTS; i++)
        if (descriptors[i] >= 0)
            counters->control(descriptors[i], PERF_EVENT_IOC_RESET);
    for (int i = AMP_EVENTS - 1; i >= 0; i--)
        if (descriptors[i] >= 0)
            counters->control(descriptors[i], PERF_EVENT_IOC_ENABLE);
}

static int read_counters(struct amp_events *out)
{
    for (int i = 0; i < AMP_EVENTS; i++)
        if (descriptors[i] >= 0)
            counters->control(descriptors[i], PERF_EVENT_IOC_DISABLE);
    for (int i = 0; i < AMP_EVENTS; i++) {
        uint64_t n = 0;

        out->n[i] = descriptors[i] >= 0 && read(descriptors[i], &n, sizeof n) == sizeof n ? (int64_t) n : AMP_UNKNOWN;
    }
    return out->n[AMP_INSTRUCTIONS] == AMP_UNKNOWN ? -EIO : 0;
}

/* What stands behind this key, at the beginning of a line; NULL if no line has it. */
static const char *line_of(const char *text, const char *key)
{
    const char *at = text;

    while (at && strncmp(at, key, strlen(key)) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? at + strlen(key) : NULL;
}

/* The word number `column` of a line: 0 behind its end, where callgrind leaves zeros out. -1: it is no number. */
static int64_t number_in(const char *line, size_t column)
{
    char *end = (char *) line;
    long long n = 0;

    for (size_t i = 0; i <= column; i++) {
        line += strspn(line, " ");
        if (i > 0 && (*line == '\n' || !*line))
            return 0;
        n = strtoll(line, &end, 10);
        if (end == line || n < 0 || !strchr(" \n", *end))
            return -1;
        line = end;
    }
    return n;
}

/* Where a name stands in a line of names, or SIZE_MAX. */
static size_t column_of(const char *line, const char *name)
{
    for (size_t i = 0;; i++) {
        size_t length;

        line += strspn(line, " ");
        length = strcspn(line, " \n");
        if (length == 0)
            return SIZE_MAX;
        if (length == strlen(name) && strncmp(line, name, length) == 0)
            return i;
        line += length;
    }
}

int amp_events_parse(const char *text, struct amp_events *out)
{
    const char *names = line_of(text, "events:"), *totals = line_of(text, "totals:");

    if (!names || !totals)
        return -EPROTO;
    for (int i = 0; i < AMP_EVENTS; i++) {
        out->n[i] = 0;
        for (int c = 0; made_of[i].columns[c]; c++) {
            size_t column = column_of(names, made_of[i].columns[c]);
            int64_t n = column == SIZE_MAX ? -1 : number_in(totals, column);

            if (n < 0)
                return -EPROTO;
            out->n[i] += n;
        }
    }
    return 0;
}

static int read_dump(const char *path, struct amp_events *out)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t cap = 0;
    int err = file ? 0 : -errno;

    if (file && getdelim(&text, &cap, '\0', file) < 0)
        err = -EPROTO;
    if (!err)
        err = amp_events_parse(text, out);
    free(text);
    if (file)
        fclose(file);
    return err;
}

int amp_events_end(const char *dump, struct amp_events *out)
{
    char path[4200];
    int err;

    if (counters)
        return read_counters(out);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS;
    snprintf(path, sizeof path, "%s.callgrind.%u", dump, ++dumps);
    err = read_dump(path, out);
    unlink(path);
    return err;
}
