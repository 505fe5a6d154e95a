/* SPDX-License-Identifier: MIT
 *
 * ampersand-record: runs a program and writes the trace of its allocations. Its exit status is that of the program; 128
 * plus the signal that ended it; 2 for wrong use, or a program that cannot be recorded. */
#include "harness/profile/launch/flags.h"
#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/scratch.h"
#include "harness/program/program.h"
#include "harness/record/convert.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *path, const struct amp_converted *made)
{
    const struct amp_trace_head *head = &made->head;
    char threads[64] = "", peak[AMP_QUANTITY_SIZE], end[AMP_QUANTITY_SIZE];

    if (made->n_threads > AMP_TRACE_THREADS)
        snprintf(threads, sizeof threads, "; its %zu threads are replayed by %d", made->n_threads, AMP_TRACE_THREADS);
    amp_complain(0, path, "%llu calls, %llu allocations, %s live at most, %s at the end%s",
                 (unsigned long long) head->calls, (unsigned long long) head->allocs,
                 amp_quantity_size(head->peak_b, peak), amp_quantity_size(head->end_b, end), threads);
    if (made->n_processes > 1)
        amp_complain(0, path, "of %zu processes, it is the one with most calls", made->n_processes);
    if (head->lost > 0)
        amp_complain(0, path, "%llu calls are missing: there was no room for them, or a signal handler made them",
                     (unsigned long long) head->lost);
}

static int convert(const char *folder, const char *path, char **command)
{
    static struct amp_converted made;
    int err;

    for (size_t i = 0; command[i] && i < AMP_TRACE_WORDS; i++)
        made.head.program[made.head.n_program++] = command[i];
    made.head.library = getenv("LD_PRELOAD") && *getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "libc";
    err = amp_convert(folder, path, &made);
    if (err == -ENODATA)
        return amp_complain(2, command[0], "made no call of malloc that could be seen, so there is no trace");
    if (err)
        return amp_complain(2, path, "cannot be written: %s", strerror(-err));
    tell(path, &made);
    return 0;
}

static int record(const char *output, char **command)
{
    char path[PATH_MAX], library[PATH_MAX], folder[PATH_MAX], how[64];
    struct amp_launch launch = { .command = command, .path = path, .library = library, .folder = folder, .output = -1 };
    int status = amp_program_check(command[0], path, sizeof path), ended = 0, own, err;

    if (!status)
        status = amp_launch_find_beside("libampersand_record.so", library, sizeof library);
    if (!status)
        status = amp_launch_check_output(output, "the trace cannot take its place");
    if (!status)
        status = amp_scratch_make(folder);
    if (status)
        return status;
    err = amp_launch_run(&launch, &ended);
    if (err) {
        status = amp_complain(2, command[0], "cannot be started: %s", strerror(-err));
    } else {
        own = amp_launch_describe(ended, how, sizeof how);
        if (WIFSIGNALED(ended))
            amp_complain(0, command[0], "%s; what it did until then is recorded", how);
        status = convert(folder, output, command);
        status = status ? status : own;
    }
    amp_scratch_remove(folder);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option known[] = { { "out", required_argument, NULL, 'o' }, { NULL, 0, NULL, 0 } };
    const char *output = NULL;
    int flag;

    while ((flag = amp_flags_next(argc, argv, known, "no such flag; 'ampersand help record' lists all"))) {
        if (flag == AMP_FLAGS_WRONG)
            return 2;
        output = optarg;
    }
    if (optind == argc)
        return amp_complain(2, "record", "names no program: ampersand record -o FILE -- PROGRAM ARGUMENTS");
    if (!amp_flags_have_program(argc, argv))
        return amp_complain(2, argv[optind], "a program stands behind --");
    if (!output)
        return amp_complain(2, "record", "needs -o FILE, which the trace goes to");
    return record(output, argv + optind);
}
