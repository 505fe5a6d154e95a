/* SPDX-License-Identifier: MIT
 *
 * ampersand-trace: runs a program and writes when what happened in it. Its exit status is that of the program; 128 plus
 * the signal that ended it; 2 for wrong use, or a program that cannot be traced. */
#include "harness/profile/launch/flags.h"
#include "harness/text/complain.h"
#include "harness/text/quantity.h"
#include "harness/timeline/functions.h"
#include "harness/timeline/run.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_B ((uint64_t) 64 << 20)
#define LEAST_B ((uint64_t) 1 << 20)
#define MOST_B ((uint64_t) 64 << 30)
#define MOST_S 86400
#define PAGE_EVENTS 16000000 /* a browser takes some 400 MB for them */

static bool read_seconds(const char **text, uint64_t *ns)
{
    char *end;
    double seconds = strtod(*text, &end);

    if (**text < '0' || **text > '9' || *end != 's' || !(seconds >= 0 && seconds <= MOST_S))
        return false;
    *ns = (uint64_t) (seconds * 1e9);
    *text = end + 1;
    return true;
}

/* 2s..5.5s: what is written, since the first event. */
static bool read_part(const char *text, struct amp_timeline_options *out)
{
    if (!read_seconds(&text, &out->from_ns) || strncmp(text, "..", 2) != 0)
        return false;
    text += 2;
    return read_seconds(&text, &out->to_ns) && !*text && out->to_ns > out->from_ns;
}

/* 10s: the last of the ring is written. 64M: how large the ring is. */
static bool read_window(const char *text, struct amp_timeline_options *out)
{
    const char *at = text;
    uint64_t n;

    if (strstr(text, ".."))
        return read_part(text, out);
    if (amp_quantity_read_duration(&at, &n) && !*at && n > 0 && n <= MOST_S) {
        out->window_ns = n * 1000000000u;
        return true;
    }
    at = text;
    if (!amp_quantity_read_size(&at, &n) || *at || n < LEAST_B || n > MOST_B)
        return false;
    out->window_b = n;
    return true;
}

static bool read_above(const char *text, uint64_t *out)
{
    return amp_quantity_read_size(&text, out) && !*text && *out < UINT64_MAX;
}

static bool read_events(const char *text, uint64_t *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = n;
    return *text >= '0' && *text <= '9' && !*end && n > 0 && n <= PAGE_EVENTS;
}

static int take_flag(int flag, struct amp_timeline_options *out)
{
    switch (flag) {
    case 'o':
        if (out->n_outputs == AMP_TIMELINE_OUTPUTS)
            return amp_complain(2, "-o", "so many files are too many");
        out->outputs[out->n_outputs++] = optarg;
        return 0;
    case 'w':
        return read_window(optarg, out)
                   ? 0
                   : amp_complain(2, "--window", "'%s' is no time (10s, 2s..5s), nor a size from 1M on", optarg);
    case 'a':
        return read_above(optarg, &out->above_b)
                   ? 0
                   : amp_complain(2, "--alloc-above", "'%s' is no size such as 64k", optarg);
    case 'p':
        return read_events(optarg, &out->page_events)
                   ? 0
                   : amp_complain(2, "--page-events", "'%s' is no number from 1 to %d", optarg, PAGE_EVENTS);
    case 'k':
        out->keep = optarg;
        return 0;
    case 'r':
        out->from = optarg;
        return 0;
    case 'u':
        out->functions = true;
        return 0;
    case 'f':
        return amp_flags_format(optarg, &out->is_json);
    default:
        return 2;
    }
}

/* What is traced: a program, a row, or what an earlier recording holds. */
static int take_rest(int argc, char **argv, struct amp_timeline_options *out)
{
    if (out->from) {
        if (out->keep)
            return amp_complain(2, "--keep", "--from reads a recording and makes none");
        return optind < argc ? amp_complain(2, argv[optind], "--from reads a recording: nothing runs") : 0;
    }
    if (optind == argc)
        return amp_complain(2, "trace", "names no program and no row: ampersand trace [flags] -- PROGRAM ARGUMENTS");
    if (out->functions && (!amp_flags_have_program(argc, argv) || out->keep || out->above_b != UINT64_MAX))
        return amp_complain(2, "--functions", "only for a program, without --keep and --alloc-above");
    if (amp_flags_have_program(argc, argv)) {
        out->command = argv + optind;
        return 0;
    }
    out->row = argv[optind];
    return optind + 1 < argc ? amp_complain(2, argv[optind + 1], "trace takes one row; a program stands behind --") : 0;
}

static int parse(int argc, char **argv, struct amp_timeline_options *out)
{
    static const struct option known[] = { { "window", required_argument, NULL, 'w' },
                                           { "alloc-above", required_argument, NULL, 'a' },
                                           { "page-events", required_argument, NULL, 'p' },
                                           { "keep", required_argument, NULL, 'k' },
                                           { "from", required_argument, NULL, 'r' },
                                           { "functions", no_argument, NULL, 'u' },
                                           { "format", required_argument, NULL, 'f' },
                                           { NULL, 0, NULL, 0 } };
    int flag, status = 0;

    while (!status && (flag = amp_flags_next(argc, argv, known, "no such flag; 'ampersand help trace' lists all")))
        status = take_flag(flag, out);
    return status ? status : take_rest(argc, argv, out);
}

int main(int argc, char **argv)
{
    struct amp_timeline_options options = { .window_b = WINDOW_B, .above_b = UINT64_MAX,
                                            .page_events = PAGE_EVENTS };
    int status = parse(argc, argv, &options);

    if (status)
        return status;
    if (options.from)
        return amp_timeline_from(&options);
    if (options.functions)
        return amp_timeline_functions(&options);
    return options.row ? amp_timeline_row(&options) : amp_timeline_program(&options);
}
