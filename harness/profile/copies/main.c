/* SPDX-License-Identifier: MIT
 *
 * ampersand-copies: runs a program that was compiled by ampersand-cc, and reports which struct copies it made and what
 * they cost. Its exit status is that of the program; 128 plus the signal that ended it; 2 for wrong use, or a program
 * that cannot be profiled. */
#include "harness/profile/copies/export.h"
#include "harness/profile/copies/listed.h"
#include "harness/profile/copies/preload/sections.h"
#include "harness/profile/copies/report.h"
#include "harness/profile/launch/flags.h"
#include "harness/profile/launch/launch.h"
#include "harness/profile/launch/scratch.h"
#include "harness/profile/recorded.h"
#include "harness/profile/samples/proto.h"
#include "harness/profile/samples/symbols.h"
#include "harness/program/program.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *output; /* NULL: no file */
    bool is_json;
    char **command;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static int show(const struct amp_copy_places *places, const struct amp_copies_shown *shown, bool is_json)
{
    int err = 0;

    if (is_json)
        err = amp_copies_json(places, shown, stderr);
    else
        amp_copies_table(places, shown, stderr);
    return err ? amp_complain(2, "profile", "%s", strerror(-err)) : 0;
}

/* Put the samples to the copies that have names, and to those that gcc listed in the program at `path` and in what it
 * loaded. 0, or 2 after it has said what is wrong. */
static int add_samples(const char *path, const struct amp_profile *profile, struct amp_copy_places *places)
{
    struct amp_copies_listed *listed = NULL;
    int err = amp_copies_read_listed(path, &listed, places);

    for (size_t i = 0; !err && i < profile->n_mappings; i++)
        if (strcmp(profile->mappings[i]->path, path) != 0)
            err = amp_copies_read_listed(profile->mappings[i]->path, &listed, places);
    if (!err)
        amp_copies_add_samples(profile, listed, places);
    amp_copies_forget_listed(listed);
    amp_copies_sort(places);
    return err ? amp_complain(2, path, "the list of its copies cannot be read: %s", strerror(-err)) : 0;
}

/* Read what the processes left in a folder, with names. 0, or 2 after it has said what is wrong. */
static int read_folder(const char *folder, struct amp_profile *profile, struct amp_copy_places *places)
{
    int err = amp_recorded_read(folder, AMP_RECORDED_TICKS, profile);

    if (!err)
        err = amp_copies_read_counts(folder, places);
    if (err)
        return amp_complain(2, folder, "what was counted cannot be read: %s", strerror(-err));
    err = amp_symbols_name(profile);
    if (err == -ENOTSUP)
        return amp_complain(0, "libdw", "not in this build, so no times are told: the package is libdw-dev");
    return err ? amp_complain(2, "symbols", "%s", strerror(-err)) : 0;
}

/* What the processes of the program at `path` left in a folder: report it, and write it. 0, or 2 after it has said what
 * is wrong. */
static int report(const struct options *options, const char *path, const char *folder, const char *ended,
                  bool lacks_lines, uint64_t wall_ns)
{
    struct amp_copies_shown shown = { options->command[0], options->output, *ended ? ended : NULL, lacks_lines };
    struct amp_copy_places places = { 0 };
    struct amp_profile profile = { 0 };
    int status = read_folder(folder, &profile, &places), err = 0;

    if (!status)
        status = add_samples(path, &profile, &places);
    if (!status) {
        err = options->output ? amp_copies_save(&profile, &places, options->output, wall_ns, options->command[0]) : 0;
        if (err) {
            status = amp_complain(2, options->output, "cannot be written: %s", strerror(-err));
            shown.file = NULL;
        }
        err = show(&places, &shown, options->is_json);
        status = status ? status : err;
    }
    amp_copies_free(&places);
    amp_profile_free(&profile);
    return status;
}

static bool has_lines(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct amp_copies_place at;
    const bool has = fd >= 0 && amp_copies_find(fd, ".debug_info", &at) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static int run(const struct options *options)
{
    char path[PATH_MAX], library[PATH_MAX], folder[PATH_MAX], ended[64] = "";
    struct amp_launch launch = { .command = options->command, .path = path, .library = library, .folder = folder,
                                 .output = -1 };
    uint64_t begin_ns = now_ns();
    int status = amp_program_check_code(options->command[0], path, sizeof path), result = 0, own;
    int err = !status && options->output ? amp_proto_can_save(options->output) : 0;

    if (err)
        status = amp_complain(2, options->output, "cannot be written: %s", strerror(-err));
    if (!status)
        status = amp_launch_find_beside("libampersand_copies.so", library, sizeof library);
    if (!status)
        status = amp_scratch_make(folder);
    if (status)
        return status;
    err = amp_launch_run(&launch, &result);
    if (err) {
        status = amp_complain(2, options->command[0], "cannot be started: %s", strerror(-err));
    } else {
        const bool is_marked = amp_copies_are_marked(path);

        own = amp_launch_describe(result, ended, sizeof ended);
        if (!is_marked)
            amp_complain(0, path, "no copies are named in it: compile it with 'ampersand cc'");
        status = report(options, path, folder, ended, is_marked && !has_lines(path), now_ns() - begin_ns);
        status = status ? status : own;
    }
    amp_scratch_remove(folder);
    return status;
}

static int parse(int argc, char **argv, struct options *out)
{
    static const struct option known[] = { { "copies", no_argument, NULL, 'c' },
                                           { "format", required_argument, NULL, 'f' },
                                           { NULL, 0, NULL, 0 } };
    static const char none[] = "no such flag with --copies; 'ampersand help profile' lists all";
    int flag, status = 0;

    while (!status && (flag = amp_flags_next(argc, argv, known, none))) {
        if (flag == AMP_FLAGS_WRONG)
            return 2;
        if (flag == 'o')
            out->output = optarg;
        if (flag == 'f')
            status = amp_flags_format(optarg, &out->is_json);
    }
    if (!status && !amp_flags_have_program(argc, argv))
        return amp_complain(2, "--copies", "takes a program: ampersand profile --copies [flags] -- PROGRAM ARGUMENTS");
    out->command = argv + optind;
    return status;
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    int status = parse(argc, argv, &options);

    return status ? status : run(&options);
}
