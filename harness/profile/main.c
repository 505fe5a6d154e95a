/* SPDX-License-Identifier: MIT
 *
 * ampersand-profile: runs a program and writes what it allocated, by stack. Its exit status is that of the program; 128
 * plus the signal that ended it; 2 for wrong use, or a program that cannot be profiled. */
#include "harness/profile/launch/flags.h"
#include "harness/profile/launch/launch.h"
#include "harness/profile/row.h"
#include "harness/profile/rows.h"
#include "harness/profile/run.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MOST_SAMPLE_B ((uint64_t) 1 << 30) /* an allocation of 0 bytes counts for as many: 32 bits hold them */

struct options {
    struct amp_run_options run;
    const char *row;     /* NULL: it is a program */
    const char *rows_of; /* a run whose rows are to be profiled; NULL: it is one row, or a program */
};

static bool read_every(const char *text, uint64_t *every_ns)
{
    uint64_t seconds;

    if (!amp_quantity_read_duration(&text, &seconds) || *text || seconds == 0 || seconds > 86400)
        return false;
    *every_ns = seconds * 1000000000u;
    return true;
}

static bool read_sample(const char *text, uint64_t *sample_b)
{
    return amp_quantity_read_size(&text, sample_b) && !*text && *sample_b > 0 && *sample_b <= MOST_SAMPLE_B;
}

/* A flag of ours. 0, or 2 after it has said what is wrong with its value. */
static int read_flag(int flag, struct options *out)
{
    if (flag == 'f')
        return amp_flags_format(optarg, &out->run.is_json);
    if (flag == 'e' && !read_every(optarg, &out->run.every_ns))
        return amp_complain(2, "--every", "'%s' is no time such as 10s or 5m", optarg);
    if (flag == 's' && !read_sample(optarg, &out->run.sample_b))
        return amp_complain(2, "--sample", "'%s' is no size such as 512K, of 1 GiB at most", optarg);
    if (flag == 'a' || flag == 'c')
        out->run.is_cpu = flag == 'c';
    if (flag == 'o')
        out->run.output = optarg;
    if (flag == 'r')
        out->rows_of = optarg;
    return 0;
}

/* What stands behind the flags: a program, a row, or nothing. */
static int read_subject(int argc, char **argv, struct options *out)
{
    if (out->rows_of)
        return optind == argc ? 0 : amp_complain(2, argv[optind], "--rows takes a run and nothing else");
    if (optind == argc)
        return amp_complain(2, "profile",
                            "names no program and no row: ampersand profile [flags] -- PROGRAM ARGUMENTS");
    out->run.command = argv + optind;
    if (amp_flags_have_program(argc, argv))
        return 0;
    out->row = argv[optind];
    if (optind + 1 < argc)
        return amp_complain(2, argv[optind + 1], "profile takes one row; a program stands behind --");
    if (out->run.every_ns)
        return amp_complain(2, "--every", "only for a program");
    if (out->run.sample_b)
        return amp_complain(2, "--sample", "only for a program");
    if (out->run.is_cpu)
        return amp_complain(2, "--cpu", "only for a program; bench measures a row's time");
    return 0;
}

static int parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = { { "alloc", no_argument, NULL, 'a' },
                                           { "cpu", no_argument, NULL, 'c' },
                                           { "every", required_argument, NULL, 'e' },
                                           { "format", required_argument, NULL, 'f' },
                                           { "rows", required_argument, NULL, 'r' },
                                           { "sample", required_argument, NULL, 's' },
                                           { NULL, 0, NULL, 0 } };
    int flag, status = 0;

    while (!status && (flag = amp_flags_next(argc, argv, known, "no such flag; 'ampersand help profile' lists all")))
        status = flag == AMP_FLAGS_WRONG ? 2 : read_flag(flag, out);
    if (!status)
        status = read_subject(argc, argv, out);
    if (!status && out->run.every_ns && !out->run.output)
        status = amp_complain(2, "--every", "needs -o FILE, which the snapshots go to");
    if (!status && out->run.sample_b && out->run.is_cpu)
        status = amp_complain(2, "--sample", "is for allocations; --cpu samples time");
    return status;
}

/* Copies are profiled by a program of its own, which takes the same command line. */
static int run_copies(char **argv)
{
    char path[PATH_MAX];
    int status = amp_launch_find_beside("copies/ampersand-copies", path, sizeof path);

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
    if (options.rows_of)
        return amp_rows_profile(options.rows_of);
    return options.row ? amp_row_profile(options.row, &options.run) : amp_run_program(&options.run, NULL);
}
