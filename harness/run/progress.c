/* SPDX-License-Identifier: MIT */
#include "harness/run/progress.h"

#include "harness/text/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static size_t width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void amp_progress_begin(struct amp_progress *progress, size_t done, const size_t left[AMP_JOB_KINDS])
{
    *progress = (struct amp_progress){ .terminal = is_terminal(), .total = done, .done = done, .done_at_start = done };
    for (int kind = 0; kind < AMP_JOB_KINDS; kind++) {
        progress->kinds[kind].left = left[kind];
        progress->total += left[kind];
    }
}

/* The time that is left, from the mean of each kind; a kind that has not run yet gets the mean of all. Negative:
 * unknown. */
static double left_s(const struct amp_progress *progress)
{
    double seconds = 0, left = 0;
    size_t measured = 0;

    for (int kind = 0; kind < AMP_JOB_KINDS; kind++) {
        seconds += progress->kinds[kind].seconds;
        measured += progress->kinds[kind].measured;
    }
    if (measured == 0)
        return -1;
    for (int kind = 0; kind < AMP_JOB_KINDS; kind++) {
        size_t n = progress->kinds[kind].measured;
        double mean = n > 0 ? progress->kinds[kind].seconds / (double) n : seconds / (double) measured;

        left += mean * (double) progress->kinds[kind].left;
    }
    return left;
}

static void write_left(const struct amp_progress *progress, char out[64])
{
    double seconds = left_s(progress);

    if (seconds < 0)
        out[0] = '\0';
    else if (seconds < 60)
        snprintf(out, 64, ", %.0f s left", seconds);
    else if (seconds < 3600)
        snprintf(out, 64, ", %.0f min left", seconds / 60);
    else
        snprintf(out, 64, ", %.1f h left", seconds / 3600);
}

static void write_failed(const struct amp_progress *progress, char out[64])
{
    out[0] = '\0';
    if (progress->failed > 0)
        snprintf(out, 64, ", %zu failed", progress->failed);
}

void amp_progress_child(struct amp_progress *progress, const char *kind, const char *name)
{
    char line[512], left[64], failed[64];
    size_t columns = width();

    if (!progress->terminal)
        return;
    write_left(progress, left);
    write_failed(progress, failed);
    snprintf(line, sizeof line, "%zu/%zu%s%s  %s %s", progress->done, progress->total, left, failed,
             kind, name);
    if (columns < sizeof line)
        line[columns - 1] = '\0';
    fprintf(stderr, "\r%s\033[K", line);
}

void amp_progress_ended(struct amp_progress *progress, unsigned kind, bool well, double seconds)
{
    size_t to_do = progress->total - progress->done_at_start, tenth;
    char left[64], failed[64];

    progress->done++;
    progress->unmeasured += !well;
    progress->kinds[kind].left--;
    if (well) {
        progress->kinds[kind].measured++;
        progress->kinds[kind].seconds += seconds;
    }
    tenth = (progress->done - progress->done_at_start) * 10 / to_do;
    if (progress->terminal || tenth == progress->tenth)
        return;
    progress->tenth = tenth;
    write_left(progress, left);
    write_failed(progress, failed);
    fprintf(stderr, "ampersand: %zu of %zu launches%s%s\n", progress->done, progress->total, left, failed);
}

void amp_progress_skip(struct amp_progress *progress, unsigned kind)
{
    progress->done++;
    progress->unmeasured++;
    progress->kinds[kind].left--;
}

void amp_progress_say(struct amp_progress *progress, const char *what, const char *why, ...)
{
    va_list arguments;

    amp_progress_end(progress);
    va_start(arguments, why);
    amp_complain_list(what, why, arguments);
    va_end(arguments);
}

void amp_progress_end(struct amp_progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}
