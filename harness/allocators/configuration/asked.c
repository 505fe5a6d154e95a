/* SPDX-License-Identifier: MIT
 *
 * Parse settings, in the notation of each allocator:
 *
 *     MALLOC_CONF=tcache:false,lg_tcache_max:16                opt.tcache = false, opt.tcache_max = 65536
 *     GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc....=2      glibc.malloc.arena_max = 1, ...
 *     MALLOC_ARENA_MAX=1                                       glibc.malloc.arena_max = 1
 *     any other variable                                       itself */
#include "harness/allocators/configuration/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put(struct amp_settings *out, const char *prefix, const char *asked, size_t key, size_t all, char *why,
                size_t size)
{
    struct amp_setting setting;
    size_t i = 0;

    if (strlen(prefix) + key >= sizeof setting.key || all - key > sizeof setting.value) {
        snprintf(why, size, "'%.40s...': it is too long", asked);
        return false;
    }
    snprintf(setting.key, sizeof setting.key, "%s%.*s", prefix, (int) key, asked);
    snprintf(setting.value, sizeof setting.value, "%.*s", (int) (all - key - 1), asked + key + 1);
    setting.by[0] = '\0';
    if (strcmp(setting.key, "opt.lg_tcache_max") == 0) { /* told as the size itself */
        char *end;
        unsigned long lg = strtoul(setting.value, &end, 10);

        snprintf(setting.key, sizeof setting.key, "opt.tcache_max");
        if (setting.value[0] >= '0' && setting.value[0] <= '9' && !*end && lg < 64)
            snprintf(setting.value, sizeof setting.value, "%llu", 1ull << lg);
        snprintf(setting.by, sizeof setting.by, " by %.*s", (int) (all < 24 ? all : 24), asked);
    }
    while (i < out->n && strcmp(out->list[i].key, setting.key) != 0)
        i++;
    if (i == sizeof out->list / sizeof out->list[0]) {
        snprintf(why, size, "there are too many settings");
        return false;
    }
    out->list[i] = setting;
    out->n += i == out->n;
    return true;
}

/* Find what makes jemalloc end the process: an empty setting, or a separator after the last one. */
static bool is_malformed(const char *at, size_t key, size_t all, char sign, char *why, size_t size)
{
    int shown = (int) (all < 80 ? all : 80);

    if (all == 0)
        snprintf(why, size, "there is an empty setting, between separators or before the first");
    else if (key == 0 || key >= all)
        snprintf(why, size, "'%.*s': it is no setting like 'name%cvalue'", shown, at, sign);
    else if (at[all] && !at[all + 1])
        snprintf(why, size, "'%.*s%c': it ends with '%c', behind which there is nothing", shown, at, at[all], at[all]);
    else
        return false;
    return true;
}

/* "key<sign>value" and so on, with `between` between them. */
static bool read_list(const char *text, char between, char sign, const char *prefix, struct amp_settings *out,
                      char *why, size_t size)
{
    while (*text) {
        const char separators[] = { between, '\0' }, signs[] = { sign, between, '\0' };
        size_t all = strcspn(text, separators), key = strcspn(text, signs);

        if (is_malformed(text, key, all, sign, why, size) || !put(out, prefix, text, key, all, why, size))
            return false;
        text += all + (text[all] == between);
    }
    return true;
}

/* glibc's older variables; each is the same as a tunable. */
static const char *tunable_of(const char *assignment, size_t n)
{
    static const struct {
        const char *variable, *tunable;
    } aliases[] = {
        { "MALLOC_ARENA_MAX", "glibc.malloc.arena_max" },
        { "MALLOC_ARENA_TEST", "glibc.malloc.arena_test" },
        { "MALLOC_MMAP_MAX_", "glibc.malloc.mmap_max" },
        { "MALLOC_MMAP_THRESHOLD_", "glibc.malloc.mmap_threshold" },
        { "MALLOC_TRIM_THRESHOLD_", "glibc.malloc.trim_threshold" },
        { "MALLOC_TOP_PAD_", "glibc.malloc.top_pad" },
        { "MALLOC_PERTURB_", "glibc.malloc.perturb" },
    };

    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (strlen(aliases[i].variable) == n && strncmp(assignment, aliases[i].variable, n) == 0)
            return aliases[i].tunable;
    return NULL;
}

static bool read_assignment(const char *assignment, struct amp_settings *out, char *why, size_t size)
{
    size_t n = strcspn(assignment, "=");
    const char *tunable = tunable_of(assignment, n), *value = assignment + n + 1;

    if (strncmp(assignment, "MALLOC_CONF=", n + 1) == 0)
        return read_list(value, ',', ':', "opt.", out, why, size);
    if (strncmp(assignment, "GLIBC_TUNABLES=", n + 1) == 0)
        return read_list(value, ':', '=', "", out, why, size);
    if (!put(out, "", assignment, n, strlen(assignment), why, size))
        return false;
    if (tunable) /* the one just added, or an earlier one with the same name */
        for (size_t i = 0; i < out->n; i++)
            if (strncmp(out->list[i].key, assignment, n) == 0 && !out->list[i].key[n])
                snprintf(out->list[i].key, sizeof out->list[i].key, "%s", tunable);
    return true;
}

bool amp_setting_find(const struct amp_settings *settings, const char *key, const char **value)
{
    for (size_t i = 0; i < settings->n; i++)
        if (strcmp(settings->list[i].key, key) == 0) {
            *value = settings->list[i].value;
            return true;
        }
    return false;
}

bool amp_settings_read(const struct amp_configuration *configuration, struct amp_settings *out, char *why, size_t size)
{
    out->n = 0;
    for (char **each = configuration->environment; *each; each++)
        if (!read_assignment(*each, out, why, size))
            return false;
    return true;
}
