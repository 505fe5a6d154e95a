/* SPDX-License-Identifier: MIT */
#include "harness/timeline/save.h"

#include "harness/profile/launch/launch.h"
#include "harness/text/complain.h"
#include "harness/timeline/show.h"
#include "harness/timeline/write/events_json.h"
#include "harness/timeline/write/page.h"
#include "harness/timeline/write/perfetto.h"
#include "harness/timeline/write/stacks.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define PATTERN "timeline.html"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && strcmp(text + n - m, end) == 0;
}

static int save_page(const struct amp_timeline_options *options, struct amp_recording *recording,
                     const struct amp_totals *totals, const char *title, const char *path)
{
    char pattern[PATH_MAX];
    int status = amp_launch_find_beside(PATTERN, pattern, sizeof pattern), err;

    if (status)
        return status;
    err = amp_page_save(recording, totals, options->page_events, pattern, title, path);
    return err ? amp_complain(2, path, "cannot be written: %s", strerror(-err)) : 0;
}

/* What Perfetto reads, by the name's end. */
static const struct {
    const char *end;
    int (*save)(struct amp_recording *recording, const char *path, struct amp_lanes_facts *facts);
} forms[] = { { ".json", amp_events_json_save }, { ".json.gz", amp_events_json_save },
              { ".pftrace", amp_perfetto_save }, { ".pftrace.gz", amp_perfetto_save } };

/* Its number among the forms; the number of forms if there is none. */
static size_t form_of(const char *path)
{
    size_t i = 0;

    while (i < sizeof forms / sizeof *forms && !ends_with(path, forms[i].end))
        i++;
    return i;
}

int amp_timeline_can_save(const char *path)
{
    if (form_of(path) == sizeof forms / sizeof *forms && !ends_with(path, ".html"))
        return amp_complain(2, path, "its name must end with .html (a page), .pftrace (for Perfetto) or .json (for "
                                     "Perfetto and speedscope); the latter also with .gz");
    return amp_launch_check_output(path, "nothing can take its place");
}

static int save_one(const struct amp_timeline_options *options, struct amp_recording *recording,
                    const struct amp_totals *totals, const char *title, const char *path)
{
    struct amp_lanes_facts facts;
    int err;

    if (ends_with(path, ".html"))
        return save_page(options, recording, totals, title, path);
    err = forms[form_of(path)].save(recording, path, &facts);
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

int amp_timeline_save(const struct amp_timeline_options *options, const char *folder, const char *title,
                      bool is_running, FILE *report)
{
    struct amp_recording recording;
    struct amp_totals totals = { 0 };
    int err = amp_recording_open(folder, &recording), status = 0;

    if (err == -ENODATA && recording.n_refused > 0)
        return 2; /* that was said, file by file */
    if (err == -ENODATA)
        return amp_complain(2, folder, "holds nothing that was recorded");
    if (err)
        return amp_complain(2, folder, "what was recorded cannot be read: %s", strerror(-err));
    recording.is_running = is_running;
    err = amp_stacks_read(&recording, &recording.stacks);
    amp_lanes_measure(&recording, options->window_ns, options->from_ns, options->to_ns);
    if (!err)
        err = amp_totals_make(&recording, &totals);
    if (err)
        status = amp_complain(2, folder, "what was recorded cannot be read: %s", strerror(-err));
    for (unsigned i = 0; i < options->n_outputs && !err; i++) {
        int failed = save_one(options, &recording, &totals, title, options->outputs[i]);

        status = status ? status : failed;
    }
    if (report && !err) {
        int failed = show(options, &totals, title, report);

        status = status ? status : failed;
    }
    amp_totals_free(&totals);
    amp_stacks_free(recording.stacks);
    amp_recording_close(&recording);
    return status;
}
