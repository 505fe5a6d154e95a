/* SPDX-License-Identifier: MIT
 *
 * Preloaded behind an allocator into the user's program: finds out what is in force there, and ends the process. It
 * stands in the place of main(), when all libraries are loaded and set up.
 *
 * source   the C library calls main() by __libc_start_main(), glibc and musl alike */
#include "harness/allocators/program/probe.h"
#include "harness/allocators/provenance/provenance.h"
#include "harness/files/results.h"
#include "harness/text/complain.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void),
                       void *);

static int look(int argc, char **argv, char **environment)
{
    char *file = strdup(getenv(AMP_PROBE_FILE));
    json_t *facts;
    int err;

    (void) argc;
    (void) argv;
    (void) environment;
    if (!file || !*file)
        _exit(0);
    setenv(AMP_PROBE_FILE, "", 1);
    facts = amp_provenance_probe();
    err = facts ? amp_results_write(file, facts) : -1;
    if (err)
        amp_complain(0, file, "the probe's facts cannot be written");
    _exit(err ? 2 : 0);
}

start_main __libc_start_main; /* no header declares it */

__attribute__((visibility("default"))) int __libc_start_main(int (*program)(int, char **, char **), int argc,
                                                             char **argv, void (*begin)(void), void (*end)(void),
                                                             void (*loader_end)(void), void *stack)
{
    start_main *real = (start_main *) dlsym(RTLD_NEXT, "__libc_start_main");

    return real(getenv(AMP_PROBE_FILE) ? look : program, argc, argv, begin, end, loader_end, stack);
}
