/* SPDX-License-Identifier: MIT */
#include "harness/timeline/run.h"

#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/scratch.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"
#include "harness/timeline/preload/ring.h"
#include "harness/timeline/save.h"
#include "harness/timeline/write/recording.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    const struct amp_timeline_options *options;
    char folder[PATH_MAX];
    const char *title;
    bool is_bench; /* of ours: where it could not run, it has said why, and there is nothing to show */
};

static int find_library(uint64_t above_b, char *out, size_t cap)
{
    return amp_launch_find_beside(above_b == UINT64_MAX ? "libampersand_trace.so" : "libampersand_trace_heap.so", out,
                                  cap);
}

/* A folder of the user's: made, or there and empty. */
static int make_kept(const char *path, char *out)
{
    struct dirent *file = NULL;
    DIR *files;

    if (mkdir(path, 0777) && errno != EEXIST)
        return amp_complain(2, path, "cannot be made: %s", strerror(errno));
    files = opendir(path);
    if (!files || !realpath(path, out)) {
        if (files)
            closedir(files);
        return amp_complain(2, path, "%s", strerror(errno));
    }
    while ((file = readdir(files)) != NULL && (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0))
        continue;
    closedir(files);
    return file ? amp_complain(2, path, "is not empty; a recording needs a folder of its own") : 0;
}

static void set_number(const char *name, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64, number);
    setenv(name, text, 1);
}

static void snapshot(void *argument)
{
    struct run *run = argument;

    amp_recording_seal(run->folder);
    amp_timeline_save(run->options, run->folder, run->title, true, NULL);
}

static int describe(const char *program, int status)
{
    if (WIFSIGNALED(status)) {
        amp_complain(0, program, "ended by signal %d: %s; what happened until then is recorded", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static int check_outputs(const struct amp_timeline_options *options)
{
    int status = 0;

    for (unsigned i = 0; i < options->n_outputs && !status; i++)
        status = amp_timeline_can_save(options->outputs[i]);
    return status;
}

/* What can be said before the program runs, is. */
static int prepare(struct run *run, const char *program, char *path, char *library)
{
    const struct amp_timeline_options *options = run->options;
    int status = (options->above_b == UINT64_MAX ? amp_program_check_code : amp_program_check)(program, path, PATH_MAX);

    if (!status)
        status = check_outputs(options);
    if (!status)
        status = find_library(options->above_b, library, PATH_MAX);
    if (status)
        return status;
    return options->keep ? make_kept(options->keep, run->folder) : amp_scratch_make(run->folder);
}

/* The report on a program goes to stderr: stdout is the program's. */
static int trace(struct run *run, char **command, int output, FILE *report)
{
    char path[PATH_MAX], library[PATH_MAX];
    struct amp_launch launch = { .command = command, .path = path, .library = library, .folder = run->folder,
                                 .output = output, .snapshot = snapshot, .argument = run };
    int status = prepare(run, command[0], path, library), ended = 0, own, err;

    if (status)
        return status;
    set_number(AMP_RING_WINDOW, run->options->window_b);
    if (run->options->above_b != UINT64_MAX)
        set_number(AMP_RING_ABOVE, run->options->above_b);
    err = amp_launch_run(&launch, &ended);
    if (err) {
        status = amp_complain(2, command[0], "cannot be started: %s", strerror(-err));
    } else {
        amp_recording_seal(run->folder);
        own = describe(command[0], ended);
        if (!run->is_bench || own != 2)
            status = amp_timeline_save(run->options, run->folder, run->title, false, report);
        status = status ? status : own;
    }
    if (!run->options->keep)
        amp_scratch_remove(run->folder);
    return status;
}

int amp_timeline_program(const struct amp_timeline_options *options)
{
    struct run run = { .options = options, .title = options->command[0] };

    return trace(&run, options->command, -1, stderr);
}

/* A regular expression that matches this row only. The caller frees it; NULL: no memory. */
static char *only(const char *row)
{
    char *out = malloc(2 * strlen(row) + 3), *at = out;

    if (!out)
        return NULL;
    *at++ = '^';
    for (; *row; row++) {
        if (strchr(".[]*+?(){}|^$\\", *row))
            *at++ = '\\';
        *at++ = *row;
    }
    strcpy(at, "$");
    return out;
}

/* A quick run of this row, whose results are of no interest. */
int amp_timeline_row(const struct amp_timeline_options *options)
{
    struct run run = { .options = options, .title = options->row, .is_bench = true };
    char bench[PATH_MAX], results[PATH_MAX], *filter = only(options->row), *out = NULL;
    int status = amp_launch_find_beside("../ampersand-bench", bench, sizeof bench);

    if (!status)
        status = amp_scratch_make(results);
    if (status) {
        free(filter);
        return status;
    }
    if (filter && asprintf(&out, "%s/run", results) >= 0) {
        char *command[] = { bench, "paired", "--quick", "--no-wait", "--filter", filter, "--out", out, NULL };

        status = trace(&run, command, -1, stdout);
        free(out);
    } else {
        status = amp_complain(2, options->row, "%s", strerror(ENOMEM));
    }
    free(filter);
    amp_scratch_remove(results);
    return status;
}

int amp_timeline_from(const struct amp_timeline_options *options)
{
    int status = check_outputs(options);

    return status ? status : amp_timeline_save(options, options->from, options->from, false, stdout);
}
