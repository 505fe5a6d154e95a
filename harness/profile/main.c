/* SPDX-License-Identifier: MIT
 *
 * ampersand-profile: runs a program and writes what it allocated, by stack. Its exit status is that of the program; 128
 * plus the signal that ended it; 2 for wrong use, or a program that cannot be profiled. */
#include "harness/profile/program.h"
#include "harness/profile/launch.h"
#include "harness/profile/proto.h"
#include "harness/profile/scratch.h"
#include "harness/profile/show.h"
#include "harness/profile/symbols.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *output; /* NULL: no file */
    bool is_json;
    uint64_t every_ns;
    char **command;
    const char *row, *title; /* of a row of a pair; NULL: it is a program of the user's */
};

struct run {
    const struct options *options;
    char folder[PATH_MAX], ended[64];
    struct timespec begin;
    bool is_told; /* that names need libdw, or that the file cannot be written */
};

static uint64_t since_ns(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) (now.tv_sec - begin->tv_sec) * 1000000000u + (uint64_t) now.tv_nsec - (uint64_t) begin->tv_nsec;
}

/* Read what has been counted up to now, name its places and write the file. 0, or 2 after it has said why not. */
static int write_profile(struct run *run, struct amp_profile *profile)
{
    const struct options *options = run->options;
    int err = amp_profile_read(run->folder, profile);

    if (err)
        return amp_complain(2, run->folder, "what was counted cannot be read: %s", strerror(-err));
    err = amp_symbols_name(profile);
    if (err == -ENOTSUP && !run->is_told) {
        amp_complain(0, "libdw", "not in this build, so functions and lines are left out; the package is called libdw-dev");
        run->is_told = true;
    }
    if (err == -ENOMEM)
        return amp_complain(2, "symbols", "there is no memory");
    err = options->output ? amp_proto_save(profile, options->output, since_ns(&run->begin), options->command[0]) : 0;
    return err ? amp_complain(2, options->output, "cannot be written: %s", strerror(-err)) : 0;
}

static void snapshot(void *argument)
{
    struct run *run = argument;
    struct amp_profile profile = { 0 };

    write_profile(run, &profile);
    amp_profile_free(&profile);
}

/* A file by its place beside this program. */
static int find_beside(const char *name, char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    char *last;

    if (n < 0)
        return amp_complain(2, "/proc/self/exe", "%s", strerror(errno));
    out[n] = '\0';
    last = strrchr(out, '/');
    snprintf(last + 1, cap - (size_t) (last + 1 - out), "%s", name);
    if (strpbrk(out, ": "))
        return amp_complain(2, out, "the loader takes no library whose path has a blank or a colon");
    return access(out, R_OK) ? amp_complain(2, out, "%s", strerror(errno)) : 0;
}

static int describe(int status, char *out, size_t cap)
{
    if (WIFSIGNALED(status)) {
        snprintf(out, cap, "ended by signal %d: %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    if (WEXITSTATUS(status) != 0)
        snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

/* The report on a program goes to stderr: stdout is the program's. */
static int report(struct run *run)
{
    const struct options *options = run->options;
    struct amp_shown shown = { options->title ? options->title : options->command[0], options->output,
                               run->ended[0] ? run->ended : NULL };
    FILE *out = options->row ? stdout : stderr;
    struct amp_profile profile = { 0 };
    int status = write_profile(run, &profile), err = 0;

    if (status)
        shown.file = NULL; /* it is not there */
    if (profile.store)
        err = options->is_json ? amp_show_json(&profile, &shown, out) : amp_show_table(&profile, &shown, out);
    if (profile.store && out == stdout && (fflush(out) || ferror(out)))
        status = amp_complain(2, "stdout", "cannot be written");
    amp_profile_free(&profile);
    return err ? amp_complain(2, "profile", "%s", strerror(-err)) : status;
}

static int run_program(const struct options *options)
{
    struct run run = { .options = options };
    char path[PATH_MAX], library[PATH_MAX];
    struct amp_launch launch = { .command = options->command, .path = path, .library = library, .folder = run.folder,
                                 .output = -1, .every_ns = options->every_ns, .snapshot = snapshot, .argument = &run };
    int status = amp_program_check(options->command[0], path, sizeof path), ended = 0, err;

    if (!status)
        status = find_beside("libampersand_profile.so", library, sizeof library);
    if (!status)
        status = amp_scratch_make(run.folder);
    if (status)
        return status;
    if (options->row)
        setenv(AMP_PROFILE_OFF, "1", 1);
    clock_gettime(CLOCK_MONOTONIC, &run.begin);
    err = amp_launch_run(&launch, &ended);
    if (err) {
        status = amp_complain(2, options->command[0], "cannot be started: %s", strerror(-err));
    } else {
        int own = describe(ended, run.ended, sizeof run.ended);

        status = options->row && own > 1 ? own : report(&run); /* 1: other lessons are missing */
        status = status ? status : own;
    }
    amp_scratch_remove(run.folder);
    return status;
}

/* A file's name with the side's before its ending. The caller frees it; NULL: no memory. */
static char *name_of_side(const char *file, const char *side)
{
    const char *last = strrchr(file, '/'), *end = strchr(last ? last + 1 : file, '.');
    char *name;

    end = end ? end : file + strlen(file);
    return asprintf(&name, "%.*s-%s%s", (int) (end - file), file, side, end) < 0 ? NULL : name;
}

/* One side of a row, in a process of ampersand-bench. */
static int run_side(const struct options *options, const char *bench, const char *side)
{
    struct options own = *options;
    char *task = NULL, *title = NULL, *output = NULL;
    int status = 2;

    if (asprintf(&task, "%s/%s", side, options->row) >= 0 &&
        asprintf(&title, "%s, %s, 100 operations", options->row, side) >= 0 &&
        (!options->output || (output = name_of_side(options->output, side)) != NULL)) {
        own.command = (char *[]){ (char *) (uintptr_t) bench, "profile-child", task, NULL };
        own.title = title;
        own.output = output;
        status = run_program(&own);
    } else {
        amp_complain(2, "profile", "there is no memory");
    }
    free(task);
    free(title);
    free(output);
    return status;
}

static int run_row(const struct options *options)
{
    char bench[PATH_MAX];
    int status = find_beside("../ampersand-bench", bench, sizeof bench);

    if (!status)
        status = run_side(options, bench, "value");
    return status ? status : run_side(options, bench, "pointer");
}

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
            out->output = optarg;
        if (flag == 'e' && !read_every(optarg, &out->every_ns))
            return amp_complain(2, "--every", "'%s' is no time such as 10s or 5m", optarg);
        if (flag == 'f' && strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
            return amp_complain(2, "--format", "'%s': no such format: table or json", optarg);
        if (flag == 'f')
            out->is_json = strcmp(optarg, "json") == 0;
    }
    if (optind == argc)
        return amp_complain(2, "profile", "names no program and no row: ampersand profile [flags] -- PROGRAM ARGUMENTS");
    if (strcmp(argv[optind - 1], "--") != 0) {
        out->row = argv[optind];
        if (optind + 1 < argc)
            return amp_complain(2, argv[optind + 1], "profile takes one row; a program stands behind --");
        if (out->every_ns)
            return amp_complain(2, "--every", "only for a program");
    }
    if (out->every_ns && !out->output)
        return amp_complain(2, "--every", "needs -o FILE, which the snapshots go to");
    out->command = argv + optind;
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    int status = parse(argc, argv, &options);

    if (status)
        return status;
    return options.row ? run_row(&options) : run_program(&options);
}
