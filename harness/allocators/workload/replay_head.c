/* SPDX-License-Identifier: MIT
 *
 * What is known of a trace before it is replayed; also for the program that plans. */
#include "harness/allocators/workload/replay.h"

#include "harness/text/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* Of a chunk: a few milliseconds, by how many calls it makes or how much memory it takes. */
#define CHUNK_CALLS 100000u
#define CHUNK_B ((uint64_t) 8 << 20)

/* "traces/sqlite3.trace" -> "trace_sqlite3" */
static void name_after(const char *path, char *out, size_t cap)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

    snprintf(out, cap, AMP_WORKLOAD_TRACE "%.*s", (int) strcspn(base, "."), base);
    for (char *c = out; *c; c++)
        *c = isalnum((unsigned char) *c) ? (char) tolower((unsigned char) *c) : '_';
}

static void describe(const char *path, const struct amp_trace_head *head, struct amp_replay *out)
{
    uint64_t turns = head->calls / head->threads + 1, cycles = CHUNK_CALLS / (turns * head->threads) + 1;
    uint64_t most = CHUNK_B / (head->peak_b + 1) + 1;
    const char *program = head->n_program > 0 ? head->program[0] : "a program";
    const char *slash = strrchr(program, '/');
    char peak[AMP_QUANTITY_SIZE];

    name_after(path, out->name, sizeof out->name);
    snprintf(out->path, sizeof out->path, "%s", path);
    out->cycle_ops = turns;
    snprintf(out->purpose, sizeof out->purpose, "What %.40s did: %" PRIu64 " calls, %s live at most.",
             slash ? slash + 1 : program, head->calls, amp_quantity_size(head->peak_b, peak));
    out->workload = (struct amp_workload){ .name = out->name,
                                           .purpose = out->purpose,
                                           .operation = "a call of malloc's family, and the touching of its memory",
                                           .threads = head->threads,
                                           .chunk_ops = turns * (cycles < most ? cycles : most),
                                           .latency_ops = turns < AMP_LATENCY_OPS ? turns : AMP_LATENCY_OPS };
}

int amp_replay_describe(const char *path, struct amp_replay *out, const char **why)
{
    struct amp_trace_head head;
    struct amp_trace_file *file;
    json_t *strings;
    int err = amp_trace_open(path, &head, &strings, &file, why);
    const char *unused;

    if (err)
        return err;
    describe(path, &head, out);
    json_decref(strings);
    amp_trace_close(file, &unused); /* its calls were not read */
    return 0;
}
