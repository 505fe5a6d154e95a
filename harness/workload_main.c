/* SPDX-License-Identifier: MIT
 *
 * ampersand-workload: the program that runs under the allocators. It links none: LD_PRELOAD decides. */
#include "harness/provenance.h"
#include "harness/results.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "ampersand: %s: %s\n", what, why);
    return 2;
}

static int probe(const char *task)
{
    const char *allocator, *file;
    json_error_t error;
    json_t *json = json_loads(task, 0, &error), *facts;
    int err;

    if (!json || json_unpack_ex(json, &error, 0, "{s:s, s:s}", "allocator", &allocator, "file", &file)) {
        json_decref(json);
        return complain("task", error.text);
    }
    facts = amp_provenance_probe(allocator);
    err = facts ? amp_results_write(file, facts) : -ENOMEM;
    json_decref(facts);
    if (err)
        complain(file, strerror(-err));
    json_decref(json);
    return err ? 2 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "probe") != 0)
        return complain("ampersand-workload", "wants 'probe' and a task as JSON");
    return probe(argv[2]);
}
