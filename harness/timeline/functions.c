/* SPDX-License-Identifier: MIT */
#include "harness/timeline/functions.h"

#include "harness/profile/launch/scratch.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"
#include "harness/timeline/save.h"
#include "harness/timeline/write/imported.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UFTRACE "uftrace"

extern char **environ;

static bool is_there(void)
{
    return system("command -v " UFTRACE " >/dev/null 2>&1") == 0;
}

/* How the program ended, which uftrace's own status does not tell, but the first file that it writes: a line with the
 * number that wait() gives. -1: it does not say. */
static int status_of_program(const char *folder)
{
    char path[PATH_MAX], *line = NULL;
    size_t cap = 0;
    int status = -1;
    FILE *info;

    snprintf(path, sizeof path, "%s/info", folder);
    info = fopen(path, "re");
    while (info && status < 0 && getline(&line, &cap, info) > 0)
        if (sscanf(line, "exit_status:%d", &status) != 1)
            status = -1;
    free(line);
    if (info)
        fclose(info);
    return status;
}

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Start uftrace. output: where what it prints goes, and its messages nowhere; -1: both as ours. 0 or a negative
 * errno. */
static int start(const char *const *words, int output, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int err = posix_spawn_file_actions_init(&actions);

    if (err)
        return -err;
    if (output >= 0) {
        posix_spawn_file_actions_adddup2(&actions, output, 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    }
    err = posix_spawnp(child, UFTRACE, &actions, NULL, (char **) (uintptr_t) words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -err;
}

static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* uftrace record -d FOLDER PROGRAM ARGUMENTS. Returns the program's exit status, or a negative errno. */
static int record(char **command, const char *folder)
{
    const char *const first[] = { UFTRACE, "record", "--no-pager", "-d", folder };
    size_t n = 0;
    const char **words;
    int status, own, err;
    pid_t child;

    while (command[n])
        n++;
    words = malloc(sizeof first + (n + 1) * sizeof *words);
    if (!words)
        return -ENOMEM;
    memcpy(words, first, sizeof first);
    memcpy(words + sizeof first / sizeof *first, command, (n + 1) * sizeof *words);
    err = start(words, -1, &child);
    free(words);
    if (err)
        return err;
    status = wait_for(child);
    own = status_of_program(folder);
    return exit_status(own < 0 ? status : own);
}

static int import(const char *traced, const char *program, const char *folder)
{
    const char *const words[] = { UFTRACE, "dump", "--chrome", "-d", traced, NULL };
    pid_t child = -1;
    FILE *dump;
    int ends[2], err;

    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    dump = fdopen(ends[0], "r");
    err = dump ? start(words, ends[1], &child) : -errno;
    close(ends[1]);
    if (!err)
        err = amp_imported_make(dump, program, folder);
    if (dump)
        fclose(dump); /* before the wait: it may have more to say */
    else
        close(ends[0]);
    if (child > 0)
        wait_for(child);
    return err;
}

static int trace(const struct amp_timeline_options *options, const char *traced, const char *folder)
{
    const char *program = options->command[0];
    int own = record(options->command, traced), status, err;

    if (own < 0)
        return amp_complain(2, UFTRACE, "cannot be started: %s", strerror(-own));
    err = import(traced, program, folder);
    if (err == -EPROTO)
        return amp_complain(2, program, "has no calls that " UFTRACE " could record: compile it with -pg");
    if (err)
        return amp_complain(2, folder, "what " UFTRACE " recorded cannot be read: %s", strerror(-err));
    status = amp_timeline_save(options, folder, program, false, stderr);
    return status ? status : own;
}

int amp_timeline_functions(const struct amp_timeline_options *options)
{
    char path[PATH_MAX], folder[PATH_MAX], scratch[PATH_MAX], *traced = NULL;
    int status = amp_program_check_code(options->command[0], path, sizeof path);

    if (!status && !is_there())
        status = amp_complain(2, UFTRACE, "not here, so functions cannot be traced; the package is called " UFTRACE);
    for (unsigned i = 0; i < options->n_outputs && !status; i++)
        status = amp_timeline_can_save(options->outputs[i]);
    if (!status)
        status = amp_scratch_make(folder);
    if (status)
        return status;
    status = amp_scratch_make(scratch);
    if (!status && asprintf(&traced, "%s/functions", scratch) < 0)
        status = amp_complain(2, UFTRACE, "%s", strerror(ENOMEM));
    if (!status) {
        status = trace(options, traced, folder);
        free(traced);
        amp_scratch_remove(scratch);
    }
    amp_scratch_remove(folder);
    return status;
}
