/* SPDX-License-Identifier: MIT */
#include "harness/timeline/save.h"

#include "harness/profile/launch/launch.h"
#include "harness/text/complain.h"
#include "harness/timeline/show.h"
#include "harness/timeline/write/events_json.h"
#include "harness/timeline/write/page.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATTERN "timeline.html"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && strcmp(text + n - m, end) == 0;
}

int amp_timeline_can_save(const char *path)
{
    if (!ends_with(path, ".json") && !ends_with(path, ".html"))
        return amp_complain(2, path, "its name must end with .html (a page), or .json (for Perfetto and speedscope)");
    return amp_launch_check_output(path, "nothing can take its place");
}

/* The page without data lies beside this program. */
static int save_page(struct amp_recording *recording, const struct amp_totals *totals, const char *title,
                     const char *path)
{
    char pattern[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", pattern, sizeof pattern - sizeof PATTERN);

    if (n < 0)
        return -errno;
    pattern[n] = '\0';
    strcpy(strrchr(pattern, '/') + 1, PATTERN);
    return amp_page_save(recording, totals, pattern, title, path);
}

static int save_one(struct amp_recording *recording, const struct amp_totals *totals, const char *title,
                    const char *path)
{
    struct amp_lanes_facts facts;
    int err = ends_with(path, ".html") ? save_page(recording, totals, title, path)
                                       : amp_events_json_save(recording, path, &facts);

    return err ? amp_complain(2, path, "cannot be written: %s", strerror(-err)) : 0;
}

static int show(const struct amp_timeline_options *options, const struct amp_totals *totals, const char *title,
                FILE *out)
{
    int err = 0;

    if (options->is_json)
        err = amp_timeline_show_json(totals, title, out);
    else
        amp_timeline_show_table(totals, title, out);
    if (fflush(out) || ferror(out))
        err = err ? err : -EIO;
    return err ? amp_complain(2, "report", "%s", strerror(-err)) : 0;
}

int amp_timeline_save(const struct amp_timeline_options *options, const char *folder, const char *title, FILE *report)
{
    struct amp_recording recording;
    struct amp_totals totals = { 0 };
    int err = amp_recording_open(folder, &recording), status = 0;

    if (err == -ENODATA)
        return amp_complain(2, folder, "holds nothing that was recorded");
    if (err)
        return amp_complain(2, folder, "what was recorded cannot be read: %s", strerror(-err));
    amp_lanes_measure(&recording, options->window_ns);
    err = amp_totals_make(&recording, &totals);
    if (err)
        status = amp_complain(2, folder, "what was recorded cannot be read: %s", strerror(-err));
    for (unsigned i = 0; i < options->n_outputs && !err; i++) {
        int failed = save_one(&recording, &totals, title, options->outputs[i]);

        status = status ? status : failed;
    }
    if (report && !err) {
        int failed = show(options, &totals, title, report);

        status = status ? status : failed;
    }
    amp_totals_free(&totals);
    amp_recording_close(&recording);
    return status;
}
