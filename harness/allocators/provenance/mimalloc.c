/* SPDX-License-Identifier: MIT
 *
 * mimalloc prints its options, and what it could not do, when a program starts with MIMALLOC_VERBOSE. So this program
 * is started again, without a task, so that it ends at once. The numbers for mi_option_get() change from version to
 * version; the names do not.
 *
 *     counters_move          mi_check_owned() can tell its blocks from others */
#include "harness/allocators/provenance/probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION "mimalloc: option '"
#define WARNING "mimalloc: warning: "

/* These are set in bytes and printed in KiB. */
static bool is_in_kib(const char *name)
{
    return strcmp(name, "MIMALLOC_RESERVE_OS_MEMORY") == 0 || strcmp(name, "MIMALLOC_ARENA_RESERVE") == 0;
}

/* "mimalloc: option 'eager_commit': 1" is read back as MIMALLOC_EAGER_COMMIT, as one would set it. */
static void read_option(struct amp_probe *probe, const char *line)
{
    char name[96] = "MIMALLOC_", *end;
    const char *at = line + strlen(OPTION);
    size_t n = strcspn(at, "'"), prefix = strlen(name);
    long long value;

    if (n >= sizeof name - prefix || strncmp(at + n, "': ", 3) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        name[prefix + i] = (char) toupper((unsigned char) at[i]);
    name[prefix + n] = '\0';
    value = strtoll(at + n + 3, &end, 10);
    if (is_in_kib(name))
        value *= 1024;
    json_object_set_new(probe->read_back, name, json_integer(value));
}

static void read_options(struct amp_probe *probe)
{
    char *text = amp_probe_output("/proc/self/exe", NULL, "MIMALLOC_VERBOSE=1");

    for (char *line = text, *next; line && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (strncmp(line, OPTION, strlen(OPTION)) == 0)
            read_option(probe, line);
        else if (strncmp(line, WARNING, strlen(WARNING)) == 0 && !json_object_get(probe->read_back, "warning"))
            json_object_set_new(probe->read_back, "warning", json_string(line + strlen(WARNING)));
    }
    free(text);
}

bool amp_probe_mimalloc(struct amp_probe *probe)
{
    int (*version)(void) = (int (*)(void)) amp_probe_symbol(probe, "mi_version");
    bool (*is_owned)(const void *) = (bool (*)(const void *)) amp_probe_symbol(probe, "mi_check_owned");
    static char elsewhere[64];
    void *block;
    int v;

    if (!version)
        return false;
    v = version(); /* 209 is 2.0.9 */
    probe->source = "MIMALLOC_VERBOSE=1";
    probe->version = json_sprintf("%d.%d.%d", v / 100, v / 10 % 10, v % 10);
    read_options(probe);
    block = malloc(100);
    amp_probe_touch(block, 100);
    amp_probe_effect_bool(probe, "counters_move", is_owned && is_owned(block) && !is_owned(elsewhere));
    free(block);
    return true;
}
