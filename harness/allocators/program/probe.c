/* SPDX-License-Identifier: MIT
 *
 * Start the user's program with the library that probes it. */
#include "harness/allocators/program/follow.h"
#include "harness/allocators/program/output.h"
#include "harness/allocators/program/probe.h"
#include "harness/files/results.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* "<allocator>:<probe>" or "<probe>", the probe's library being beside this program. The caller frees it; NULL with
 * errno. */
static char *preloads(const char *allocator)
{
    char path[PATH_MAX], *slash, *both;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof AMP_PROBE_LIBRARY - 1);

    if (n < 0)
        return NULL;
    path[n] = '\0';
    slash = strrchr(path, '/');
    strcpy(slash + 1, AMP_PROBE_LIBRARY);
    if (access(path, R_OK))
        return NULL;
    return asprintf(&both, "%s%s%s", allocator ? allocator : "", allocator ? ":" : "", path) < 0 ? NULL : both;
}

/* Run it to its end; the facts are in the file then. */
static int follow_probe(const struct amp_program_task *task, const char *preload, struct amp_follow *follow)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), error = amp_output_open(), err, status;
    const int descriptors[3] = { null, null, error };
    char line[160];

    err = null < 0 || error < 0 ? -errno : amp_follow_start(follow, task, preload, descriptors);
    if (err)
        return amp_complain(2, task->program.command[0], "cannot be followed by ptrace: %s", strerror(-err));
    while (!follow->has_ended)
        amp_follow_next(follow, 0, &status);
    amp_output_last(error, line, sizeof line);
    close(null);
    close(error);
    err = amp_follow_failed(follow);
    if (err)
        return amp_complain(AMP_EXIT_PROGRAM, task->program.command[0], "cannot be executed: %s", strerror(err));
    if (WIFEXITED(follow->status) && WEXITSTATUS(follow->status) == 0)
        return 0;
    return amp_complain(AMP_EXIT_PROGRAM, task->program.command[0], "did not get as far as main(): %s%d%s%s",
                        WIFSIGNALED(follow->status) ? "signal " : "status ",
                        WIFSIGNALED(follow->status) ? WTERMSIG(follow->status) : WEXITSTATUS(follow->status),
                        line[0] ? ": " : "", line);
}

/* The facts, with what identifies the allocator as later runs are held to it. */
static int keep(const struct amp_program_task *task, const struct amp_follow *follow, const char *file)
{
    const struct amp_in_force identity = { follow->library, follow->settings };
    json_t *facts = json_load_file(file, 0, NULL);
    int err;

    unlink(file);
    if (!facts)
        return amp_complain(AMP_EXIT_PROGRAM, task->program.command[0],
                            "the probe was not loaded into it, so nobody knows which allocator it has");
    err = json_object_set_new(facts, "identity", amp_record_write(&amp_in_force_record, &identity));
    err = err ? -ENOMEM : amp_results_write(task->file, facts);
    json_decref(facts);
    return err ? amp_complain(2, task->file, "%s", strerror(-err)) : 0;
}

int amp_program_probe(const struct amp_program_task *task)
{
    static struct amp_follow follow;
    char *preload = preloads(task->preload), *file = NULL, folder[PATH_MAX];
    int status = 2;

    if (!preload)
        amp_complain(2, AMP_PROBE_LIBRARY, "%s", strerror(errno));
    else if (!getcwd(folder, sizeof folder) ||
             asprintf(&file, "%s%s%s.facts", task->file[0] == '/' ? "" : folder, task->file[0] == '/' ? "" : "/",
                      task->file) < 0)
        amp_complain(2, task->file, "%s", strerror(errno));
    else {
        setenv(AMP_PROBE_FILE, file, 1);
        status = follow_probe(task, preload, &follow);
        if (!status)
            status = keep(task, &follow, file);
    }
    free(file);
    free(preload);
    return status;
}
