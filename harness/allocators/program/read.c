/* SPDX-License-Identifier: MIT
 *
 * The user's program, from the words of a command line. */
#include "harness/allocators/program/output.h"
#include "harness/allocators/program/program.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Still the same file where the run is gone on with in another folder. */
static const char *absolute(const char *path, const char *folder, char out[2 * PATH_MAX])
{
    if (!path || path[0] == '/')
        return path;
    snprintf(out, 2 * PATH_MAX, "%s/%s", folder, path);
    return out;
}

int amp_program_read(char **words, struct amp_program *out)
{
    static char path[PATH_MAX], folder[PATH_MAX], whole[2 * PATH_MAX], input[2 * PATH_MAX];
    int status;
    const char *why = out->metric ? amp_output_refuse(out->metric) : NULL;

    for (out->n_command = 0; words[out->n_command]; out->n_command++) {
        if (out->n_command == AMP_PROGRAM_WORDS)
            return amp_complain(2, words[0], "more than %d words; put them into a script", AMP_PROGRAM_WORDS - 1);
        out->command[out->n_command] = words[out->n_command];
    }
    if (why)
        return amp_complain(2, "--metric", "'%s': %s", out->metric, why);
    if (!getcwd(folder, sizeof folder))
        return amp_complain(2, "the current folder", "%s", strerror(errno));
    if (out->input && access(out->input, R_OK))
        return amp_complain(2, out->input, "%s", strerror(errno));
    status = amp_program_check(words[0], path, sizeof path);
    out->path = absolute(path, folder, whole);
    out->folder = folder;
    out->input = absolute(out->input, folder, input);
    return status;
}
