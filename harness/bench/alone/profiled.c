/* SPDX-License-Identifier: MIT */
#include "harness/bench/alone/profiled.h"

#include "harness/lesson/layout.h"
#include "harness/text/complain.h"
#include "harness/text/suggest.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row, or exit status 2 with the nearest name. */
static int refuse(const struct amp_registry *registry, const char *name)
{
    char(*names)[256] = calloc(registry->n + 1, sizeof *names);
    const char **texts = calloc(registry->n + 1, sizeof *texts), *nearest = NULL;

    for (size_t i = 0; names && texts && i < registry->n; i++) {
        amp_row_name(&registry->rows[i], names[i], sizeof *names);
        texts[i] = names[i];
    }
    if (names && texts)
        nearest = amp_suggest(name, texts, registry->n, SIZE_MAX);
    amp_complain(2, name, "there is no such row; the nearest is '%s'; a program stands behind --",
                 nearest ? nearest : "");
    free(names);
    free(texts);
    return 2;
}

int amp_profiled_run(const struct amp_registry *registry, const char *task)
{
    bool is_value = strncmp(task, "value/", 6) == 0;
    const char *name = strchr(task, '/') ? strchr(task, '/') + 1 : task, *why = "";
    const struct amp_row *row = amp_registry_find(registry, name);
    const struct amp_side *side;
    void (*count)(int on);
    uint64_t checksum;
    void *fixture;

    *(void **) &count = dlsym(RTLD_DEFAULT, "amp_profile_count");
    if (!row)
        return refuse(registry, name);
    if (!count)
        return amp_complain(2, name, "this process does not run under ampersand-profile");
    if (amp_layout_hold_row(row, 0, &why))
        return amp_complain(2, name, "%s", why);
    side = is_value ? &row->pair->value : &row->pair->pointer;
    fixture = amp_side_set_up(side, row->size);
    checksum = side->run(fixture, 1); /* what happens only once is over */
    count(1);
    checksum += side->run(fixture, AMP_PROFILED_OPS);
    count(0);
    amp_keep(&checksum);
    amp_side_tear_down(side, fixture);
    return 0;
}
