/* SPDX-License-Identifier: MIT
 *
 * ampersand-profile: runs a program and writes what it allocated, by stack. Its exit status is that of the program; 128
 * plus the signal that ended it; 2 for wrong use, or a program that cannot be profiled. */
#include "harness/profile/row.h"
#include "harness/profile/run.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct options {
    struct amp_run_options run;
    const char *row; /* NULL: it is a program */
};

static bool read_every(const char *text, uint64_t *every_ns)
{
    uint64_t seconds;

    if (!amp_quantity_read_duration(&text, &seconds) || *text || seconds == 0 || seconds > 86400)
        return false;
    *every_ns = seconds * 1000000000u;
    return true;
}

static int parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = { { "alloc", no_argument, NULL, 'a' },
                                           { "cpu", no_argument, NULL, 'c' },
                                           { "every", required_argument, NULL, 'e' },
                                           { "format", required_argument, NULL, 'f' },
                                           { NULL, 0, NULL, 0 } };
    int flag;

    opterr = 0;
    while ((flag = getopt_long(argc, argv, "+:o:", known, NULL)) != -1) {
        if (flag == ':')
            return amp_complain(2, argv[optind - 1], "needs a value");
        if (flag == '?')
            return amp_complain(2, argv[optind - 1], "no such flag; 'ampersand help profile' lists all");
        if (flag == 'o')
            out->run.output = optarg;
        if (flag == 'a' || flag == 'c')
            out->run.is_cpu = flag == 'c';
        if (flag == 'e' && !read_every(optarg, &out->run.every_ns))
            return amp_complain(2, "--every", "'%s' is no time such as 10s or 5m", optarg);
        if (flag == 'f' && strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
            return amp_complain(2, "--format", "'%s': no such format: table or json", optarg);
        if (flag == 'f')
            out->run.is_json = strcmp(optarg, "json") == 0;
    }
    if (optind == argc)
        return amp_complain(2, "profile", "names no program and no row: ampersand profile [flags] -- PROGRAM ARGUMENTS");
    if (strcmp(argv[optind - 1], "--") != 0) {
        out->row = argv[optind];
        if (optind + 1 < argc)
            return amp_complain(2, argv[optind + 1], "profile takes one row; a program stands behind --");
        if (out->run.every_ns)
            return amp_complain(2, "--every", "only for a program");
        if (out->run.is_cpu)
            return amp_complain(2, "--cpu", "only for a program; bench measures a row's time");
    }
    if (out->run.every_ns && !out->run.output)
        return amp_complain(2, "--every", "needs -o FILE, which the snapshots go to");
    out->run.command = argv + optind;
    return 0;
}

/* Copies are profiled by a program of its own, which takes the same command line. */
static int run_copies(char **argv)
{
    char path[PATH_MAX];
    int status = amp_run_find_beside("copies/ampersand-copies", path, sizeof path);

    if (status)
        return status;
    execv(path, argv);
    return amp_complain(2, path, "%s", strerror(errno));
}

int main(int argc, char **argv)
{
    struct options options = { .run.told = -1 };
    int status;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--copies") == 0)
            return run_copies(argv);
    status = parse(argc, argv, &options);
    if (status)
        return status;
    return options.row ? amp_row_profile(options.row, &options.run) : amp_run_program(&options.run, NULL);
}
